"""The outline of what a brush would paint, around the pointer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, floor, pi

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QRegion, QTransform

from app.domain.footprint import disc
from app.ui.canvas.viewport import Viewport

EXACT_ZOOM = 2.0
EXACT_RADIUS = 64
"""From this zoom on, brushes up to this radius show their very pixels; others a circle, which then looks the same."""

LARGE = 96
ARCS = 48
"""A circle from this radius on (device pixels) is repainted along so many arcs, not as the box around it."""

GRID = 64
"""Device pixels to which the boxes of arcs are aligned: they then make a region of few rectangles."""

LINE = 2
"""Device pixels around the outline that its two lines touch."""

_CIRCLE = np.stack([np.cos(np.arange(ARCS + 1) * 2 * pi / ARCS), np.sin(np.arange(ARCS + 1) * 2 * pi / ARCS)], axis=1)


@dataclass(frozen=True)
class Cursor:
    """An outline in device pixels."""

    path: QPainterPath
    region: QRegion
    """What to repaint where it appears or goes: it holds the whole line."""

    @classmethod
    def at(cls, viewport: Viewport, x: float, y: float, radius: int, shape: str = "round") -> Cursor:
        """The outline of a brush, round or square, at a place of the picture."""
        column, row, zoom = floor(x), floor(y), viewport.zoom
        if shape == "square":
            return cls._square(viewport, column, row, radius)
        if zoom >= EXACT_ZOOM and radius <= EXACT_RADIUS:
            left, top = viewport.to_view(column, row)
            path = QTransform(zoom, 0, 0, zoom, left, top).map(disc_outline(radius))
            return cls(path, _ring(left + zoom / 2, top + zoom / 2, (radius + 0.5) * zoom, 1.25 * zoom, viewport))
        across, down = viewport.to_view(column + 0.5, row + 0.5)
        size = (radius + 0.5) * zoom
        path = QPainterPath()
        path.addEllipse(QPointF(across, down), size, size)
        return cls(path, _ring(across, down, size, 0, viewport))

    @classmethod
    def _square(cls, viewport: Viewport, column: int, row: int, radius: int) -> Cursor:
        left, top = viewport.to_view(column - radius, row - radius)
        side = (2 * radius + 1) * viewport.zoom
        path = QPainterPath()
        path.addRect(QRectF(left, top, side, side))
        view = QRect(0, 0, viewport.width, viewport.height)
        outer = QRectF(left, top, side, side).adjusted(-LINE, -LINE, LINE, LINE).toAlignedRect()
        inner = QRectF(left, top, side, side).adjusted(LINE + 1, LINE + 1, -LINE, -LINE).toAlignedRect()
        return cls(path, (QRegion(outer & view) - QRegion(inner & view)) if inner.isValid() else QRegion(outer & view))

    def draw(self, painter: QPainter) -> None:
        """Draws it light with a dark shadow, to be seen on any picture; the painter's units are device pixels.

        Two opaque lines a pixel wide: any other pen takes up to six times as long.
        """
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0), 1))
        painter.drawPath(self.path.translated(1, 1))
        painter.setPen(QPen(QColor(255, 255, 255), 1))
        painter.drawPath(self.path)


@lru_cache(maxsize=EXACT_RADIUS + 1)
def disc_outline(radius: int) -> QPainterPath:
    """The border of a disc's pixels around pixel (0, 0), in pixels: steps, not a circle."""
    reach = [(int(count) - 1) // 2 for count in disc(radius).sum(axis=1)]
    right = [(half + 1, y + edge) for y, half in enumerate(reach, -radius) for edge in (0, 1)]
    left = [(1 - x, y) for x, y in reversed(right)]
    path = QPainterPath()
    path.addPolygon([QPointF(x, y) for x, y in (*right, *left)])
    path.closeSubpath()
    return path


def _ring(x: float, y: float, radius: float, width: float, viewport: Viewport) -> QRegion:
    """The device pixels that a line touches which is at most `width` from a circle."""
    width += LINE
    view = QRect(0, 0, viewport.width, viewport.height)
    if radius < LARGE:
        reach = radius + width
        return QRegion(QRectF(x - reach, y - reach, 2 * reach, 2 * reach).toAlignedRect() & view)
    points = (x, y) + radius * _CIRCLE
    width += radius * (1 - cos(pi / ARCS))  # how far an arc can leave the box of its ends
    low = np.floor((np.minimum(points[:-1], points[1:]) - width) / GRID)
    high = np.ceil((np.maximum(points[:-1], points[1:]) + width + 1) / GRID)
    seen = ((high > 0) & (low < (view.width() / GRID, view.height() / GRID))).all(axis=1)
    region = QRegion()
    for left, top, right, bottom in set(map(tuple, (np.hstack((low, high))[seen] * GRID).astype(int).tolist())):
        region += QRect(left, top, right - left, bottom - top)
    return region & view
