"""All of the picture in a corner of the view, where the view shows only a part of it."""

from __future__ import annotations

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QTabletEvent
from PySide6.QtWidgets import QWidget

from app.ui.canvas.looking import Looking, to_device_pixels
from app.ui.canvas.photo import Photo
from app.ui.canvas.pixels import Pixels, image_over

LONGEST = 180
"""Logical pixels of its longer side."""

SHORTEST = 12
"""Logical pixels of its shorter side at least: enough to be hit in a picture of one row."""

MARGIN = 8
"""Logical pixels to the view's corner."""

ROOM = 2
"""A view that is not so many times as wide and as high has no overview."""


class Overview(QWidget):
    """A small map of the picture with a frame around what is in view; a press or a drag asks to look there."""

    look_asked = Signal(float, float)
    """x, y in pixels of the picture: what should come to the middle of the view."""

    def __init__(self, view: Looking) -> None:
        super().__init__(view)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()
        self._view = view
        self._photo: Photo | None = None
        self._wanted = True
        self._map: Pixels | None = None
        view.looked.connect(self._follow)

    def set_photo(self, photo: Photo | None) -> None:
        """The picture that it shows."""
        self._photo, self._map = photo, None
        self._follow()

    def set_wanted(self, wanted: bool) -> None:
        """Whether it appears at all."""
        self._wanted = wanted
        self._follow()

    # Qt's events

    def paintEvent(self, event: QPaintEvent) -> None:
        """The photo, and the frame."""
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        to_device_pixels(painter, ratio)
        size = round(self.width() * ratio), round(self.height() * ratio)
        if self._photo is not None and (self._map is None or self._map.shape[::-1] != size):
            self._map = _map(self._photo, *size)
        if self._map is not None:
            painter.drawImage(0, 0, image_over(self._map, QImage.Format.Format_RGB32))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        frame = self._frame(*size)
        for color, grown in ((QColor(0, 0, 0), 1), (QColor(255, 255, 255), 0)):
            painter.setPen(QPen(color, 1))
            painter.drawRect(frame.adjusted(-grown, -grown, grown, grown))
        painter.drawRect(0, 0, size[0] - 1, size[1] - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Asks to look there."""
        self._ask(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Goes on asking while the button is held."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Not for the canvas below."""

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen is a mouse here; left to itself the event would paint on the canvas below."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event.position())
        event.accept()

    # Within

    def _follow(self) -> None:
        """Appears or goes, in the lower right corner, and shows where one looks now."""
        looking = self._view.viewport
        wide, high = looking.picture_width, looking.picture_height
        partly = wide * looking.zoom > looking.width or high * looking.zoom > looking.height
        if self._photo is None or not self._wanted or not partly:
            self.hide()
            return
        scale = LONGEST / max(wide, high)
        width, height = max(round(wide * scale), SHORTEST), max(round(high * scale), SHORTEST)
        if self._view.width() < ROOM * width or self._view.height() < ROOM * height:
            self.hide()
            return
        x, y = self._view.width() - width - MARGIN, self._view.height() - height - MARGIN
        self.setGeometry(x, y, width, height)
        self.show()
        self.update()

    def _frame(self, width: int, height: int) -> QRect:
        """What is in view, in device pixels of the map of that size."""
        looking = self._view.viewport
        x0, y0 = looking.to_picture(0, 0)
        x1, y1 = looking.to_picture(looking.width, looking.height)
        across, down = width / looking.picture_width, height / looking.picture_height
        seen = QRectF(QPointF(x0 * across, y0 * down), QPointF(x1 * across, y1 * down))
        return seen.toAlignedRect().adjusted(0, 0, -1, -1) & QRect(1, 1, width - 3, height - 3)

    def _ask(self, place: QPointF) -> None:
        looking = self._view.viewport
        x = min(max(place.x() / self.width(), 0.0), 1.0) * looking.picture_width
        y = min(max(place.y() / self.height(), 0.0), 1.0) * looking.picture_height
        self.look_asked.emit(x, y)


def _map(photo: Photo, width: int, height: int) -> Pixels:
    """The photo's smallest level at that size: (height, width) RGB32."""
    small = cv2.resize(photo.levels[-1].pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGRA)).view(np.uint32)[..., 0]
