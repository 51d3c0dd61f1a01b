"""The child is killed at random moments: what it leaves can be used, and the next start goes on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from core_model import load_backbone, load_head
from tests.core_model.job_folder import run, start, write_job

WHOLE = {"head.safetensors", "backbone.safetensors", "training.safetensors"}


def _kill(job: Path, events: int) -> None:
    """Start the child and kill it after so many events, wherever it is then."""
    child = start(job)
    assert child.stdout is not None
    for _ in range(events):
        assert json.loads(child.stdout.readline())["event"] not in {"done", "failed"}
    child.kill()
    child.communicate()


def _check(out: Path) -> None:
    """Nothing is there, or a head that can be used and says that it is not done; what is half written is hidden."""
    names = {path.name for path in out.iterdir()} if out.exists() else set()
    assert {name for name in names if not name.startswith(".")} <= WHOLE
    if "head.safetensors" in names:
        card = load_head(out / "head.safetensors").card
        assert card is not None
        assert card.partial
    if "backbone.safetensors" in names:
        load_backbone(out / "backbone.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "steps"), [("quick", 300), ("full", 30)])
def test_killed_again_and_again_it_goes_on_and_ends(tmp_path: Path, recipe: str, steps: int) -> None:
    job = write_job(tmp_path / "job", recipe=recipe, steps=steps)
    moments = random.Random(7)
    for _ in range(2):
        _kill(job, moments.randrange(1, 7))
        _check(job / "out")
    kept = (job / "out" / "training.safetensors").exists()
    child = run(job)
    assert child.code == 0, child.stderr
    assert ("resumed_step" in child.events[0]) == kept
    assert not child.named("warning")
    assert (child.events[-1]["event"], child.events[-1]["step"] <= steps) == ("done", True)
    assert not any(path.name.startswith((".", "training")) for path in (job / "out").iterdir())
