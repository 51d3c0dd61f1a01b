"""Editing and reviewing: what is on disk follows what the person says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Label, Nothing
from app.domain.mask import EMPTY, HUMAN
from app.services import load, open_project, review, review_all, run, skip, unreview, unskip
from app.services.reviewing import unpainted_label
from app.storage.catalogue import UnknownImage
from app.storage.project import Project
from tests.services.datasets import new_project


def paint(document: Document, rect: Rect, label: int | None = 1) -> None:
    document.begin("Brush")
    document.paint(rect, np.ones((rect.height, rect.width), bool), Nothing() if label is None else Label(label))
    document.commit()


def status(project: Project, image_id: str = "p00") -> str:
    return project.catalogue.image(image_id).status


def test_the_status_follows_the_pixels(project: Project) -> None:
    document = load(project, "p00")
    assert status(project) == "untouched"
    paint(document, Rect(2, 2, 4, 4))
    assert status(project) == "corrected"
    paint(document, Rect(2, 2, 4, 4), None)
    assert status(project) == "untouched"
    document.undo()
    assert status(project) == "corrected"
    document.undo()
    document.undo()
    assert status(project) == "untouched"


def test_every_stroke_is_in_the_journal_at_once_and_undo_survives(tmp_path: Path) -> None:
    project = new_project(tmp_path / "P", 1)
    document = load(project, "p00")
    paint(document, Rect(2, 2, 4, 4))
    assert project.journal.last_sequence("p00") == 1
    paint(document, Rect(9, 9, 4, 4), 2)
    expected = document.mask.labels.copy()
    project.close()
    project = open_project(tmp_path / "P")
    document = load(project, "p00")
    assert np.array_equal(document.mask.labels, expected)
    document.undo()
    document.undo()
    assert (document.mask.provenance == EMPTY).all()
    document.redo()
    assert (document.mask.labels == 1).sum() == 16
    project.close()


def test_review_makes_empty_background_and_takes_it_back(project: Project) -> None:
    assert unpainted_label(project.settings) == 0
    document = load(project, "p00")
    paint(document, Rect(2, 2, 4, 4))
    review(project, document)
    project.saver.flush()
    assert status(project) == "reviewed"
    assert (document.mask.labels == 0).sum() == document.mask.labels.size - 16
    assert (document.mask.provenance == HUMAN).all()
    assert project.lists.read("trainval") == ["p00"]
    assert load(project, "p00").reviewed
    unreview(document)
    project.saver.flush()
    assert status(project) == "corrected"
    assert (document.mask.provenance == EMPTY).sum() == document.mask.labels.size - 16
    assert project.lists.read("trainval") == []


def test_unpainted_can_be_void(project: Project) -> None:
    project.save_settings(replace(project.settings, unpainted="void"))
    document = load(project, "p00")
    review(project, document)
    assert (document.mask.labels == VOID).all()
    assert (document.mask.provenance == HUMAN).all()


def test_a_skipped_image_stays_skipped_until_it_is_taken_up(project: Project) -> None:
    document = load(project, "p00")
    skip(project, document)
    assert status(project) == "skipped"
    paint(document, Rect(2, 2, 4, 4))
    assert status(project) == "skipped"
    unskip(project, document)
    assert status(project) == "corrected"
    skip(project, document)
    review(project, document)
    assert status(project) == "reviewed"
    unskip(project, document)
    assert status(project) == "reviewed"
    skip(project, document)
    assert (status(project), document.reviewed) == ("skipped", False)


def test_review_all_takes_what_has_a_mask(project: Project) -> None:
    paint(load(project, "p00"), Rect(2, 2, 4, 4))
    skipped = load(project, "p01")
    paint(skipped, Rect(2, 2, 4, 4))
    skip(project, skipped)
    result = run(review_all(project))
    assert (result.done, result.untouched) == (["p00"], ["p01", "p02"])
    result = run(review_all(project, ["p00", "p02"]))
    assert (result.done, result.as_before) == (["p02"], ["p00"])
    with pytest.raises(UnknownImage):
        run(review_all(project, ["p01", "nonsense"]))
    assert status(project, "p01") == "skipped"


def test_an_image_that_cannot_be_opened_is_named_and_the_others_go_on(project: Project) -> None:
    project.picture_path("p01").write_bytes(b"")
    result = run(review_all(project, ["p00", "p01", "p02"]))
    assert result.done == ["p00", "p02"]
    assert "empty" in result.refused["p01"]
