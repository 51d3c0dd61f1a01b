"""The learning child as its parent sees it: events, weights on disk, and one line when it cannot be done."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core_model import Predictor, WeightsError, file_sha256, load_backbone, load_head, read_card
from core_model.checkpoint import read, save
from core_model.engines import ENGINES, EngineError
from core_model.engines.openvino_engine import OpenVinoEngine
from core_model.fit import main
from core_model.inherit import starting_head
from core_model.job import Job, JobError
from core_model.schedule import Schedule, default_minutes
from tests.core_model.job_folder import Finished, backbone, learn, run, scene, start, write_job


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A job done once, that several tests look at."""
    folder = write_job(tmp_path_factory.mktemp("learnt") / "job", steps=40)
    return folder, run(folder)


@pytest.mark.skipif(bool(OpenVinoEngine.lacks()), reason="openvino is not installed")
def test_what_an_engine_prepares_is_kept_where_the_job_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(write_job(tmp_path / "first", recipe="linear", engine_cache="../engines"))
    kept = sorted(path.name for path in (tmp_path / "engines").iterdir())
    assert kept
    monkeypatch.setattr("core_model.engines.openvino_engine.converted", None)  # is not called any more
    learn(write_job(tmp_path / "second", recipe="linear", engine_cache=str(tmp_path / "engines")))
    assert sorted(path.name for path in (tmp_path / "engines").iterdir()) == kept


def test_what_the_eyes_do_otherwise_than_asked_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(ENGINES["torch"]):  # type: ignore[misc]
        name = "broken"

        def __init__(self, *arguments: object, **more: object) -> None:
            raise EngineError("broken has no wheels")

    monkeypatch.setattr("core_model.engines.ENGINES", {"broken": Broken, "torch": ENGINES["torch"]})
    events = learn(write_job(tmp_path / "job", recipe="linear"))
    texts = [event["text"] for event in events if event["event"] == "warning"]
    assert "broken has no wheels; going on with torch" in texts
    assert events[-1]["event"] == "done"


