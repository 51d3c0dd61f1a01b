"""The widget that shows a picture with its mask, at any zoom."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QWidget

from app.domain.arrays import Bool
from app.domain.classes import Classes
from app.domain.document import Document
from app.domain.geometry import Rect
from app.ui.canvas.divider import Divider
from app.ui.canvas.layers import Layer
from app.ui.canvas.looking import Looking, to_device_pixels
from app.ui.canvas.mark import Mark
from app.ui.canvas.overlay import Overlay, Proposed, Style
from app.ui.canvas.overview import Overview
from app.ui.canvas.photo import BACKGROUND, Photo
from app.ui.canvas.pixels import image_over, rects
from app.ui.canvas.tone import AS_IT_IS, Tone
from app.ui.canvas.view_cache import ViewCache


class PictureView(Looking):
    """Shows a photo, the mask of a document above it, and a brush's outline above both.

    It draws in device pixels, whatever the screen's ratio: nothing is blurred, no border is off by half a pixel.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.document: Document | None = None
        """Whose mask is shown."""
        self._style = Style()
        self._tone = AS_IT_IS
        self._grid = True
        self._overlay: Overlay | None = None
        self._cache: ViewCache | None = None
        self._marks: dict[str, Mark] = {}
        self._overview = Overview(self)
        self._overview.look_asked.connect(self.centre_on)

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
        self.document, self._style = document, replace(self._style, classes=classes)
        self._overlay = Overlay(document, self._style)
        self._cache = ViewCache(photo, self._overlay, self._tone, grid=self._grid)
        if not same:
            self.open(photo.width, photo.height)
        self._overview.set_photo(photo)
        self.update()

    def set_photo(self, photo: Photo) -> None:
        """Shows another copy of the same picture: the sharp one after its preview."""
        if self._cache is not None:
            self._cache.replace_photo(photo)
            self._overview.set_photo(photo)
            self.update()

    def clear(self) -> None:
        """Shows nothing."""
        self._forget()
        self._overview.set_photo(None)
        self.open(0, 0)
        self.update()

    def set_classes(self, classes: Classes) -> None:
        """Shows labels in other colours."""
        self._set_style(replace(self._style, classes=classes))

    @property
    def opacity(self) -> float:
        """Of a person's pixels, 0 … 1; a model's are fainter."""
        return self._style.opacity

    def set_opacity(self, opacity: float) -> None:
        """Shows what lies above the photo more or less strongly: 0 … 1."""
        self._set_style(replace(self._style, opacity=min(max(opacity, 0.0), 1.0)))

    def set_hidden_classes(self, hidden: frozenset[int]) -> None:
        """Shows all classes but these."""
        self._set_style(replace(self._style, hidden=hidden))

    def set_outlined(self, outlined: bool) -> None:
        """Shows regions by their outlines alone, or filled."""
        self._set_style(replace(self._style, outlined=outlined))

    def set_overlay_visible(self, visible: bool) -> None:
        """Shows or hides all that lies above the photo, at once: for a key that is held."""
        self._set_style(replace(self._style, visible=visible))

    def show_layer(self, layer: Layer | None) -> None:
        """Shows another layer in place of the mask, until the next picture; None: the mask."""
        if self._overlay is not None:
            self._overlay.layer = layer
            self._redraw(self.viewport.rect)

    def set_swipe(self, x: float | None) -> None:
        """Shows the mask left of that device pixel of the view, the layer right of it, and a line between.

        It stays there while the picture moves, until the next picture. None: the layer alone.
        """
        if self._overlay is None:
            return
        before = self._overlay.swipe
        after = self._overlay.swipe = None if x is None else floor(x)
        self.set_mark("swipe", None if after is None else Divider(after))
        start, end = (0, self.viewport.width) if before is None or after is None else sorted((before, after))
        self._redraw(Rect.bounding(start, 0, end, self.viewport.height).intersection(self.viewport.rect))

    def set_preview(self, rect: Rect, marked: Bool, label: int | None) -> None:
        """Shows the marked pixels (height, width) of a rectangle of the picture as they would be, in stripes.

        They would become a label, void (255) or empty (None). The array is kept, not copied. It is for whoever
        proposes to take it back: no edit does. ValueError for an array of another size.
        """
        if marked.shape != (rect.height, rect.width):
            raise ValueError(f"a preview of {marked.shape} for a rectangle of {rect.height} x {rect.width}")
        self._propose(Proposed(rect, marked, label))

    def clear_preview(self) -> None:
        """Shows what is there again."""
        self._propose(None)

    def set_tone(self, tone: Tone) -> None:
        """Shows the photo, and only it, in another tone."""
        self._tone = tone
        if self._cache is not None:
            self._cache.set_tone(tone)
            self.update()

    def set_grid(self, shown: bool) -> None:
        """Shows lines between the picture's pixels where these are large, or not."""
        self._grid = shown
        if self._cache is not None:
            self._cache.set_grid(shown)
            self.update()

    def set_overview(self, shown: bool) -> None:
        """Shows a small map in a corner where the picture does not fit into the view, or not."""
        self._overview.set_wanted(shown)

    def set_mark(self, name: str, mark: Mark | None) -> None:
        """Shows a mark of that name there (a brush's outline, a sketch), and no longer where it was."""
        before = self._marks.pop(name, None)
        if mark is not None:
            self._marks[name] = mark
        if mark == before:
            return
        for changed in (before, mark):
            if changed is not None:
                self._update_device(changed.region)

    # Qt's events

    def paintEvent(self, event: QPaintEvent) -> None:
        """Brings the caches up to date and copies what is asked for, device pixel by device pixel."""
        if self.device_size != (self.viewport.width, self.viewport.height):
            self._resize()  # on a screen of another resolution now
        painter = QPainter(self)
        to_device_pixels(painter, self.devicePixelRatioF())
        if self._cache is None or self.viewport.rect.empty:
            painter.fillRect(QRect(0, 0, *self.device_size), QColor.fromRgba(BACKGROUND))
            return
        self._cache.bring_to(self.viewport)
        screen = image_over(self._cache.screen, QImage.Format.Format_RGB32)
        for part in rects(event.region()):
            box = _scaled(part, self.devicePixelRatioF())
            painter.drawImage(box.topLeft(), screen, box)
        for mark in self._marks.values():
            mark.draw(painter)

    # Within

    def _forget(self) -> None:
        if self.document is not None:
            self.document.on_pixels.remove(self._pixels_changed)
        self.document, self._overlay, self._cache = None, None, None
        self.set_mark("swipe", None)

    def _set_style(self, style: Style) -> None:
        outlines = style.outlined != self._style.outlined
        self._style = style
        if self._overlay is None or self._cache is None:
            return
        self._overlay.style = style
        self._cache.recolour()
        self.update()
        if outlines:
            self._redraw(self.viewport.rect)

    def _propose(self, proposed: Proposed | None) -> None:
        if self._overlay is not None:
            before, self._overlay.proposed = self._overlay.proposed, proposed
            for each in (before, proposed):
                if each is not None:
                    self._pixels_changed(each.rect)

    def _redraw(self, rect: Rect) -> None:
        """Part of the view has other codes."""
        if self._cache is not None:
            self._cache.touch_view(rect)
            self._update_device(QRegion(rect.x, rect.y, rect.width, rect.height))

    def _pixels_changed(self, rect: Rect) -> None:
        if self._cache is not None and self._overlay is not None:
            self._cache.touch(rect)
            seen = self._overlay.affected(self.viewport, rect)
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
