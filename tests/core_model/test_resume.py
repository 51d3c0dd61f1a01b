"""A learning that was cut off goes on from what was kept, and from nothing else."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from core_model import fraction_kept, load_head
from core_model.dataset import Sample
from core_model.events import Events
from core_model.fit import fit
from core_model.job import Job
from core_model.quick import Deck
from core_model.resume import Kept, State
from core_model.schedule import Schedule
from core_model.training import Training
from core_model.views import Fresh
from tests.core_model.job_folder import learn, write_job
from tests.core_model.test_training import Clock, Number, One


class CutOffError(Exception):
    """The power is gone."""


def _training(learner: Number, kept: Kept, *, resumed: State | None = None) -> tuple[Training, io.StringIO]:
    stream = io.StringIO()
    training = Training(learner, Schedule(100, None), Events(stream), ("thing",), kept, resumed, clock=Clock())
    return training, stream


def _cut(kept: Kept, call: int, **more: Any) -> Training:
    training, _ = _training(Number(trouble={call: CutOffError()}, **more), kept)
    with pytest.raises(CutOffError):
        training.run()
    return training


def _kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "training.safetensors", "a job")


def _state(kept: Kept) -> State:
    state, warning = kept.read(One())
    assert state is not None
    assert warning == ""
    return state


def test_goes_on_with_the_moments_and_the_rate_and_ends_like_one_that_was_not_cut(tmp_path: Path) -> None:
    whole = Number()
    _training(whole, Kept(tmp_path / "whole.safetensors", "a job"))[0].run()
    kept = _kept(tmp_path)
    cut = _cut(kept, call=41)  # right after the mark at step 40
    state, learner = _state(kept), Number()
    training, stream = _training(learner, kept, resumed=state)
    training._prepare()
    assert training.step == 40
    (before,), (after,) = cut.optimizer.state.values(), training.optimizer.state.values()
    assert set(before) == set(after) == {"step", "exp_avg", "exp_avg_sq"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    training.run()
    assert learner.calls == 60
    assert learner.module.value.item() == whole.module.value.item()
    assert json.loads(stream.getvalue().splitlines()[-1])["step"] == 100
    assert not kept.path.exists()


def test_the_seconds_before_the_cut_count(tmp_path: Path) -> None:
    kept = _kept(tmp_path)
    _cut(kept, call=41)
    training, _ = _training(Number(), kept, resumed=_state(kept))
    training._prepare()
    assert training._elapsed > _state(kept).facts["seconds"] > 0


def test_what_scored_best_before_the_cut_is_still_to_be_beaten(tmp_path: Path) -> None:
    kept = _kept(tmp_path)
    cut = _cut(kept, call=61, right=[9, 2])
    assert cut.best is not None
    learner = Number(right=[3])
    training, _ = _training(learner, kept, resumed=_state(kept))
    training.run()
    value, step, scores, partial = learner.saved[-1]
    assert (step, partial) == (cut.best[1], False)
    assert isinstance(cut.best[0], One)
    assert value == cut.best[0].value.item()
    assert scores is not None
    assert scores["miou"] == 0.9


def test_a_state_of_another_job_or_network_is_not_used(tmp_path: Path) -> None:
    kept = _kept(tmp_path)
    _cut(kept, call=41)
    assert kept.read(torch.nn.Linear(2, 1)) == (None, "training.safetensors is of another job: learning starts anew")
    other = Kept(kept.path, "another job")
    assert other.read(One()) == (None, "training.safetensors is of another job: learning starts anew")
    assert Kept(tmp_path / "none.safetensors", "a job").read(One()) == (None, "")


@pytest.mark.parametrize("harm", ["truncated", "empty", "flipped", "no header"])
def test_a_damaged_state_is_not_used(tmp_path: Path, harm: str) -> None:
    kept = _kept(tmp_path)
    _cut(kept, call=41)
    data = kept.path.read_bytes()
    flipped = data[:-1] + bytes([data[-1] ^ 1])
    kept.path.write_bytes({"truncated": data[:-5], "empty": b"", "flipped": flipped, "no header": b"{}" * 40}[harm])
    assert kept.read(One()) == (None, "training.safetensors is damaged: learning starts anew")


def test_a_full_disk_is_said_and_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _kept(tmp_path)
    _cut(kept, call=41)
    before = kept.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core_model.checkpoint.os.fsync", full)
    training, stream = _training(Number(trouble={31: CutOffError()}), kept, resumed=_state(kept))
    with pytest.raises(CutOffError):
        training.run()
    warnings = [e["text"] for e in map(json.loads, stream.getvalue().splitlines()) if e["event"] == "warning"]
    assert "No space left on device" in warnings[0]
    assert kept.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [kept.path.name]


def test_a_disk_that_fills_up_leaves_what_was_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, stream, calls = write_job(tmp_path / "job", held_out=0, steps=40), io.StringIO(), itertools.count()

    def full(_handle: int) -> None:
        if next(calls) >= 2:  # after a head and the state beside it
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("core_model.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):  # the end cannot be written either
        fit(Job.read(job), Events(stream))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    texts = [event["text"] for event in events if event["event"] == "warning"]
    assert texts[0].startswith("the weights so far could not be written: ")
    assert texts[1].startswith("the state of the learning could not be written: ")
    card = load_head(job / "out" / "head.safetensors").card
    assert card is not None
    assert (card.partial, card.notes["steps"]) == (True, 8)
    assert {path.name for path in (job / "out").iterdir()} == {"head.safetensors", "training.safetensors"}


@pytest.mark.parametrize(("recipe", "steps", "cut"), [("quick", 25, 12), ("full", 10, 5)])
def test_with_steps_it_ends_with_the_weights_of_one_that_was_not_cut(
    tmp_path: Path, recipe: str, steps: int, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, job = (write_job(tmp_path / name, 3, 0, recipe=recipe, steps=steps) for name in ("whole", "cut"))
    learn(whole)
    tell, told = Training._tell, itertools.count(1)

    def cut_off(training: Training, loss: float) -> None:
        if next(told) == cut:
            raise CutOffError
        tell(training, loss)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_tell", cut_off)
        with pytest.raises(CutOffError):
            learn(job)
    fraction = fraction_kept(job / "out" / "training.safetensors")
    assert fraction == 0.4
    assert learn(job)[0]["resumed_step"] == fraction * steps
    for name in ("head.safetensors", "backbone.safetensors")[: 1 + (recipe == "full")]:
        one, other = (load_file(folder / "out" / name) for folder in (whole, job))
        assert all(torch.equal(one[key], other[key]) for key in one)


def _blind(_rgb: object) -> Any:
    raise AssertionError


def test_a_deck_or_pictures_of_other_number_are_drawn_from_afresh() -> None:
    looks = [Fresh((17, 17), Sample(str(n), Path(), Path()), _blind, ()) for n in range(5)]
    deck = Deck(looks, 0)
    deck.deal(2)
    draws = json.loads(json.dumps(deck.draws()))
    dealt = [deck.deal(1) for _ in range(9)]
    other, fewer = Deck(looks, 1), Deck(looks[:4], 1)
    for one in (other, fewer):
        one.redraw(draws)
    assert [other.deal(1) for _ in range(9)] == dealt
    assert sorted(look.sample.name for _ in range(4) for look in fewer.deal(1)) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_what_is_no_state_says_no_fraction(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "training.safetensors"
    if content is not None:
        path.write_bytes(content)
    assert fraction_kept(path) is None


def test_out_of_memory_in_the_optimiser_leaves_no_half_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = torch.optim.AdamW.step, 0

    def step(self: torch.optim.AdamW) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:  # a state begun and not ended, and a weight that moved
            (value,) = self.param_groups[0]["params"]
            self.state[value]["step"] = torch.tensor(1.0)
            value.data += 5
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    learner = Number()
    training, _ = _training(learner, _kept(tmp_path))
    training.run()
    assert learner.batches[:2] == [4, 2]
    assert abs(learner.module.value.item()) < 0.2


def test_no_number_takes_the_optimiser_back_too(tmp_path: Path) -> None:
    training, _ = _training(Number(), _kept(tmp_path))
    training._prepare()
    for group in training.optimizer.param_groups:
        group["lr"] = 0.1
    assert training._step() is not None
    training.good = training._snapshot()
    good: dict[str, Tensor] = {k: v.clone() for k, v in next(iter(training.optimizer.state.values())).items()}
    assert training._step() is not None
    training._roll_back()
    (after,) = training.optimizer.state.values()
    assert all(torch.equal(good[name], after[name]) for name in good)
