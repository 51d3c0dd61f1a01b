"""The line between two layers side by side."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPainter, QRegion

FAR = 1 << 15
"""Device pixels; below any screen."""


@dataclass(frozen=True)
class Divider:
    """A mark along a column of the view."""

    x: int
    """The first column of the right-hand layer, in device pixels."""

    @property
    def region(self) -> QRegion:
        """The device pixels that it touches."""
        return QRegion(self.x - 1, 0, 2, FAR)

    def draw(self, painter: QPainter) -> None:
        """Dark and light, to be seen on any picture."""
        painter.fillRect(self.x - 1, 0, 1, FAR, QColor(0, 0, 0))
        painter.fillRect(self.x, 0, 1, FAR, QColor(255, 255, 255))
