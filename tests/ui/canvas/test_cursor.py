from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage, QPainter

from app.domain.footprint import disc
from app.ui.canvas.cursor import Cursor, disc_outline
from app.ui.canvas.pixels import image_over, rects
from app.ui.canvas.viewport import Viewport


@pytest.mark.parametrize("radius", [0, 1, 2, 5, 12, 64])
def test_the_outline_encloses_exactly_the_brushs_pixels(radius: int) -> None:
    outline = disc_outline(radius)
    footprint = disc(radius)
    for y in range(-radius - 1, radius + 2):
        for x in range(-radius - 1, radius + 2):
            painted = abs(x) <= radius and abs(y) <= radius and bool(footprint[y + radius, x + radius])
            assert outline.contains(QPointF(x + 0.5, y + 0.5)) == painted, (x, y)


@pytest.mark.parametrize(
    ("zoom", "radius"),
    [(0.3, 0), (0.3, 2000), (1, 10), (1, 127), (1, 500), (1.5, 3), (2, 64), (2, 65), (8, 20), (40, 2000), (64, 0)],
)
def test_its_boxes_hold_all_that_is_drawn(zoom: float, radius: int) -> None:
    view = Viewport(900, 700, 3000, 2000).fitted().zoomed(zoom, 450, 350)
    for x, y in ((450, 350), (3, 5), (890, 690), (-40, 300)):
        cursor = Cursor.at(view, *view.to_picture(x, y), radius)
        pixels = np.zeros((view.height, view.width), np.uint32)
        image = image_over(pixels, QImage.Format.Format_ARGB32_Premultiplied)
        painter = QPainter(image)
        cursor.draw(painter)
        painter.end()
        for box in rects(cursor.region):
            assert QRect(0, 0, view.width, view.height).contains(box)
            pixels[box.top() : box.bottom() + 1, box.left() : box.right() + 1] = 0
        assert not pixels.any()


def test_a_large_circle_repaints_little() -> None:
    view = Viewport(1600, 1000, 6000, 4000).fitted().zoomed(1, 800, 500)
    cursor = Cursor.at(view, *view.to_picture(800, 500), 450)
    assert sum(box.width() * box.height() for box in rects(cursor.region)) < 0.4 * 900 * 900
    assert cursor.region.rectCount() < 50
