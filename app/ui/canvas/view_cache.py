"""What the view shows, kept in device pixels: so that a dab, a pan and a repaint draw only what they change."""

from __future__ import annotations

from ctypes import memmove

import numpy as np

from app.domain.geometry import Rect
from app.ui.canvas.overlay import Overlay
from app.ui.canvas.photo import Photo
from app.ui.canvas.pixels import Codes, Pixels
from app.ui.canvas.viewport import Viewport

STALE_RECTS = 16
"""So many changed rectangles are drawn one by one; more are drawn as the one around them."""


class ViewCache:
    """Photo and overlay of one view, as arrays of its size."""

    def __init__(self, photo: Photo, overlay: Overlay) -> None:
        self._photo = photo
        self._overlay = overlay
        self._drawn: Viewport | None = None
        self._stale: list[Rect] = []
        self.photo: Pixels = np.empty((0, 0), np.uint32)
        """RGB32, (height, width) of the view."""
        self.overlay: Pixels = np.empty((0, 0), np.uint32)
        """ARGB32 premultiplied, of the same size; valid where it was last coloured."""
        self._codes: Codes = np.empty((0, 0), np.uint16)

    def touch(self, rect: Rect) -> None:
        """The mask has changed in that rectangle of the picture."""
        if any(known.contains(rect) for known in self._stale):
            return
        self._stale = [known for known in self._stale if not rect.contains(known)] + [rect]
        if len(self._stale) > STALE_RECTS:
            whole = self._stale[0]
            for other in self._stale[1:]:
                whole = whole.union(other)
            self._stale = [whole]

    def replace_photo(self, photo: Photo) -> None:
        """Another copy of the same picture."""
        self._photo = photo
        self._drawn = None

    def bring_to(self, viewport: Viewport) -> None:
        """Makes this show that view: moves what is there, draws what is new or stale."""
        for rect in self._exposed(viewport):
            self._photo.draw(viewport, rect, self.photo[rect.slices])
            self._overlay.draw(viewport, rect, self._codes[rect.slices])
        for changed in self._stale:
            rect = viewport.view_rect(changed)
            self._overlay.draw(viewport, rect, self._codes[rect.slices])
        self._stale.clear()
        self._drawn = viewport

    def colour(self, rect: Rect) -> None:
        """Makes that part of `overlay` valid. Colours change without drawing anything again, so they come last."""
        if not rect.empty:
            self._overlay.colour(self._codes[rect.slices], self.overlay[rect.slices])

    def _exposed(self, viewport: Viewport) -> list[Rect]:
        """The parts of the view that have to be drawn, after moving the others to their new place."""
        drawn, whole = self._drawn, viewport.rect
        if drawn is None or (drawn.zoom, drawn.rect) != (viewport.zoom, whole):
            if self.photo.shape != (whole.height, whole.width):
                self.photo = np.empty((whole.height, whole.width), np.uint32)
                self.overlay = np.empty((whole.height, whole.width), np.uint32)
                self._codes = np.empty((whole.height, whole.width), np.uint16)
            self._stale.clear()
            return [whole]
        dx, dy = (new - old for new, old in zip(viewport.origin, drawn.origin, strict=True))
        kept = whole.shifted(-dx, -dy).intersection(whole)
        if kept.empty:
            return [whole]
        _move(self.photo, dx, dy)
        _move(self._codes, dx, dy)
        sides = (
            Rect.bounding(0, 0, whole.right, kept.y),
            Rect.bounding(0, kept.bottom, whole.right, whole.bottom),
            Rect.bounding(0, kept.y, kept.x, kept.bottom),
            Rect.bounding(kept.right, kept.y, whole.right, kept.bottom),
        )
        return [side for side in sides if not side.empty]


def _move(pixels: Pixels | Codes, dx: int, dy: int) -> None:
    """Pixel (x, y) becomes what (x + dx, y + dy) was. What comes from outside is left as it falls: the caller draws it.

    One move of memory: rows follow each other, so that a step of dx and dy is a step along all of it. (numpy would move
    one of the two directions pixel by pixel.)
    """
    step = dy * pixels.shape[1] + dx
    start, moved = pixels.ctypes.data, max(pixels.size - abs(step), 0)
    to, source = max(-step, 0) * pixels.itemsize, max(step, 0) * pixels.itemsize
    memmove(start + to, start + source, moved * pixels.itemsize)
