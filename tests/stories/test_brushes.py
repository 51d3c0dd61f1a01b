"""A person paints with the brushes: mouse, wheel, keys and pen, in a real window; the file holds what was painted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.domain.footprint import capsule
from app.domain.geometry import Rect
from tests.ui.window import SIZE, Hand

pytestmark = pytest.mark.window

Start = Callable[..., Hand]
WIDTH, HEIGHT = SIZE
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(hand: Start, project: Path) -> Hand:
    window = hand()
    window.open(project)
    return window


def on_disk(window: Hand, project: Path) -> np.ndarray:
    """What another program reads."""
    window.saved()
    return np.asarray(Image.open(project / "SegmentationClass" / "a.png"))


def covered(start: tuple[int, int], end: tuple[int, int], radius: int, shape: str = "round") -> np.ndarray:
    out = np.zeros((HEIGHT, WIDTH), bool)
    rect, footprint = capsule(start, end, radius, Rect(0, 0, WIDTH, HEIGHT), shape)
    out[rect.slices] = footprint
    return out


def test_a_stroke_with_class_and_size_chosen_by_keys(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_3)
    window.key(Qt.Key.Key_BracketRight)
    radius = window.place.painting.radius
    assert radius == 14
    window.stroke((60, 90), (120, 100))
    line = covered((60, 90), (120, 100), radius)
    assert np.array_equal(on_disk(window, project) == 2, line)
    window.key(Qt.Key.Key_E)
    window.stroke((60, 90), (120, 100))
    assert (on_disk(window, project) == 255).all()
    window.key(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(on_disk(window, project) == 2, line)


def test_the_wheel_with_ctrl_changes_the_size(window: Hand) -> None:
    canvas, before = window.place.canvas, window.place.painting.radius
    place = QPointF(window.at(50, 50))
    event = QWheelEvent(
        place, QPointF(canvas.mapToGlobal(place)), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, CTRL,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)
    assert window.place.painting.radius > before


def test_shift_goes_straight_from_the_last_stroke(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_1)
    window.place.painting.set_radius(3)
    window.click((30, 30))
    window.drag((200, 90), (200, 90), keys=SHIFT)
    assert np.array_equal(on_disk(window, project) == 0, covered((30, 30), (200, 90), 3))


def test_a_square_brush_a_pen_and_its_other_end(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_2)
    window.place.painting.change(shape="square", radius=10, pressure=True)
    window.pen(QEvent.Type.TabletPress, (100, 100), 0.5)
    window.pen(QEvent.Type.TabletMove, (130, 100), 0.5)
    window.pen(QEvent.Type.TabletRelease, (130, 100), 0.0)
    assert np.array_equal(on_disk(window, project) == 1, covered((100, 100), (130, 100), 5, "square"))
    window.pen(QEvent.Type.TabletPress, (100, 100), 1.0, eraser=True)
    window.pen(QEvent.Type.TabletRelease, (100, 100), 1.0, eraser=True)
    assert on_disk(window, project)[100, 100] == 255
    assert on_disk(window, project)[100, 130] == 1


def test_a_locked_class_stays_and_only_over_means_only(window: Hand, project: Path) -> None:
    window.place.painting.set_radius(20)
    window.key(Qt.Key.Key_1)
    window.click((80, 80))
    sky = covered((80, 80), (80, 80), 20)
    window.place.painting.change(locked=frozenset({0}))
    window.key(Qt.Key.Key_2)
    window.click((100, 80))
    disc = covered((100, 80), (100, 80), 20)
    assert np.array_equal(on_disk(window, project) == 0, sky)
    assert np.array_equal(on_disk(window, project) == 1, disc & ~sky)
    window.place.painting.change(locked=frozenset(), only=frozenset({1}))
    window.key(Qt.Key.Key_3)
    window.click((100, 80))
    assert np.array_equal(on_disk(window, project) == 2, disc & ~sky)
    assert np.array_equal(on_disk(window, project) == 0, sky)


def test_void_and_a_pick_with_the_right_button(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_3)
    window.click((40, 40))
    window.key(Qt.Key.Key_V)
    window.click((150, 40))
    assert on_disk(window, project)[40, 150] == 255
    window.key(Qt.Key.Key_1)
    window.click((40, 40), button=Qt.MouseButton.RightButton)
    assert (window.place.painting.tool, window.place.painting.label) == ("brush", 2)
    window.key(Qt.Key.Key_I)
    window.click((150, 40))
    assert window.place.painting.tool == "void_brush"


def test_escape_in_the_middle_of_a_stroke_leaves_no_trace(window: Hand, project: Path) -> None:
    canvas = window.place.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=window.at(50, 50))
    QTest.mouseMove(canvas, window.at(90, 60))
    assert (window.document.mask.labels != 255).any()
    window.key(Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=window.at(90, 60))
    assert (window.document.mask.labels == 255).all()
    assert not window.document.history.done
