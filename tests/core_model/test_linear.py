"""The linear recipe: a head in seconds, by the same protocol as the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core_model import VARIANTS, LinearHead, Predictor, load_backbone, load_head
from core_model.cells import Cells
from core_model.checkpoint import read
from core_model.job import JobError
from core_model.linear import LinearSettings, cells_of, learn
from tests.core_model.job_folder import Finished, backbone, run, scene, write_job
from tests.core_model.job_folder import learn as do


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A job done once by a child."""
    folder = write_job(tmp_path_factory.mktemp("linear") / "job", recipe="linear", steps=None)
    return folder, run(folder)


def predictor() -> Predictor:
    return Predictor(load_backbone(backbone()), "cpu", threads=1)


def test_events_are_those_of_every_recipe(learnt: tuple[Path, Finished]) -> None:
    _, child = learnt
    assert child.code == 0, child.stderr
    kinds = [event["event"] for event in child.events if event["event"] != "progress"]
    assert kinds == ["started", "published", "scores", "published", "done"]
    assert (child.events[0]["images"], child.events[0]["held_out"], child.events[0]["minutes"]) == (2, 1, None)
    phases = [event["phase"] for event in child.named("progress")]
    assert phases == sorted(phases, key=["features", "learn", "score"].index)
    losses = [event["loss"] for event in child.named("progress") if "loss" in event]
    assert losses[-1] < losses[0] / 2


def test_the_head_learns_and_the_scores_are_those_of_the_predictor(learnt: tuple[Path, Finished]) -> None:
    folder, child = learnt
    done = child.events[-1]
    head = load_head(done["path"])
    assert head.card is not None
    assert (head.card.head, head.card.recipe, head.card.partial) == ("linear", "linear", False)
    assert head.card.scores == done["scores"]
    rgb, truth = scene(2)
    eyes = predictor()
    labels = eyes.predict(eyes.features(rgb), head, (65, 65)).labels
    right = float((labels == truth)[truth != 255].mean())
    assert right == pytest.approx(done["scores"]["pixel_accuracy"], abs=1e-4)
    assert right > 0.9
    assert {path.name for path in folder.iterdir()} == {"job.json", "pictures", "truth", "train.txt", "val.txt", "out"}


def test_the_same_job_gives_the_same_weights(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    do(write_job(tmp_path / "job", recipe="linear", steps=None))
    one, two = (read(folder / "out" / "head.safetensors")[1] for folder in (learnt[0], tmp_path / "job"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_continues_by_class_name_and_a_new_class_starts_fresh(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    parent = learnt[0] / "out" / "head.safetensors"
    job = write_job(tmp_path / "job", recipe="linear", steps=1, head=str(parent), classes=["sky", "disc", "ground"])
    for path in (job / "truth").iterdir():
        truth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.where(truth == 255, 255, 2 - truth).astype(np.uint8))
    events = do(job)
    assert not [event for event in events if event["event"] == "warning"]
    assert load_head(job / "out" / "head.safetensors").card.parent == "head"
    first = next(event["loss"] for event in events if "loss" in event)
    assert first < 0.3  # not the 1.1 of a head that knows nothing
    assert events[-1]["scores"]["pixel_accuracy"] > 0.9


def test_a_head_of_another_kind_gives_nothing(learnt: tuple[Path, Finished], tmp_path: Path) -> None:
    parent = learnt[0] / "out" / "head.safetensors"
    events = do(write_job(tmp_path / "job", steps=1, held_out=0, head=str(parent)))
    assert "is of another network" in next(event["text"] for event in events if event["event"] == "warning")


def test_without_time_the_first_picture_is_learnt_and_it_says_so(tmp_path: Path) -> None:
    events = do(write_job(tmp_path / "job", train=3, held_out=0, recipe="linear", steps=None, minutes=1e-6))
    assert "time was enough to look at 1 of 3 pictures" in next(e["text"] for e in events if e["event"] == "warning")
    assert events[-1]["event"] == "done"
    assert events[-1]["scores"] is None


def test_values_that_are_no_numbers_end_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Cells:
        width = LinearHead(VARIANTS["xception_slim"], 2).weights[0].shape[1]
        return Cells(torch.full((4, width), torch.nan, dtype=torch.float16), torch.tensor([0, 1, 0, 1]))

    monkeypatch.setattr("core_model.linear.cells_of", broken)
    with pytest.raises(JobError, match="does not settle"):
        do(write_job(tmp_path / "job", recipe="linear"))
    assert not list((tmp_path / "job" / "out").iterdir())


def test_cells_are_bounded_and_a_head_learns_from_several_pictures() -> None:
    eyes, head = predictor(), LinearHead(VARIANTS["xception_slim"], 2)
    features, truth = eyes.features(scene(0)[0]), scene(0)[1]
    few, all_of_it = (cells_of(features, truth, head.reads, count, 0) for count in (40, 10_000))
    assert len(few) == 40
    assert len(all_of_it) == 17 * 17 - 17  # the first row of cells sees the border that nobody labelled
    assert few.values.dtype == torch.float16
    learn(head, few)
    before = eyes.predict(features, head.eval(), (65, 65)).labels
    assert float((before == truth)[truth != 255].mean()) > 0.9


def test_no_cell_is_no_lesson() -> None:
    head = LinearHead(VARIANTS["xception_slim"], 2)
    width = head.weights[0].shape[1]
    with pytest.raises(ValueError, match="no cell"):
        learn(head, Cells(torch.zeros(0, width), torch.zeros(0, dtype=torch.int64)))


def test_one_class_alone_is_learnt() -> None:
    head = LinearHead(VARIANTS["xception_slim"], 2)
    width = head.weights[0].shape[1]
    learn(head, Cells(torch.ones(5, width), torch.ones(5, dtype=torch.int64)), replace(LinearSettings(), iterations=5))
    weight, bias = head.weights
    assert bool(torch.isfinite(weight).all())
    assert float(bias[1] + weight[1].sum()) > float(bias[0] + weight[0].sum())
