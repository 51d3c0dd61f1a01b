"""A person draws outlines: polygon, lasso, rectangle, ellipse and scissors, with mouse and keys in a real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.domain import shapes
from app.domain.geometry import Rect
from tests.stories.test_brushes import HEIGHT, WIDTH, on_disk
from tests.ui.window import Hand, scene

pytestmark = pytest.mark.window

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
PICTURE = Rect(0, 0, WIDTH, HEIGHT)


@pytest.fixture
def window(hand: Callable[..., Hand], project: Path) -> Hand:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_3)
    return window


def area(rect: Rect, marked: np.ndarray) -> np.ndarray:
    out = np.zeros((HEIGHT, WIDTH), bool)
    out[rect.slices] = marked
    return out


def test_a_polygon_with_a_corner_too_many(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_G)
    window.click((30, 30), (150, 40), (200, 90))
    window.key(Qt.Key.Key_Backspace)
    window.click((140, 120), (40, 110))
    window.key(Qt.Key.Key_Z, CTRL)  # takes a corner back too
    window.click((50, 110))
    window.key(Qt.Key.Key_Return)
    painted = on_disk(window, project) == 2
    expected = area(*shapes.polygon(np.array([(30, 30), (150, 40), (140, 120), (50, 110)]) + 0.5, PICTURE))
    # a click is a device pixel, and that is a fraction of a pixel of the picture
    assert (painted != expected).sum() < 0.02 * expected.sum()
    assert window.document.history.undoable == ("Polygon",)
    assert not window.document.reviewed  # Enter belonged to the polygon
    window.key(Qt.Key.Key_Z, CTRL)
    assert (on_disk(window, project) == 255).all()


def test_escape_drops_a_polygon_and_the_next_image_keeps_one(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_G)
    window.click((30, 30), (150, 40), (140, 120))
    window.key(Qt.Key.Key_Escape)
    assert not window.place.canvas.hand.busy
    assert not window.document.history.done
    window.click((30, 30), (150, 40), (140, 120))
    document = window.document
    window.go(Qt.Key.Key_D)
    assert document.history.undoable == ("Polygon",)
    assert (on_disk(window, project) == 2).sum() > 3000


def test_a_lasso(window: Hand, project: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 60)
    way = [(100 + 40 * np.cos(a), 90 + 30 * np.sin(a)) for a in angle]
    window.key(Qt.Key.Key_L)
    window.drag(*way)
    painted = (on_disk(window, project) == 2).sum()
    assert painted == pytest.approx(np.pi * 40 * 30, rel=0.04)
    assert window.document.history.undoable == ("Lasso",)


def test_rectangle_and_ellipse_square_and_emptied(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_R)
    window.drag((20, 30), (90, 60), (119, 79))
    box = area(*shapes.rectangle((20, 30), (119, 79), PICTURE))
    assert np.array_equal(on_disk(window, project) == 2, box)
    window.key(Qt.Key.Key_O)
    window.drag((40, 40), (70, 60), (79, 69), keys=CTRL)
    hole = area(*shapes.ellipse((40, 40), (79, 69), PICTURE))
    assert np.array_equal(on_disk(window, project) == 2, box & ~hole)
    window.key(Qt.Key.Key_R)
    window.key(Qt.Key.Key_1)
    window.drag((150, 100), (199, 120), keys=SHIFT)
    square = area(*shapes.rectangle((150, 100), (199, 149), PICTURE))
    assert np.array_equal(on_disk(window, project) == 0, square)


def test_scissors_cling_to_the_box(window: Hand, project: Path) -> None:
    truth = scene(0)[1] == 2
    rows, columns = truth.any(axis=1).nonzero()[0], truth.any(axis=0).nonzero()[0]
    left, right, top, bottom = columns[0], columns[-1], rows[0], rows[-1]
    window.key(Qt.Key.Key_X)
    for place in ((left, top), (right, top), (right, bottom), (left, bottom)):
        window.click(place)
        window.until(lambda: window.place.canvas.hand._gesture.proposal is None)  # the wire is there
    window.key(Qt.Key.Key_Return)
    found = on_disk(window, project) == 2
    assert (found & truth).sum() / (found | truth).sum() > 0.93
    assert window.document.history.undoable == ("Scissors",)
