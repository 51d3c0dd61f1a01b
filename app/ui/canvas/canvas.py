"""The widget that a person paints on."""

from __future__ import annotations

from math import floor

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QInputEvent,
    QKeyEvent,
    QMouseEvent,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.domain.classes import Classes
from app.domain.document import Document
from app.domain.tools import TOOLS, Pointer, Sketch, Tool, ToolSettings
from app.ui.canvas.cursor import Cursor
from app.ui.canvas.hand import Hand
from app.ui.canvas.photo import Photo
from app.ui.canvas.picture_view import PictureView
from app.ui.canvas.sketch_mark import SketchMark
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

AIM = 8
"""Device pixels around a place that count as the place: so well can a hand aim."""

_CONFIRM = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_LEFT, _MIDDLE, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton


class Canvas(PictureView):
    """Shows a picture and hands the pointer on to a tool.

    Wheel: zoom at the pointer; with Ctrl or Shift: brush size. Middle button, Space with the left one, or arrows: pan.
    Right button: pick the class. A stroke ends with the release of the button wherever that happens, and also when the
    window loses the keyboard or hides: what was painted until then is kept. A gesture of many presses (a polygon) takes
    Enter or a double click, and Backspace.
    """

    pointer_moved = Signal(object)
    """(x, y) of the picture's pixel under the pointer, or None."""

    radius_asked = Signal(int)
    """A wish for another radius: the canvas itself changes no settings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.hand = Hand(self)
        """What the pointer does to the document: `finish` it before anything else edits."""
        self.hand.sketched.connect(self._show_sketch)
        self._sketch = Sketch()
        self._pointer: QPointF | None = None  # where it is: device pixels of the view
        self._panned: QPointF | None = None  # where it was when the picture was last pushed
        self._space = False
        self.looked.connect(self._look_again)

    # What is shown, and what paints

    def show_image(self, photo: Photo, document: Document, classes: Classes) -> None:
        """Shows a picture with its mask; a gesture under way is finished first."""
        self.hand.turn_to(document)
        self.hand.rgb = photo.rgb
        super().show_image(photo, document, classes)
        self._point_at(self._pointer)

    def set_photo(self, photo: Photo) -> None:
        """Shows another copy of the same picture: the sharp one after its preview."""
        self.hand.rgb = photo.rgb
        super().set_photo(photo)

    def clear(self) -> None:
        """Shows nothing; a gesture under way is finished first."""
        self.hand.turn_to(None)
        self.hand.rgb = None
        super().clear()
        self._point_at(self._pointer)

    def set_tool(self, tool: Tool | None, settings: ToolSettings | None) -> None:
        """Takes another tool or other settings; a gesture goes on with the settings it began with. None: no tool.

        With another tool, a polygon that is still open is finished, and what was only proposed is dropped.
        """
        if tool is not self.hand.tool and self.hand.waiting:
            self.hand.finish()
        self.hand.tool, self.hand.settings = tool, settings
        self._point_at(self._pointer)

    # Qt's events: the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left: the tool, or pan while Space is held. Middle: pan. Right: pick the class."""
        place = self._mouse_place(event)
        if event.button() == _MIDDLE or (event.button() == _LEFT and self._space):
            self._begin_pan(place)
        elif event.button() == _LEFT:
            self._press(place, event, 1.0)
        elif event.button() == _RIGHT and not self.hand.busy:
            self._press(place, event, 1.0, TOOLS["picker"])
            self.hand.held = False
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ends what is drawn click by click; else just another press."""
        if event.button() == _LEFT and self.hand.waiting and not self._space:
            self.hand.confirm()
        else:
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Goes on with what the press began, or just points."""
        if not event.buttons() & (_LEFT | _MIDDLE):  # the release went to somebody else
            self._let_go()
        self._go_on(self._mouse_place(event), event, 1.0)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends what the press began."""
        if not event.buttons() & (_LEFT | _MIDDLE):
            self._end_pan()
        if event.button() == _LEFT:
            self.hand.release(self._picture_pointer(self._mouse_place(event), event, 1.0))

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen paints as the left button does, with its pressure, and erases with its other end; to pan, it is taken
        for a mouse."""
        place = event.position() * self.devicePixelRatioF()
        if self._space or self._panned is not None:
            event.ignore()
        elif event.type() == QEvent.Type.TabletMove:
            if not event.buttons():  # the pen was lifted while somebody else listened
                self._let_go()
            self._go_on(place, event, event.pressure())
        elif event.type() == QEvent.Type.TabletPress and event.button() == _LEFT:
            end = event.pointerType() == QPointingDevice.PointerType.Eraser
            self._press(place, event, event.pressure(), TOOLS["eraser"] if end else None)
        elif event.type() == QEvent.Type.TabletRelease and event.button() == _LEFT:
            self.hand.release(self._picture_pointer(place, event, event.pressure()))
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
        if not self.hand.held:
            self._point_at(None)

    # Qt's events: keys and focus

    def event(self, event: QEvent) -> bool:
        """Enter and Backspace belong to a gesture that waits for them, not to the menus."""
        overrides = event.type() == QEvent.Type.ShortcutOverride and self.hand.waiting
        if isinstance(event, QKeyEvent) and overrides and event.key() in (*_CONFIRM, Qt.Key.Key_Backspace):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, arrows; Enter and Backspace for a gesture that waits for them."""
        key = event.key()
        if key == Qt.Key.Key_Space:
            self._space = True
            self._show_shape()
        elif key in _CONFIRM and self.hand.waiting:
            self.hand.confirm()
        elif key == Qt.Key.Key_Backspace and self.hand.waiting:
            self.hand.back()
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
        self._let_go()
        self._space = False
        self._show_shape()

    def hideEvent(self, event: QHideEvent) -> None:
        """As with the focus; and nobody sees any more what waits."""
        self._let_go()
        self.hand.finish()
        self._space = False

    # Within

    def _mouse_place(self, event: QMouseEvent) -> QPointF:
        """The centre of the device pixel that a mouse event means."""
        place = event.position() * self.devicePixelRatioF()
        return QPointF(floor(place.x()) + 0.5, floor(place.y()) + 0.5)

    def _picture_pointer(self, place: QPointF, event: QInputEvent, pressure: float) -> Pointer:
        keys = event.modifiers()
        return Pointer(
            *self.viewport.to_picture(place.x(), place.y()),
            pressure,
            straight=bool(keys & Qt.KeyboardModifier.ShiftModifier),
            erasing=bool(keys & Qt.KeyboardModifier.ControlModifier),
            reach=AIM / self.viewport.zoom,
        )

    def _press(self, place: QPointF, event: QInputEvent, pressure: float, tool: Tool | None = None) -> None:
        if place != self._pointer:
            self._point_at(place)
        if self._panned is None and self.hand.tool is not None:
            self.hand.press(self._picture_pointer(place, event, pressure), tool)

    def _go_on(self, place: QPointF, event: QInputEvent, pressure: float) -> None:
        if self._panned is not None:
            push, self._panned = place - self._panned, place
            self._pointer = place
            self.pan(push.x(), push.y())
        elif self.hand.busy:
            self.hand.move(self._picture_pointer(place, event, pressure))
        self._point_at(place)

    def _begin_pan(self, place: QPointF) -> None:
        if not self.hand.held and self.document is not None:
            self._panned = place
            self._show_shape()

    def _end_pan(self) -> None:
        if self._panned is not None:
            self._panned = None
            self._show_shape()

    def _let_go(self) -> None:
        """No button is down any more, whatever the events say."""
        if self.hand.held:
            self.hand.finish()
        self._end_pan()

    def _ask_for_radius(self, *, larger: bool) -> None:
        if self.hand.settings is not None:
            radius = self.hand.settings.radius
            step = max(1, radius // 8)
            self.radius_asked.emit(min(max(radius + (step if larger else -step), 0), MAX_RADIUS))

    def _look_again(self) -> None:
        """The picture stands somewhere else: so do the marks upon it."""
        self.set_mark("sketch", SketchMark.of(self._sketch, self.viewport))
        self._point_at(self._pointer)

    def _show_sketch(self, sketch: Sketch) -> None:
        if sketch.preview is not self._sketch.preview:
            if sketch.preview is None:
                self.clear_preview()
            else:
                self.set_preview(sketch.preview.rect, sketch.preview.marked, sketch.preview.label)
        self._sketch = sketch
        self.set_mark("sketch", SketchMark.of(sketch, self.viewport))

    def _point_at(self, place: QPointF | None) -> None:
        """Takes note of where the pointer is, moves the brush's outline there, and tells."""
        self._pointer = place
        outline, pixel = None, None
        tool, settings = self.hand.tool, self.hand.settings
        if place is not None and self.document is not None:
            x, y = self.viewport.to_picture(place.x(), place.y())
            if tool is not None and settings is not None and tool.round:
                outline = Cursor.at(self.viewport, x, y, settings.radius, settings.shape)
            if 0 <= x < self.viewport.picture_width and 0 <= y < self.viewport.picture_height:
                pixel = floor(x), floor(y)
        self.set_mark("outline", outline)
        self._show_shape()
        self.pointer_moved.emit(pixel)

    def _show_shape(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._panned is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.document is not None and self.hand.tool is not None:
            shape = Qt.CursorShape.CrossCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
