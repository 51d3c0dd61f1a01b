"""The widget that a person paints on."""

from __future__ import annotations

from math import floor

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QTabletEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.domain.classes import Classes
from app.domain.document import Document
from app.domain.tools import Pointer, Tool, ToolSettings
from app.ui.canvas.cursor import Cursor
from app.ui.canvas.photo import Photo
from app.ui.canvas.picture_view import PictureView
from app.ui.canvas.stroke import Stroke
from app.ui.canvas.viewport import STEPS

MAX_RADIUS = 2000
"""Of the brushes, in pixels of the picture."""

NOTCH = 120
"""One step of a mouse wheel, in eighths of a degree; touchpads send less at a time."""

ARROW_STEP = 64
"""Logical pixels by which an arrow key moves the picture; four times that with Shift."""

ARROWS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
"""Which way the picture goes."""

_LEFT, _MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


class Canvas(PictureView):
    """Shows a picture and hands the pointer on to a tool.

    Wheel: zoom at the pointer; with Ctrl or Shift: brush size. Middle button, Space with the left one, or arrows: pan.
    F: fit. Esc: give up the stroke. A stroke ends with the release of the button wherever that happens, and also when
    the window loses the keyboard or hides: what was painted until then is kept.
    """

    pointer_moved = Signal(object)
    """(x, y) of the picture's pixel under the pointer, or None."""

    stroke_finished = Signal()
    """The tool has let go; not after a cancelled stroke."""

    radius_asked = Signal(int)
    """A wish for another radius: the canvas itself changes no settings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self._tool: Tool | None = None
        self._settings: ToolSettings | None = None
        self._stroke: Stroke | None = None
        self._pointer: QPointF | None = None  # where it is: device pixels of the view
        self._panned: QPointF | None = None  # where it was when the picture was last pushed
        self._space = False
        self.looked.connect(lambda: self._point_at(self._pointer))

    # What is shown, and what paints

    def show_image(self, photo: Photo, document: Document, classes: Classes) -> None:
        """Shows a picture with its mask; a stroke under way is finished first."""
        self.finish_stroke()
        super().show_image(photo, document, classes)
        self._point_at(self._pointer)

    def clear(self) -> None:
        """Shows nothing; a stroke under way is finished first."""
        self.finish_stroke()
        super().clear()
        self._point_at(self._pointer)

    def set_tool(self, tool: Tool | None, settings: ToolSettings | None) -> None:
        """Takes another tool or other settings; a stroke under way goes on with those it began with. None: no tool."""
        self._tool, self._settings = tool, settings
        self._point_at(self._pointer)

    @property
    def stroking(self) -> bool:
        """True in the middle of a stroke."""
        return self._stroke is not None

    def finish_stroke(self) -> None:
        """Ends a stroke under way where the pointer was last, as one step: to be called before anything else edits."""
        self._end_stroke(None)

    def cancel_stroke(self) -> None:
        """Gives up a stroke under way, without a trace."""
        if (stroke := self._stroke) is not None:
            self._stroke = None
            stroke.cancel()

    # Qt's events: the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left: paint, or pan while Space is held. Middle: pan."""
        place = self._mouse_place(event)
        if event.button() == _MIDDLE or (event.button() == _LEFT and self._space):
            self._begin_pan(place)
        elif event.button() == _LEFT:
            self._begin_stroke(place, 1.0)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Goes on with what the press began, or just points."""
        if not event.buttons() & (_LEFT | _MIDDLE):  # the release went to somebody else
            self.finish_stroke()
            self._end_pan()
        self._go_on(self._mouse_place(event), 1.0)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends what the press began."""
        if not event.buttons() & (_LEFT | _MIDDLE):
            self._end_pan()
        if event.button() == _LEFT:
            self._end_stroke(self._picture_pointer(self._mouse_place(event), 1.0))

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen paints as the left button does, with its pressure; to pan, it is taken for a mouse."""
        place = event.position() * self.devicePixelRatioF()
        if self._space or self._panned is not None:
            event.ignore()
        elif event.type() == QEvent.Type.TabletMove:
            self._go_on(place, event.pressure())
        elif event.type() == QEvent.Type.TabletPress and event.button() == _LEFT:
            self._begin_stroke(place, event.pressure())
        elif event.type() == QEvent.Type.TabletRelease and event.button() == _LEFT:
            self._end_stroke(self._picture_pointer(place, event.pressure()))
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms at the pointer; with Ctrl or Shift, asks for a larger or smaller brush."""
        turned = event.angleDelta().y() or event.angleDelta().x()
        place = event.position() * self.devicePixelRatioF()
        if not turned:
            event.ignore()
        elif event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier):
            self._ask_for_radius(larger=turned > 0)
        elif turned % NOTCH == 0:
            self.step_zoom(turned // NOTCH, place)
        else:
            self.zoom_to(self.viewport.zoom * 2 ** (turned / NOTCH / STEPS), place)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere; a stroke under way goes on."""
        if self._stroke is None:
            self._point_at(None)

    # Qt's events: keys and focus

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, arrows, F and Esc."""
        key = event.key()
        if key == Qt.Key.Key_Space:
            self._space = True
            self._show_shape()
        elif key == Qt.Key.Key_Escape and self._stroke is not None:
            self.cancel_stroke()
        elif key == Qt.Key.Key_F and not event.modifiers():
            self.fit()
        elif key in ARROWS:
            far = 4 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            step = round(ARROW_STEP * far * self.devicePixelRatioF())
            across, down = ARROWS[Qt.Key(key)]
            self.pan(across * step, down * step)
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space let go: the left button paints again."""
        if event.key() != Qt.Key.Key_Space:
            event.ignore()
        elif not event.isAutoRepeat():
            self._space = False
            self._show_shape()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Releases may go elsewhere from now on: nothing stays pressed."""
        self._release_all()

    def hideEvent(self, event: QHideEvent) -> None:
        """As with the focus."""
        self._release_all()

    # Within

    def _mouse_place(self, event: QMouseEvent) -> QPointF:
        """The centre of the device pixel that a mouse event means."""
        place = event.position() * self.devicePixelRatioF()
        return QPointF(floor(place.x()) + 0.5, floor(place.y()) + 0.5)

    def _picture_pointer(self, place: QPointF, pressure: float) -> Pointer:
        return Pointer(*self.viewport.to_picture(place.x(), place.y()), pressure)

    def _begin_stroke(self, place: QPointF, pressure: float) -> None:
        self.finish_stroke()
        if place != self._pointer:
            self._point_at(place)
        if self._tool and self._settings and self.document and self._panned is None:
            self._stroke = Stroke(self._tool, self.document, self._settings, self._picture_pointer(place, pressure))

    def _go_on(self, place: QPointF, pressure: float) -> None:
        if self._panned is not None:
            push, self._panned = place - self._panned, place
            self._pointer = place
            self.pan(push.x(), push.y())
        elif self._stroke is not None:
            self._stroke.move(self._picture_pointer(place, pressure))
        self._point_at(place)

    def _end_stroke(self, pointer: Pointer | None) -> None:
        if (stroke := self._stroke) is not None:
            self._stroke = None
            try:
                stroke.finish(pointer)
            finally:
                self.stroke_finished.emit()

    def _begin_pan(self, place: QPointF) -> None:
        if self._stroke is None and self.document is not None:
            self._panned = place
            self._show_shape()

    def _end_pan(self) -> None:
        if self._panned is not None:
            self._panned = None
            self._show_shape()

    def _release_all(self) -> None:
        self.finish_stroke()
        self._space = False
        self._end_pan()
        self._show_shape()

    def _ask_for_radius(self, *, larger: bool) -> None:
        if self._settings is not None:
            radius = self._settings.radius
            step = max(1, radius // 8)
            self.radius_asked.emit(min(max(radius + (step if larger else -step), 0), MAX_RADIUS))

    def _point_at(self, place: QPointF | None) -> None:
        """Takes note of where the pointer is, moves the brush's outline there, and tells."""
        self._pointer = place
        outline, pixel = None, None
        if place is not None and self.document is not None:
            x, y = self.viewport.to_picture(place.x(), place.y())
            if self._tool is not None and self._settings is not None:
                outline = Cursor.at(self.viewport, x, y, self._settings.radius)
            if 0 <= x < self.viewport.picture_width and 0 <= y < self.viewport.picture_height:
                pixel = floor(x), floor(y)
        self.set_outline(outline)
        self._show_shape()
        self.pointer_moved.emit(pixel)

    def _show_shape(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._panned is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.document is not None and self._tool is not None:
            shape = Qt.CursorShape.CrossCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
