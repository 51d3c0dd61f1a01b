from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.domain.document import Document
from app.domain.mask import Mask
from app.ui.canvas import Canvas, Photo
from app.ui.canvas.overview import LONGEST, SHORTEST, Overview

pytestmark = pytest.mark.window


@pytest.fixture
def overview(canvas: Canvas) -> Overview:
    canvas.resize(640, 480)
    canvas.set_overview(True)
    return canvas.findChild(Overview)


def show(canvas: Canvas, classes, width: int, height: int) -> None:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = 255
    canvas.show_image(Photo.of(rgb), Document("picture", Mask.empty(height, width)), classes)


def test_it_appears_only_where_the_picture_does_not_fit(canvas: Canvas, overview: Overview, classes) -> None:
    assert not overview.isVisible()
    show(canvas, classes, 3000, 1500)
    assert not overview.isVisible()
    canvas.zoom_to(0.5, QPointF(10, 10))
    assert overview.isVisible()
    assert (overview.width(), overview.height()) == (LONGEST, LONGEST // 2)
    assert canvas.rect().contains(overview.geometry())
    canvas.resize(700, 500)
    assert overview.geometry().right() > 700 - 20
    canvas.set_overview(False)
    assert not overview.isVisible()
    canvas.set_overview(True)
    canvas.fit()
    assert not overview.isVisible()
    canvas.zoom_to(2, QPointF(10, 10))
    canvas.resize(300, 100)
    assert not overview.isVisible()


@pytest.mark.parametrize("size", [(5000, 1), (1, 5000)])
def test_a_picture_of_one_row_can_still_be_hit(
    canvas: Canvas, overview: Overview, classes, size: tuple[int, int]
) -> None:
    show(canvas, classes, *size)
    canvas.zoom_to(1, QPointF(10, 10))
    assert overview.isVisible()
    assert {overview.width(), overview.height()} == {LONGEST, SHORTEST}
    overview.grab()


def test_a_press_and_a_drag_look_there(canvas: Canvas, overview: Overview, classes) -> None:
    show(canvas, classes, 3600, 1800)
    canvas.zoom_to(1, QPointF(0, 0))
    painted = np.array(canvas.document.mask.labels)

    def middle() -> tuple[float, float]:
        return canvas.viewport.to_picture(canvas.viewport.width / 2, canvas.viewport.height / 2)

    QTest.mousePress(overview, Qt.MouseButton.LeftButton, pos=QPoint(90, 45))
    assert middle() == pytest.approx((1800, 900), abs=1)
    QTest.mouseMove(overview, QPoint(60, 30))
    QTest.mouseRelease(overview, Qt.MouseButton.LeftButton, pos=QPoint(60, 30))
    assert middle() == pytest.approx((1200, 600), abs=20)
    assert (canvas.document.mask.labels == painted).all()


def test_it_shows_the_photo_and_a_frame_around_what_is_in_view(canvas: Canvas, overview: Overview, classes) -> None:
    show(canvas, classes, 3600, 1800)
    canvas.zoom_to(1, QPointF(0, 0))
    canvas.centre_on(2700, 1350)
    image = overview.grab().toImage()
    ratio = overview.devicePixelRatio()

    def value(x: float, y: float) -> int:
        return image.pixelColor(int(x * ratio), int(y * ratio)).lightness()

    assert value(20, 20) == 255
    assert value(100, 80) == 0
    assert value(135, 45 + 22) == 0
    left = round((2700 - canvas.viewport.width / 2) / 20)
    around = [value(left + step, 45 + 22) for step in range(-2, 3)]
    assert max(around) == 255
