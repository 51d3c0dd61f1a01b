"""The widget that shows a picture with its mask, at any zoom."""

from __future__ import annotations

from math import ceil, floor

from PySide6.QtCore import QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.domain.classes import Classes
from app.domain.document import Document
from app.domain.geometry import Rect
from app.ui.canvas.cursor import Cursor
from app.ui.canvas.overlay import Overlay
from app.ui.canvas.photo import BACKGROUND, Photo
from app.ui.canvas.pixels import image_over, rects
from app.ui.canvas.view_cache import ViewCache
from app.ui.canvas.viewport import Viewport

OPACITY = 0.5
"""Of the overlay, at first."""


class PictureView(QWidget):
    """Shows a photo, the mask of a document above it, and a brush's outline above both.

    It draws in device pixels, whatever the screen's ratio: nothing is blurred, no border is off by half a pixel.
    """

    zoom_changed = Signal(float)
    """Device pixels a picture pixel."""

    looked = Signal()
    """The picture stands somewhere else in the view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.document: Document | None = None
        """Whose mask is shown."""
        self.viewport = Viewport(0, 0, 0, 0)
        """Where the picture stands; `look` changes it."""
        self._classes = Classes()
        self._opacity = OPACITY
        self._overlay: Overlay | None = None
        self._overlay_visible = True
        self._cache: ViewCache | None = None
        self._outline: Cursor | None = None
        self._fitted = True

    # What is shown

    def show_image(self, photo: Photo, document: Document, classes: Classes) -> None:
        """Shows a picture with its mask; all of it fits in the view, unless the document is the one that is shown.

        The photo and the document's mask are read, never copied, for as long as they are shown. ValueError when their
        sizes differ.
        """
        if (photo.height, photo.width) != document.mask.labels.shape:
            raise ValueError(f"a photo of {photo.width} x {photo.height} over a mask of {document.mask.labels.shape}")
        same = document is self.document
        self._forget()
        document.on_pixels.append(self._pixels_changed)
        self.document, self._classes = document, classes
        self._overlay = Overlay(document, classes, self._opacity)
        self._cache = ViewCache(photo, self._overlay)
        if not same:
            self._fitted = True
            self.look(Viewport(*self.device_size, photo.width, photo.height).fitted())
        self.update()

    def set_photo(self, photo: Photo) -> None:
        """Shows another copy of the same picture: the sharp one after its preview."""
        if self._cache is not None:
            self._cache.replace_photo(photo)
            self.update()

    def clear(self) -> None:
        """Shows nothing."""
        self._forget()
        self.look(Viewport(*self.device_size, 0, 0))
        self.update()

    def set_classes(self, classes: Classes) -> None:
        """Shows the mask in other colours."""
        self._classes = classes
        self._recolour()

    @property
    def opacity(self) -> float:
        """Of a person's pixels, 0 … 1; a model's are fainter."""
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        """Shows the mask more or less strongly: 0 … 1."""
        self._opacity = min(max(opacity, 0.0), 1.0)
        self._recolour()

    def set_overlay_visible(self, visible: bool) -> None:
        """Shows or hides the mask, at once: for a key that is held."""
        self._overlay_visible = visible
        self.update()

    def set_outline(self, outline: Cursor | None) -> None:
        """Shows a brush's outline there, and no longer where it was."""
        before, self._outline = self._outline, outline
        if outline == before:
            return
        for cursor in (before, outline):
            if cursor is not None:
                self._update_device(cursor.region)

    # Where one looks

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits again, or keeps the middle in the middle."""
        self._resize()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Brings the caches up to date and copies what is asked for, device pixel by device pixel."""
        if self.device_size != (self.viewport.width, self.viewport.height):
            self._resize()  # on a screen of another resolution now
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        if self._cache is None or self.viewport.rect.empty:
            painter.fillRect(QRect(0, 0, *self.device_size), QColor.fromRgba(BACKGROUND))
            return
        self._cache.bring_to(self.viewport)
        photo = image_over(self._cache.photo, QImage.Format.Format_RGB32)
        overlay = image_over(self._cache.overlay, QImage.Format.Format_ARGB32_Premultiplied)
        for part in rects(event.region()):
            box = _scaled(part, ratio)
            painter.drawImage(box.topLeft(), photo, box)
            if self._overlay_visible:
                self._cache.colour(Rect(box.x(), box.y(), box.width(), box.height()).intersection(self.viewport.rect))
                painter.drawImage(box.topLeft(), overlay, box)
        if self._outline is not None:
            self._outline.draw(painter)

    # Within

    def _forget(self) -> None:
        if self.document is not None:
            self.document.on_pixels.remove(self._pixels_changed)
        self.document, self._overlay, self._cache = None, None, None

    def _resize(self) -> None:
        viewport = self.viewport.resized(*self.device_size)
        self.look(viewport.fitted() if self._fitted else viewport)

    def _middle(self) -> QPointF:
        return QPointF(self.viewport.width / 2, self.viewport.height / 2)

    def _recolour(self) -> None:
        if self._overlay is not None:
            self._overlay.recolour(self._classes, self._opacity)
            self.update()

    def _pixels_changed(self, rect: Rect) -> None:
        if self._cache is not None:
            self._cache.touch(rect)
            seen = self.viewport.view_rect(rect)
            self._update_device(QRegion(seen.x, seen.y, seen.width, seen.height))

    def _update_device(self, region: QRegion) -> None:
        """Asks for a repaint of device pixels."""
        ratio = self.devicePixelRatioF()
        if ratio == 1:
            self.update(region)
            return
        for part in rects(region):
            self.update(_scaled(part, 1 / ratio))


def _scaled(rect: QRect, factor: float) -> QRect:
    """The smallest whole rectangle around one in other units."""
    x, y = floor(rect.x() * factor), floor(rect.y() * factor)
    return QRect(x, y, ceil((rect.right() + 1) * factor) - x, ceil((rect.bottom() + 1) * factor) - y)
