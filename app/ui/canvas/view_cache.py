"""What the view shows, kept in device pixels: so that a dab, a pan and a repaint draw only what they change."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage, QPainter

from app.domain.geometry import Rect
from app.ui.canvas.grid import GRID_FROM, draw_grid
from app.ui.canvas.overlay import Overlay
from app.ui.canvas.photo import Photo
from app.ui.canvas.pixels import Pixels, image_over
from app.ui.canvas.scrolled import Scrolled
from app.ui.canvas.tone import AS_IT_IS, Tone
from app.ui.canvas.viewport import Viewport

STALE_RECTS = 16
"""So many changed rectangles are drawn one by one; more are drawn as the one around them."""

BAND = 128
"""Rows put together at a time: few enough that their colours are still in the processor's cache when they are mixed."""


class ViewCache:
    """One view as it is on the screen, and what that is made of: photo and codes.

    `bring_to` draws, mixes and moves as little as it can; whoever changes something says what.
    """

    def __init__(self, photo: Photo, overlay: Overlay, tone: Tone = AS_IT_IS, *, grid: bool = False) -> None:
        self._photo = photo
        self._overlay = overlay
        self._tone = tone
        self._grid = grid
        self._drawn: Viewport | None = None
        self._stale: list[Rect] = []  # of the picture
        self._stale_codes: list[Rect] = []  # of the view, as drawn
        self._remix = False
        self._pixels: Scrolled[np.uint32] = Scrolled(np.uint32)
        self._codes: Scrolled[np.uint16] = Scrolled(np.uint16)
        self._screen: Scrolled[np.uint32] = Scrolled(np.uint32)

    @property
    def screen(self) -> Pixels:
        """RGB32, (height, width) of the view that it was last brought to."""
        return self._screen.pixels

    # What has changed

    def touch(self, rect: Rect) -> None:
        """The picture's codes have changed in that rectangle of the picture."""
        if any(known.contains(rect) for known in self._stale):
            return
        self._stale = [known for known in self._stale if not rect.contains(known)] + [rect]
        if len(self._stale) > STALE_RECTS:
            whole = self._stale[0]
            for other in self._stale[1:]:
                whole = whole.union(other)
            self._stale = [whole]

    def touch_view(self, rect: Rect) -> None:
        """The codes have changed in that part of the view that it was last brought to."""
        self._stale_codes.append(rect)

    def replace_photo(self, photo: Photo) -> None:
        """Another copy of the same picture."""
        self._photo = photo
        self._drawn = None

    def set_tone(self, tone: Tone) -> None:
        """Shows the photo in another tone."""
        self._tone = tone
        self._drawn = None

    def set_grid(self, shown: bool) -> None:
        """With lines between the picture's pixels, or without."""
        self._grid = shown
        self._remix = True

    def recolour(self) -> None:
        """The overlay has another style."""
        self._remix = True

    # Drawing

    def bring_to(self, viewport: Viewport) -> None:
        """Makes `screen` show that view: moves what is there, draws what is new or stale."""
        exposed = self._exposed(viewport)
        stale = [self._overlay.affected(viewport, rect) for rect in self._stale]
        self._draw(viewport, exposed, [rect for rect in stale + self._stale_codes if not rect.empty])
        if self._remix and exposed != [viewport.rect]:
            self._mix(viewport, [viewport.rect])
        self._stale, self._stale_codes, self._remix, self._drawn = [], [], False, viewport

    def _draw(self, viewport: Viewport, exposed: list[Rect], stale: list[Rect]) -> None:
        """Draws parts of the view: all of them, or what lies above the photo alone."""
        for rect in exposed:
            self._photo.draw(viewport, rect, self._pixels.pixels[rect.slices], self._tone)
        for rect in exposed + stale:
            self._overlay.draw(viewport, rect, self._codes.pixels[rect.slices])
        self._mix(viewport, exposed + stale)

    def _mix(self, viewport: Viewport, rects: list[Rect]) -> None:
        """Makes those parts of the screen from photo, codes and grid."""
        if not rects or viewport.rect.empty:
            return
        screen = self._screen.pixels
        colours: Pixels = np.empty((BAND, viewport.width), np.uint32)
        veil = image_over(colours, QImage.Format.Format_ARGB32_Premultiplied)
        target = image_over(screen, QImage.Format.Format_RGB32)  # a painter does not keep what it paints on
        painter = QPainter(target)
        for rect in rects:
            for band in rect.strips(BAND):
                screen[band.slices] = self._pixels.pixels[band.slices]
                self._overlay.colour(self._codes.pixels[band.slices], colours[: band.height, : band.width])
                painter.drawImage(band.x, band.y, veil, 0, 0, band.width, band.height)
            if self._grid and viewport.zoom >= GRID_FROM:  # before the next one, which may overlap
                draw_grid(viewport, rect, screen[rect.slices])
        painter.end()

    def _exposed(self, viewport: Viewport) -> list[Rect]:
        """The parts of the view that have to be drawn, after moving the others to their new place."""
        drawn, whole = self._drawn, viewport.rect
        if drawn is None or (drawn.zoom, drawn.rect) != (viewport.zoom, whole):
            if self.screen.shape != (whole.height, whole.width):
                for kept in (self._pixels, self._codes, self._screen):
                    kept.resize(whole.height, whole.width)
            return self._anew(whole)
        dx, dy = (new - old for new, old in zip(viewport.origin, drawn.origin, strict=True))
        if dx == dy == 0:
            return []
        kept_part = whole.shifted(-dx, -dy).intersection(whole)
        if kept_part.empty:
            return self._anew(whole)
        for kept in (self._pixels, self._codes, self._screen):
            kept.scroll(dx, dy)
        self._stale_codes = [rect.shifted(-dx, -dy).intersection(whole) for rect in self._stale_codes]
        if (swipe := self._overlay.swipe) is not None:  # it stays where it is in the view
            slid = Rect.bounding(min(swipe, swipe - dx), 0, max(swipe, swipe - dx), whole.height)
            self._stale_codes.append(slid.intersection(whole))
        sides = (
            Rect.bounding(0, 0, whole.right, kept_part.y),
            Rect.bounding(0, kept_part.bottom, whole.right, whole.bottom),
            Rect.bounding(0, kept_part.y, kept_part.x, kept_part.bottom),
            Rect.bounding(kept_part.right, kept_part.y, whole.right, kept_part.bottom),
        )
        return [side for side in sides if not side.empty]

    def _anew(self, whole: Rect) -> list[Rect]:
        self._stale, self._stale_codes = [], []
        return [whole]
