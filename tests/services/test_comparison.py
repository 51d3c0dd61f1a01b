"""Two versions side by side: what can be said of their scores, and examples on held-out pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.services import Models, Network, Progress, Refusal, TrainResult, open_project, run
from app.services.comparison import (
    MEASURED_ON,
    SIDE,
    Comparison,
    compare,
    examples,
    fingerprint,
    of_learning,
    of_versions,
)
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import write_voc

SCORES = {"miou": 0.5, "pixel_accuracy": 0.75, "classes": {"box": 0.5}}


@pytest.fixture
def split(tmp_path: Path) -> Iterator[Project]:
    """Eight pictures: three learnt from, five held out, all reviewed."""
    made = open_project(write_voc(tmp_path / "V", 8, 8, {"train": [0, 1, 2], "val": [3, 4, 5, 6, 7]}))
    yield made
    made.close()


def result(**changed: object) -> TrainResult:
    values = {
        "version": "quick-2", "recipe": "quick", "used": True, "reason": "better", "scores": SCORES,
        "previous": "start-1", "previous_scores": SCORES, "images": 3, "held_out": 5, "steps": 7, "seconds": 1.0,
    }  # fmt: skip
    return TrainResult(**{**values, **changed})  # type: ignore[arg-type]


def test_a_learning_says_on_what_it_was_measured_or_that_it_was_not() -> None:
    found = of_learning(result())
    assert found.before is not None
    assert (found.before.version, found.after.version, found.in_use) == ("start-1", "quick-2", "quick-2")
    assert found.note == "Measured on 5 held-out images that no learning has seen."
    assert of_learning(result(used=False)).in_use == "start-1"
    assert "start-1 could not be measured" in of_learning(result(previous_scores=None)).note
    first = of_learning(result(previous=None, previous_scores=None, scores=None, held_out=0))
    assert first.before is None
    assert first.note.startswith("Not measured: below ten reviewed images none is held out")


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        ((None, 0, None), (None, 0, None), "Neither was measured"),
        ((SCORES, 5, "a"), (None, 0, None), "model-2 was not measured"),
        ((SCORES, 5, "a"), (SCORES, 5, "a"), "measured on the same 5 held-out images"),
        ((SCORES, 5, "a"), (SCORES, 5, "b"), "different images (5 and 5 held out): the numbers do not compare"),
        ((SCORES, 5, "a"), (SCORES, 7, None), "different images (5 and 7 held out)"),
        ((SCORES, 5, None), (SCORES, 5, "a"), "not known whether they were measured on the same images"),
    ],
)
def test_versions_that_were_measured_on_different_images_are_told_apart(
    project: Project, files: Files, one: tuple, other: tuple, note: str
) -> None:
    models = [
        Models(project).adopt(
            files.make_head(
                f"of{number}", scores=scores, learnt_from={"held_out": count},
                notes={} if mark is None else {MEASURED_ON: mark},
            )
        )
        for number, (scores, count, mark) in enumerate((one, other))
    ]  # fmt: skip
    assert note in of_versions(*models).note


def test_the_same_images_are_known_again_in_any_order() -> None:
    assert fingerprint(["a", "b"]) == fingerprint(["b", "a"]) != fingerprint(["a"])


def test_examples_are_held_out_pictures_with_the_truth_and_what_each_version_says(split: Project, files: Files) -> None:
    models = Models(split)
    for name, seed in (("nothing", 0), ("boxes", 1)):
        models.adopt(files.make_head(name, seed=seed), files.backbone)
    stranger = models.adopt(files.make_head("stranger", classes=("cat", "dog")))
    shown = run(examples(split, Network("cpu"), ["model-1", "model-2", stranger.version]))
    assert [one.image_id for one in shown] == ["p03", "p05", "p07"]
    for one in shown:
        assert one.picture.shape == (*one.truth.shape, 3) == (round(SIDE * 48 / 64), SIDE, 3)
        assert one.picture.dtype == np.uint8
        assert np.unique(one.truth).tolist() == [0, 1, 2]
        assert [None if labels is None else np.unique(labels).tolist() for labels in one.said] == [[0], [1], None]
    assert [one.image_id for one in run(examples(split, Network("cpu"), ["model-2"], most=1))] == ["p05"]
    assert run(examples(split, Network("cpu"), ["model-1", "gone"])) == ()


def test_a_picture_that_cannot_be_read_is_passed_over(split: Project, files: Files) -> None:
    Models(split).adopt(files.make_head(), files.backbone)
    split.picture_path("p05").write_bytes(b"rubbish")
    assert [one.image_id for one in run(examples(split, Network("cpu"), ["model-1"]))] == ["p03", "p07"]


def test_the_older_one_stands_first_whichever_was_asked_for(split: Project, files: Files) -> None:
    models = Models(split)
    models.use(models.adopt(files.make_head("a"), files.backbone).version)
    models.adopt(files.make_head("b", seed=1))
    seen: list[Progress] = []
    shown = run(compare(split, Network("cpu"), "model-2", "model-1"), seen.append)
    (found,) = [progress.value for progress in seen if isinstance(progress.value, Comparison)]
    assert found.before is not None
    assert (found.before.version, found.after.version, found.in_use) == ("model-1", "model-2", "model-1")
    assert [np.unique(labels).tolist() for labels in shown[0].said if labels is not None] == [[0], [1]]
    with pytest.raises(Refusal, match="no model version 'gone'"):
        run(compare(split, Network("cpu"), "model-1", "gone"))


def test_nothing_is_shown_where_nothing_is_held_out(dataset: Project, files: Files) -> None:
    Models(dataset).adopt(files.make_head(), files.backbone)
    assert run(examples(dataset, Network("cpu"), ["model-1"])) == ()
