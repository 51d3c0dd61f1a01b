"""What the window does when the disk refuses: it says so, keeps the work, and tries again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.storage.errors import CatalogueError
from app.storage.journal import Journal
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def block(project: Path) -> Path:
    """Puts a file where the folder of masks has to be."""
    masks = project / "SegmentationClass"
    if masks.is_dir():
        masks.rmdir()
    masks.write_text("in the way")
    return masks


def test_a_save_that_fails_is_red_and_tried_again(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    masks = block(project)
    window.stroke((20, 30), (60, 30))
    status = window.place.window.status
    window.until(lambda: status.saved.text().startswith("Not saved"))
    assert "#ef7f70" in status.saved.styleSheet()
    masks.unlink()
    window.saved()
    assert np.asarray(Image.open(masks / "a.png"))[30, 40] == 0


def test_the_window_stays_open_when_the_person_wants_to_make_room(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    masks = block(project)
    window.stroke((20, 30), (60, 30))
    window.answers.leave.append(False)
    window.close()
    assert window.place.window.isVisible()
    assert window.answers.reasons
    window.stroke((20, 60), (60, 60))
    masks.unlink()
    window.saved()
    assert (np.asarray(Image.open(masks / "a.png"))[[30, 60], 40] == 0).all()


def test_quitting_all_the_same_loses_nothing(hand: Start, project: Path) -> None:
    first = hand()
    first.open(project)
    masks = block(project)
    first.stroke((20, 30), (60, 30))
    first.answers.leave.append(True)
    first.close()
    assert not first.place.window.isVisible()
    masks.unlink()
    second = hand()
    second.open(project)
    assert second.document.mask.labels[30, 40] == 0
    second.saved()


def test_a_journal_that_refuses_is_said_and_the_stroke_stays(
    hand: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = hand()
    window.open(project)
    append = Journal._write_kept

    def full(self: Journal) -> None:
        raise CatalogueError("the disk is full; the work is kept in memory")

    monkeypatch.setattr(Journal, "_write_kept", full)
    window.stroke((20, 30), (60, 30))
    assert window.document.mask.labels[30, 40] == 0
    assert "the disk is full; the work is kept in memory" in window.messages
    window.until(lambda: window.place.window.status.saved.text().startswith("Not saved"))
    monkeypatch.setattr(Journal, "_write_kept", append)
    window.saved()
    window.close()
    assert np.asarray(Image.open(project / "SegmentationClass" / "a.png"))[30, 40] == 0
