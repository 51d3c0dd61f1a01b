"""What would be learnt from: reviewed images whole, of the others what a person painted; and which classes are rare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.geometry import Rect
from app.domain.ink import Label
from app.services import load, open_project, run
from app.services.material import RARE_PIXELS, Counts, count
from app.services.runs import TrainRequest, prepare
from app.storage.mask_files import MaskFiles
from app.storage.project import Project
from tests.services.datasets import write_voc


def paint(project: Project, image_id: str, rect: Rect, label: int) -> None:
    document = load(project, image_id)
    document.begin("Brush")
    document.paint(rect, np.ones((rect.height, rect.width), bool), Label(label))
    document.commit()
    project.saver.flush()


def test_it_is_what_the_job_of_a_learning_holds(dataset: Project) -> None:
    paint(dataset, "p03", Rect(4, 5, 6, 7), 2)
    found = run(count(dataset, Counts()))
    assert (found.reviewed, found.corrected, found.human_pixels, found.held_out) == (3, 1, 42, 0)
    truths = np.stack([dataset.read_mask(image_id)[0].labels for image_id in ("p00", "p01", "p02")])
    expected = {name: int((truths == index).sum()) for index, name in enumerate(("background", "box", "disc"))}
    expected["disc"] += 42
    assert {one.name: one.pixels for one in found.classes} == expected
    assert {one.name: one.pictures for one in found.classes} == {"background": 3, "box": 3, "disc": 4}
    learnt = run(prepare(dataset, TrainRequest())).learnt
    assert len(learnt) == found.reviewed + found.corrected


def test_held_out_images_are_not_learnt_from(tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", 4, 4, {"train": [0, 1], "val": [2, 3]}))
    found = run(count(project, Counts()))
    assert (found.reviewed, found.held_out) == (2, 2)
    assert sum(one.pixels for one in found.classes) == 2 * 64 * 48
    project.close()


def test_only_what_has_changed_is_read_again(dataset: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = MaskFiles.read

    def noting(self: MaskFiles, image_id: str, *rest: object) -> object:
        read.append(image_id)
        return original(self, image_id, *rest)  # type: ignore[arg-type]

    counts = Counts()
    first = run(count(dataset, counts))
    paint(dataset, "p03", Rect(0, 0, 9, 9), 1)
    monkeypatch.setattr(MaskFiles, "read", noting)
    second = run(count(dataset, counts))
    assert read == ["p03"]
    assert second.human_pixels == 81
    load(dataset, "p00").set_reviewed(False)
    dataset.saver.flush()
    assert run(count(dataset, counts)).reviewed == first.reviewed - 1


def test_closing_keeps_what_was_counted(dataset: Project) -> None:
    counts = Counts()
    job = count(dataset, counts)
    next(job)
    next(job)
    job.close()
    assert list(counts.images) == ["p00"]


def test_a_mask_that_cannot_be_read_counts_as_empty(dataset: Project) -> None:
    dataset.mask_path("p01").write_bytes(b"rubbish")
    assert sum(one.pixels for one in run(count(dataset, Counts())).classes) == 2 * 64 * 48
    dataset.mask_path("p02").unlink()
    assert run(count(dataset, Counts())).reviewed == 3


def test_rare_is_what_the_network_would_hardly_see(tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", 6, 0, {"train": []}))
    assert run(count(project, Counts())).rare == ()  # nothing to learn from: the panel says so
    enough = Rect(0, 0, 32, RARE_PIXELS // 32)
    paint(project, "p00", enough, 1)
    rare = {one.name: one.rare for one in run(count(project, Counts())).rare}
    assert rare == {"background": "nothing yet", "disc": "nothing yet"}
    paint(project, "p00", Rect(40, 40, 3, 3), 2)
    for number in range(1, 5):
        paint(project, f"p{number:02}", enough, 0)
    rare = {one.name: one.rare for one in run(count(project, Counts())).rare}
    assert rare == {"box": "one picture", "disc": "9 pixels"}
    project.save_settings(replace(project.settings, working_size=32))  # a quarter of the pixels is left
    counted = run(count(project, Counts()))
    assert {one.name: one.rare for one in counted.rare} == {"box": f"{RARE_PIXELS // 4:,} pixels", "disc": "2 pixels"}
    assert counted.classes[1].pixels == RARE_PIXELS
    project.close()
