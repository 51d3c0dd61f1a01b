"""What is drawn above picture and mask, in device pixels."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtGui import QPainter, QRegion


class Mark(Protocol):
    """A thing that appears and goes without the picture being drawn again."""

    @property
    def region(self) -> QRegion:
        """The device pixels that it touches."""

    def draw(self, painter: QPainter) -> None:
        """Draws it; the painter's units are device pixels."""
