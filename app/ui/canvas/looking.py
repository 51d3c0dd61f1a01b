"""A widget that looks at a picture: where it stands and how large, and everything that moves it."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QNativeGestureEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from app.ui.canvas.viewport import Viewport


class Looking(QWidget):
    """Has a viewport, in device pixels, and changes it. Two fingers zoom, on a touchpad or a touch screen."""

    zoom_changed = Signal(float)
    """Device pixels a picture pixel."""

    looked = Signal()
    """The picture stands somewhere else in the view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = Viewport(0, 0, 0, 0)
        """Where the picture stands; `look` changes it."""
        self._fitted = True
        self.grabGesture(Qt.GestureType.PinchGesture)

    def open(self, width: int, height: int) -> None:
        """Looks at all of another picture of that size; (0, 0) is none."""
        self._fitted = True
        self.look(Viewport(*self.device_size, width, height).fitted())

    def fit(self) -> None:
        """Shows all of the picture, and keeps doing so when the window changes size."""
        self._fitted = True
        self.look(self.viewport.fitted())

    def actual_pixels(self) -> None:
        """Shows the picture at 1:1, around the middle of the view: one device pixel a pixel."""
        self.zoom_to(1.0, self._middle())

    def zoom_in(self) -> None:
        """One step nearer, around the middle of the view."""
        self.step_zoom(1, self._middle())

    def zoom_out(self) -> None:
        """One step farther."""
        self.step_zoom(-1, self._middle())

    def zoom_to(self, zoom: float, place: QPointF) -> None:
        """So many device pixels a picture pixel; what is at that place (device pixels of the view) stays there."""
        self._fitted = False
        self.look(self.viewport.zoomed(zoom, place.x(), place.y()))

    def step_zoom(self, steps: int, place: QPointF) -> None:
        """So many steps nearer, or farther below 0, at that place."""
        self._fitted = False
        self.look(self.viewport.stepped(steps, place.x(), place.y()))

    def pan(self, dx: float, dy: float) -> None:
        """Pushes the picture right and down by so many device pixels."""
        self._fitted = False
        self.look(self.viewport.moved(dx, dy))

    def centre_on(self, x: float, y: float) -> None:
        """Puts that place of the picture into the middle of the view, as far as the picture stays in sight."""
        middle = self._middle()
        across, down = self.viewport.to_view(x, y)
        self.pan(middle.x() - across, middle.y() - down)

    def look(self, viewport: Viewport) -> None:
        """Shows that part of the picture, and tells."""
        before, self.viewport = self.viewport, viewport
        if viewport != before:
            self.update()
            self.looked.emit()
        if viewport.zoom != before.zoom:
            self.zoom_changed.emit(viewport.zoom)

    @property
    def device_size(self) -> tuple[int, int]:
        """Width and height of the view in device pixels."""
        ratio = self.devicePixelRatioF()
        return ceil(self.width() * ratio), ceil(self.height() * ratio)

    # Qt's events

    def event(self, event: QEvent) -> bool:
        """Two fingers: zooms at the place between them."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_to(self.viewport.zoom * (1 + event.value()), event.position() * self.devicePixelRatioF())
            return True
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                place = self.mapFromGlobal(pinch.centerPoint())
                self.zoom_to(self.viewport.zoom * pinch.scaleFactor(), place * self.devicePixelRatioF())
                return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits again, or keeps the middle in the middle."""
        self._resize()

    # Within

    def _resize(self) -> None:
        viewport = self.viewport.resized(*self.device_size)
        self.look(viewport.fitted() if self._fitted else viewport)

    def _middle(self) -> QPointF:
        return QPointF(self.viewport.width / 2, self.viewport.height / 2)


def to_device_pixels(painter: QPainter, ratio: float) -> None:
    """Makes a widget's painter count device pixels, from a whole one on: at a ratio of 1.5 widgets begin in between."""
    painter.scale(1 / ratio, 1 / ratio)
    begin = painter.deviceTransform()
    painter.translate(round(begin.dx()) - begin.dx(), round(begin.dy()) - begin.dy())