def test_events_in_order(learnt: tuple[Path, Finished]) -> None:
    _, child = learnt
    assert child.code == 0, child.stderr
    kinds = [event["event"] for event in child.events]
    assert kinds[0] == "started"
    assert kinds[-1] == "done"
    assert {"scores", "published"} < set(kinds)
    assert child.events[0] | {"parameters": 0} == {
        "event": "started",
        "device": "cpu",
        "images": 2,
        "held_out": 1,
        "steps": 40,
        "minutes": None,
        "parameters": 0,
    }
    phases = [event["phase"] for event in child.named("progress")]
    assert phases.index("features") < phases.index("learn") < phases.index("score")
    fractions = [event["fraction"] for event in child.named("progress") if event["phase"] == "learn"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_the_head_learns_and_its_card_says_from_what(learnt: tuple[Path, Finished]) -> None:
    folder, child = learnt
    done = child.events[-1]
    card = read_card(done["path"])
    assert Path(done["path"]) == folder / "out" / "head.safetensors"
    assert (card.classes, card.recipe, card.parent, card.partial) == (("ground", "disc"), "quick", None, False)
    assert (card.variant, card.working_size, card.output_stride) == ("xception_slim", 1024, 16)
    assert card.backbone == file_sha256(backbone())
    truths = np.stack([scene(n)[1] for n in range(2)])
    assert card.learnt_from["classes"] == {"ground": int((truths == 0).sum()), "disc": int((truths == 1).sum())}
    assert (card.learnt_from["images"], card.learnt_from["held_out"]) == (2, 1)
    assert card.scores == done["scores"]
    assert card.scores is not None
    best = max(child.named("scores"), key=lambda event: event["miou"])
    assert card.scores["miou"] == best["miou"] > 0.7


def test_scores_are_those_of_the_predictor(learnt: tuple[Path, Finished]) -> None:
    folder, child = learnt
    rgb, truth = scene(2)
    predictor = Predictor(load_backbone(backbone()), "cpu", threads=1)
    head = load_head(folder / "out" / "head.safetensors")
    labels = predictor.predict(predictor.features(rgb), head, (65, 65)).labels
    known = truth != 255
    right = float((labels[known] == truth[known]).mean())
    assert right == pytest.approx(child.events[-1]["scores"]["pixel_accuracy"], abs=1e-3)


def test_nothing_but_the_job_and_its_result_is_left(learnt: tuple[Path, Finished]) -> None:
    folder, _ = learnt
    assert {path.name for path in folder.iterdir()} == {"job.json", "pictures", "truth", "train.txt", "val.txt", "out"}
    assert [path.name for path in (folder / "out").iterdir()] == ["head.safetensors"]


@pytest.mark.slow
def test_the_same_job_gives_the_same_weights(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    folder, _ = learnt
    again = write_job(tmp_path / "job", steps=40)
    learn(again)
    one, two = (read(f / "out" / "head.safetensors")[1] for f in (folder, again))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_continues_by_class_name(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    parent = learnt[0] / "out" / "head.safetensors"
    job = write_job(tmp_path / "job", steps=1, head=str(parent), classes=["disc", "ground", "sky"])
    for path in (job / "truth").iterdir():  # the classes have changed places
        truth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.where(truth == 255, 255, 1 - truth).astype(np.uint8))
    events = learn(job)
    assert not [event for event in events if event["event"] == "warning"]
    assert read_card(job / "out" / "head.safetensors").parent == "head"
    # a first step is a small one: what was known before is still known, with the classes in their new places
    assert events[-1]["scores"]["miou"] > 0.7


def test_continues_a_class_under_the_name_that_it_has_by_now(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    parent, names = learnt[0] / "out" / "head.safetensors", ["ground", "ball"]
    write_job(tmp_path / "job", head=str(parent), classes=names, head_classes=names)
    start = starting_head(Job.read(tmp_path / "job"), file_sha256(backbone()))
    rows, known = start.head.classifier.weight, load_head(parent).classifier.weight
    assert torch.equal(rows, known)
    write_job(tmp_path / "other", head=str(parent), classes=names, head_classes=["ground"])
    with pytest.raises(JobError, match=r"head_classes names 1 classes, head\.safetensors has 2"):
        starting_head(Job.read(tmp_path / "other"), file_sha256(backbone()))


@pytest.mark.parametrize(("asked", "spent", "left"), [(1.0, 24, 36), (1.0, 50, 15), (None, 30, None)])
def test_looking_at_the_pictures_is_part_of_the_minutes_that_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: float | None, spent: float, left: float | None
) -> None:
    schedules: list[float | None] = []

    class Noted:
        def __init__(self, _quick: object, schedule: Schedule, *_: object) -> None:
            schedules.append(schedule.seconds)

        def run(self) -> None:
            """Learns nothing."""

    monkeypatch.setattr("core_model.fit.Training", Noted)
    monkeypatch.setattr("core_model.fit.monotonic", iter([100.0, 100.0 + spent]).__next__)
    learn(write_job(tmp_path / "job", train=1, held_out=0, steps=None, minutes=asked))
    assert schedules == [60 * default_minutes("quick", 1, cuda=False) if left is None else left]


def test_a_head_of_another_backbone_gives_nothing(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    card, tensors = read(learnt[0] / "out" / "head.safetensors")
    save(tmp_path / "other.safetensors", tensors, replace(card, backbone="0" * 64))
    job = write_job(tmp_path / "job", steps=1, held_out=0, head=str(tmp_path / "other.safetensors"))
    events = learn(job)
    warning = next(event for event in events if event["event"] == "warning")
    assert "other.safetensors is of another network" in warning["text"]
    assert read_card(job / "out" / "head.safetensors").parent is None


def test_one_picture_without_held_out_for_a_time(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=1, held_out=0, steps=None, minutes=0.02)
    events = learn(job)
    assert events[-1]["event"] == "done"
    assert events[-1]["scores"] is None
    assert events[-1]["seconds"] >= 1.2 / 4  # the rest went into looking at the pictures
    assert not [event for event in events if event["event"] == "scores"]
    card = read_card(job / "out" / "head.safetensors")
    assert (card.scores, card.partial) == (None, False)


@pytest.mark.slow
def test_a_kill_leaves_a_partial_head(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", steps=300)
    child = start(job)
    assert child.stdout is not None
    for line in child.stdout:
        if json.loads(line)["event"] == "published":
            break
    child.terminate()
    child.communicate()
    if sys.platform != "win32":
        assert child.returncode == -signal.SIGTERM
    head = load_head(job / "out" / "head.safetensors")
    assert head.card is not None
    assert head.card.partial


def test_a_parent_that_went_away_ends_it_quietly(tmp_path: Path) -> None:
    child = start(write_job(tmp_path / "job", steps=100000))
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    assert child.wait() != 0
    assert child.stderr.read() == ""
    child.stderr.close()


def test_full_learns_the_backbone_too(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", recipe="full", steps=2)
    learn(job)
    head, learnt = load_head(job / "out" / "head.safetensors"), load_backbone(job / "out" / "backbone.safetensors")
    assert head.card is not None
    assert head.card.backbone == learnt.sha256 != file_sha256(backbone())
    now, before = learnt.state_dict(), load_backbone(backbone()).state_dict()
    assert not torch.equal(now["stem.0.conv.weight"], before["stem.0.conv.weight"])
    assert torch.equal(now["stem.0.norm.running_mean"], before["stem.0.norm.running_mean"])  # frozen: a small batch


def test_what_cannot_be_done_is_one_line(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", held_out=0)
    for path in (job / "truth").iterdir():
        cv2.imwrite(str(path), np.full((65, 65), 255, np.uint8))
    child = run(job)
    assert child.code == 1
    assert child.stderr == ""
    assert child.events == ({"event": "failed", "text": "no labelled pixel in any picture to learn from"},)
    assert not (job / "out").exists()


def test_a_damaged_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="is damaged or no safetensors"):
        learn(write_job(tmp_path / "job", head=str(tmp_path / "bad.safetensors")))


def test_a_backbone_of_another_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="is xception_slim, and the job asks for xception"):
        learn(write_job(tmp_path / "job", variant="xception"))


def test_usage() -> None:
    assert main([]) == 2
