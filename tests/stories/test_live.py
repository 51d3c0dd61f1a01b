"""A person reviews two pictures, and the next one opens pre-annotated by what they taught, in a real window."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.domain.classes import VOID
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.services import create_project
from app.services.models import Models
from tests.ui.window import Hand

pytestmark = [pytest.mark.window, pytest.mark.slow]
Start = Callable[..., Hand]
LONG = 90_000  # ms: a child starts, and learns, on a machine that does other things too


def draw(window: Hand, truth: NDArray[np.uint8]) -> None:
    """Makes the mask on screen right, as if by hand."""
    provenance = np.where(truth == VOID, np.uint8(EMPTY), np.uint8(HUMAN))
    window.document.replace(truth, provenance, "Import")


def test_the_next_picture_opens_with_what_was_just_learnt(hand: Start, camvid: Path, tmp_path: Path) -> None:
    ids = (camvid / "ImageSets" / "Segmentation" / "train.txt").read_text().split()[:40:10]
    (tmp_path / "pictures").mkdir()
    for image_id in ids:
        found = next((camvid / "JPEGImages").glob(f"{image_id}.*"))
        shutil.copyfile(found, tmp_path / "pictures" / found.name)
    classes = (camvid / "class_names.txt").read_text().split()
    create_project(tmp_path / "P", tmp_path / "pictures", classes).close()
    truths = [np.asarray(Image.open(camvid / "SegmentationClass" / f"{image_id}.png")) for image_id in ids]

    window = hand(reads_ahead=True, live=True)
    window.open(tmp_path / "P")
    panel, model = window.place.learning, window.place.images.model
    window.until(lambda: "review a picture" in panel.live.text(), LONG)
    draw(window, truths[0])
    assert window.go(Qt.Key.Key_Return) == ids[1]
    window.until(lambda: bool((window.document.mask.provenance == MODEL).all()), LONG)
    assert not window.document.history.done  # no step of the person's
    before = float((window.document.mask.labels == truths[1])[truths[1] != VOID].mean())
    assert before > 0.4
    draw(window, truths[1])
    assert window.go(Qt.Key.Key_Return) == ids[2]
    window.until(lambda: panel.live.text().startswith("Live: 2 pictures learnt"), LONG)
    # What is ready is used: at first perhaps the head of one picture, then the better one takes its place.
    window.until(lambda: bool((window.document.mask.labels == truths[2])[truths[2] != VOID].mean() > 0.5), LONG)
    assert (window.document.mask.provenance == MODEL).all()
    desk = window.program.desk
    assert desk is not None
    used = Models(desk.project).in_use()
    assert used is not None
    assert (used.version, used.card["learnt_from"]["images"]) == ("live", 2)

    window.key(Qt.Key.Key_1)
    window.stroke((50, 50), (80, 60))  # from here on the picture is the person's
    mask = window.document.mask.labels.copy()
    window.go(Qt.Key.Key_A)
    window.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert model.record(ids[1]).status != "reviewed"
    assert window.go(Qt.Key.Key_D) == ids[2]
    window.until(lambda: panel.live.text().startswith("Live: 3 pictures learnt"), LONG)
    assert (window.document.mask.labels == mask).all()

    window.place.actions["keep_live"].trigger()
    window.until(lambda: any(version.version == "live-1" for version in Models(desk.project).versions()))
    QTest.mouseClick(panel.live_switch, Qt.MouseButton.LeftButton)
    assert panel.live.text() == "Live learning is off."
    window.until(lambda: not window.place.live.has(desk.live._key))
