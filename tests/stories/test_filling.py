"""A person paints a few strokes of each class into a real picture, and the program fills in the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt

from app import resources
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.services import create_project
from tests.stories.test_first_loop import paint
from tests.ui.window import Hand

WAIT = 120_000  # ms, on a machine that is busy with other things
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
BACKBONE = resources.path("models", "xception_imagenet.safetensors")

pytestmark = [
    pytest.mark.window,
    pytest.mark.slow,
    pytest.mark.skipif(not BACKBONE.is_file(), reason="the backbone is not here: git clone brings it"),
]
Truth = NDArray[np.uint8]


@pytest.fixture
def street(camvid: Path, tmp_path: Path) -> tuple[Path, Truth]:
    """A project over two pictures of CamVid without masks, and the truth of the first."""
    ids = sorted((camvid / "ImageSets" / "Segmentation" / "val.txt").read_text().split())[:2]
    (tmp_path / "pictures").mkdir()
    for image_id in ids:
        shutil.copyfile(camvid / "JPEGImages" / f"{image_id}.jpg", tmp_path / "pictures" / f"{image_id}.jpg")
    names = (camvid / "class_names.txt").read_text().split()
    create_project(tmp_path / "project", tmp_path / "pictures", names).close()
    return tmp_path / "project", np.asarray(Image.open(camvid / "SegmentationClass" / f"{ids[0]}.png"))


def common(truth: Truth, share: float) -> list[int]:
    """Classes that take so much of the picture, the most common one first."""
    counts = np.bincount(truth[truth != 255])
    return [int(label) for label in np.argsort(-counts) if counts[label] > share * truth.size]


def accuracy(labels: Truth, truth: Truth) -> float:
    scored = truth != 255
    return float((labels[scored] == truth[scored]).mean())


def test_the_rest_is_filled_from_a_few_strokes(hand: Callable[..., Hand], street: tuple[Path, Truth]) -> None:
    project, truth = street
    window = hand()
    window.open(project)
    for label in common(truth, 0.005):
        paint(window, truth, label, 2, rows=2)
    mask = window.document.mask
    human, before, strokes = mask.provenance == HUMAN, mask.labels.copy(), len(window.document.history.done)
    assert human.mean() < 0.1

    with window.qtbot.waitSignal(window.program.desk.filling.filled, timeout=WAIT):
        window.key(Qt.Key.Key_P, SHIFT)
    assert np.array_equal(mask.provenance, np.where(human, HUMAN, MODEL))
    assert np.array_equal(mask.labels[human], before[human])
    most = float((truth[truth != 255] == common(truth, 0)[0]).mean())
    assert accuracy(mask.labels, truth) > max(0.65, most + 0.2)
    assert len(window.document.history.done) == strokes + 1

    window.key(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(mask.labels, before)
    window.key(Qt.Key.Key_Y, CTRL)
    window.saved()
    written = np.asarray(Image.open(project / "SegmentationClass" / f"{window.document.image_id}.png"))
    assert np.array_equal(written, mask.labels)


def test_live_every_stroke_makes_it_better_and_undo_takes_both_back(
    hand: Callable[..., Hand], street: tuple[Path, Truth]
) -> None:
    project, truth = street
    window = hand(reads_ahead=True)
    window.open(project)
    mask, seen = window.document.mask, []
    first, *others = common(truth, 0.02)
    paint(window, truth, first, 2, rows=1)
    window.key(Qt.Key.Key_P, CTRL)
    for label in others:
        with window.qtbot.waitSignal(window.program.desk.filling.filled, timeout=WAIT):
            paint(window, truth, label, 2, rows=1)
        seen.append(accuracy(mask.labels, truth))
        assert (mask.provenance != EMPTY).all()
    assert seen[-1] > max(seen[0], 0.6)
    assert window.document.history.undoable == ("Brush",) * (1 + len(others))

    for earlier in reversed(seen[:-1]):
        window.key(Qt.Key.Key_Z, CTRL)
        assert accuracy(mask.labels, truth) == earlier
    window.key(Qt.Key.Key_Z, CTRL)
    assert not (mask.provenance == MODEL).any()
    assert (mask.provenance == HUMAN).any()
