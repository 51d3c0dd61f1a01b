"""The lines of a gesture that goes on for more than one press."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF, QRegion

from app.domain.tools import Sketch
from app.ui.canvas.viewport import Viewport

DOT = 3.5
"""Device pixels from the middle of a corner to its sides."""

MARGIN = 6
"""Device pixels around the lines that they, and the corners, touch."""


@dataclass(frozen=True, eq=False)
class SketchMark:
    """Polylines with a dark shadow, and their corners as squares."""

    lines: tuple[QPolygonF, ...]
    dots: tuple[QPointF, ...]
    region: QRegion

    @classmethod
    def of(cls, sketch: Sketch, viewport: Viewport) -> SketchMark | None:
        """The lines of a sketch in a view; None when it has none."""
        if not sketch.lines and not sketch.dots:
            return None
        lines = []
        for line in sketch.lines:
            points = [QPointF(*viewport.to_view(x, y)) for x, y in line.points.tolist()]
            lines.append(QPolygonF(points + points[:1] if line.closed else points))
        dots = tuple(QPointF(*viewport.to_view(x, y)) for x, y in sketch.dots)
        region = QRegion()
        view = QRect(0, 0, viewport.width, viewport.height)
        for box in (*(line.boundingRect() for line in lines), *(QRectF(dot, dot) for dot in dots)):
            left, top = floor(max(box.left(), -MARGIN)), floor(max(box.top(), -MARGIN))
            right, bottom = ceil(min(box.right(), view.width())), ceil(min(box.bottom(), view.height()))
            if right >= left and bottom >= top:
                grown = QRect(left, top, right - left + 1, bottom - top + 1)
                region += grown.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN) & view
        return cls(tuple(lines), dots, region)

    def draw(self, painter: QPainter) -> None:
        """Light lines above dark ones, to be seen on any picture."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, shift in ((QColor(0, 0, 0), 1), (QColor(255, 255, 255), 0)):
            painter.setPen(QPen(colour, 1))
            for line in self.lines:
                painter.drawPolyline(line.translated(shift, shift))
        painter.setBrush(QColor(255, 255, 255))
        painter.setPen(QPen(QColor(0, 0, 0), 1))
        for number, dot in enumerate(self.dots):
            size = DOT + 1 if number == 0 else DOT
            painter.drawRect(QRectF(dot.x() - size, dot.y() - size, 2 * size, 2 * size))
