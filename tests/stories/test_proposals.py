"""A person lets the program propose: fill, wand, cut out, superpixels and regions, in a real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.stories.test_brushes import on_disk
from tests.ui.window import Hand, scene

pytestmark = pytest.mark.window

CTRL = Qt.KeyboardModifier.ControlModifier
TRUTH = scene(0)[1]
BOX = TRUTH == 2
ROWS, COLUMNS = BOX.any(axis=1).nonzero()[0], BOX.any(axis=0).nonzero()[0]
LEFT, RIGHT, TOP, BOTTOM = int(COLUMNS[0]), int(COLUMNS[-1]), int(ROWS[0]), int(ROWS[-1])
MIDDLE = ((LEFT + RIGHT) // 2, (TOP + BOTTOM) // 2)


@pytest.fixture
def window(hand: Callable[..., Hand], project: Path) -> Hand:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_3)
    return window


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def done(window: Hand, steps: int) -> None:
    window.until(lambda: len(window.document.history.done) == steps)


def test_cut_out_a_thing_in_a_box(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_C)
    window.drag((LEFT - 12, TOP - 10), MIDDLE, (RIGHT + 12, BOTTOM + 10))
    hand = window.place.canvas.hand
    window.until(lambda: hand._shown.preview is not None)
    assert not window.document.history.done  # shown, not painted
    window.key(Qt.Key.Key_Return)
    assert iou(on_disk(window, project) == 2, BOX) > 0.93
    window.key(Qt.Key.Key_Z, CTRL)
    window.drag((LEFT - 12, TOP - 10), MIDDLE, (RIGHT + 12, BOTTOM + 10))
    window.until(lambda: hand._shown.preview is not None)
    window.key(Qt.Key.Key_Escape)
    assert not hand.busy
    assert (on_disk(window, project) == 255).all()


def test_wand_and_fill_follow_the_picture(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_M)
    window.place.painting.change(tolerance=10)
    window.drag(MIDDLE, (MIDDLE[0] + 20, MIDDLE[1]), (MIDDLE[0] + 45, MIDDLE[1]))
    done(window, 1)
    assert iou(on_disk(window, project) == 2, BOX) > 0.85
    window.key(Qt.Key.Key_1)
    window.key(Qt.Key.Key_K)
    window.place.painting.change(tolerance=12)
    window.click((5, 5))
    done(window, 2)
    sky = TRUTH == 0
    assert iou(on_disk(window, project) == 0, sky) > 0.85


def test_fill_follows_the_mask(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_R)
    window.drag((20, 30), (119, 79))
    window.key(Qt.Key.Key_K)
    window.key(Qt.Key.Key_1)
    window.place.painting.change(source="mask")
    window.click((50, 50))
    done(window, 2)
    assert (on_disk(window, project) == 0).sum() == 100 * 50
    window.click((5, 5))
    done(window, 3)
    assert (on_disk(window, project) == 0).all()


def test_superpixels_by_touch(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_U)
    window.place.painting.change(cell=16, radius=4)
    inside = [(x, y) for y in range(TOP + 10, BOTTOM - 8, 12) for x in (LEFT + 10, RIGHT - 10)]
    window.drag(*inside)
    done(window, 1)
    found = on_disk(window, project) == 2
    assert (found & BOX).sum() / found.sum() > 0.85
    assert found.sum() > 0.5 * BOX.sum()


def test_a_region_is_given_a_class_filled_grown_shrunk_smoothed_and_deleted(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_R)
    window.drag((20, 30), (119, 79))
    window.drag((50, 50), (59, 59), keys=CTRL)  # a hole
    window.key(Qt.Key.Key_J)

    def act(action: str) -> np.ndarray:
        window.place.painting.change(action=action, amount=2)
        window.click((30, 40))
        window.until(lambda: not window.place.canvas.hand.busy)
        return on_disk(window, project)

    size = 100 * 50
    assert (act("fill holes") == 2).sum() == size
    assert (act("grow") == 2).sum() == 104 * 54 - 4 * 3  # round corners
    assert (act("shrink") == 2).sum() == size
    assert 0 < size - (act("smooth") == 2).sum() < 20
    window.key(Qt.Key.Key_1)
    smooth = int((act("class") == 0).sum())
    assert smooth == (on_disk(window, project) != 255).sum() > 0.99 * size
    assert (act("delete") == 255).all()
    for _ in range(6):
        window.key(Qt.Key.Key_Z, CTRL)
    assert (on_disk(window, project) == 2).sum() == size - 100


def test_a_mask_that_changes_while_it_is_worked_out_is_left_alone(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_C)
    window.drag((LEFT - 12, TOP - 10), MIDDLE, (RIGHT + 12, BOTTOM + 10))
    other = np.ones_like(window.document.mask.labels)
    window.document.replace(other, np.full_like(other, 2), "Import")  # an undo, a prediction, another program
    window.until(lambda: not window.place.canvas.hand.busy)
    assert (on_disk(window, project) == 1).all()
    assert any("changed" in said for said in window.messages)


def test_the_next_image_while_it_is_worked_out(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_C)
    QTest.mousePress(window.place.canvas, Qt.MouseButton.LeftButton, pos=window.at(LEFT - 12, TOP - 10))
    QTest.mouseMove(window.place.canvas, window.at(RIGHT + 12, BOTTOM + 10))
    QTest.mouseRelease(window.place.canvas, Qt.MouseButton.LeftButton, pos=window.at(RIGHT + 12, BOTTOM + 10))
    first = window.document
    assert window.go(Qt.Key.Key_D) == "b"
    window.until(lambda: not window.program.proposals._runner.has("proposal"))
    assert not first.history.done
    assert not window.document.history.done
