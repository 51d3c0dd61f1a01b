"""Where a picture stands in a view: the numbers of zoom and pan, without a widget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log2

import numpy as np
from numpy.typing import NDArray

from app.domain.geometry import Rect

MAX_ZOOM = 64.0
"""Device pixels a picture pixel, at most."""

STEPS = 3
"""Zoom steps from one power of two to the next. All steps lie on that grid, so that 1:1, 2:1 … are among them."""

KEPT = 48
"""Device pixels of the picture that a pan leaves in the view, so that nobody loses it."""

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Viewport:
    """A view of a picture. All lengths of the view are device pixels; the picture's are its own pixels.

    Device pixel (i, j) shows what lies under its centre: column floor((i + left + 0.5) / zoom) of the picture, with
    `left` rounded to a whole device pixel. A pan by whole device pixels therefore shows the very same pixels, moved.
    """

    width: int
    height: int
    picture_width: int
    picture_height: int
    zoom: float = 1.0
    """Device pixels a picture pixel, above 0."""

    left: float = 0.0
    """Device pixels from the picture's left edge to the view's. Kept exact, so that zooming does not drift."""

    top: float = 0.0
    """The same from the picture's upper edge."""

    @property
    def origin(self) -> tuple[int, int]:
        """`left` and `top` as drawn: whole device pixels."""
        return floor(self.left + 0.5), floor(self.top + 0.5)

    @property
    def rect(self) -> Rect:
        """The whole view."""
        return Rect(0, 0, self.width, self.height)

    @property
    def min_zoom(self) -> float:
        """The zoom at which the picture fills an eighth of the view, or 1:1 where that is less."""
        return min(1.0, self._fit_zoom / 8)

    @property
    def _fit_zoom(self) -> float:
        width, height = max(self.picture_width, 1), max(self.picture_height, 1)
        all_of_it = min(max(self.width, 1) / width, max(self.height, 1) / height)
        return min(max(all_of_it, 1 / min(width, height)), MAX_ZOOM)

    def fitted(self) -> Viewport:
        """All of the picture, as large as it goes, in the middle; a very narrow one no narrower than a pixel."""
        zoom = self._fit_zoom
        return replace(
            self,
            zoom=zoom,
            left=(self.picture_width * zoom - self.width) / 2,
            top=(self.picture_height * zoom - self.height) / 2,
        )

    def resized(self, width: int, height: int) -> Viewport:
        """The same zoom in a view of another size, around the same middle."""
        left = self.left + (self.width - width) / 2
        return replace(self, width=width, height=height, left=left, top=self.top + (self.height - height) / 2)._kept()

    def zoomed(self, zoom: float, x: float, y: float) -> Viewport:
        """At another zoom, within its limits; what is under (x, y) of the view stays there.

        Where that is not the picture, its nearest point stays: so zooming never loses the picture.
        """
        zoom = min(max(zoom, self.min_zoom), MAX_ZOOM)
        across = min(max(x + self.left, 0.0), self.picture_width * self.zoom)
        down = min(max(y + self.top, 0.0), self.picture_height * self.zoom)
        factor = zoom / self.zoom - 1
        return replace(self, zoom=zoom, left=self.left + across * factor, top=self.top + down * factor)

    def stepped(self, steps: int, x: float, y: float) -> Viewport:
        """So many zoom steps nearer (or farther, below 0) at (x, y)."""
        place = log2(self.zoom) * STEPS
        start = floor(place + 1e-6) if steps > 0 else ceil(place - 1e-6)
        return self.zoomed(2.0 ** ((start + steps) / STEPS), x, y)

    def moved(self, dx: float, dy: float) -> Viewport:
        """The picture pushed right and down by so many device pixels, as far as it stays in sight."""
        return replace(self, left=self.left - dx, top=self.top - dy)._kept()

    def _kept(self) -> Viewport:
        return replace(
            self,
            left=_kept(self.left, self.width, self.picture_width * self.zoom),
            top=_kept(self.top, self.height, self.picture_height * self.zoom),
        )

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Picture coordinates of a place in the view; pixel (i, j) of either covers [i, i + 1) x [j, j + 1)."""
        left, top = self.origin
        return (x + left) / self.zoom, (y + top) / self.zoom

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """View coordinates of a place in the picture."""
        left, top = self.origin
        return x * self.zoom - left, y * self.zoom - top

    def view_rect(self, rect: Rect) -> Rect:
        """The device pixels that can show a rectangle of the picture, clipped to the view."""
        if rect.empty:
            return Rect(0, 0, 0, 0)
        x0, y0 = self.to_view(rect.x, rect.y)
        x1, y1 = self.to_view(rect.right, rect.bottom)
        # Centres decide which pixels those are; one more on each side forgives the rounding of the division.
        return Rect.bounding(ceil(x0) - 1, ceil(y0) - 1, ceil(x1) + 1, ceil(y1) + 1).intersection(self.rect)

    def samples(self, rect: Rect) -> tuple[Rect, Indices, Indices]:
        """What a part of the view shows: the part of it that the picture covers, and its picture rows and columns."""
        left, top = self.origin
        columns, x = _samples(rect.x, rect.right, left, self.zoom, self.picture_width)
        rows, y = _samples(rect.y, rect.bottom, top, self.zoom, self.picture_height)
        if not rows.size or not columns.size:
            return Rect(rect.x, rect.y, 0, 0), rows[:0], columns[:0]
        return Rect(x, y, len(columns), len(rows)), rows, columns


def _samples(start: int, end: int, origin: int, zoom: float, length: int) -> tuple[Indices, int]:
    """Picture index under each device pixel of [start, end) that the picture covers, and the first such pixel."""
    indices = np.floor((np.arange(start, end) + (origin + 0.5)) / zoom).astype(np.intp)
    first, last = np.searchsorted(indices, (0, length))
    return indices[first:last], start + int(first)


def _kept(left: float, view: int, picture: float) -> float:
    """The position nearest to `left` at which enough of the picture is in the view."""
    kept = min(KEPT, view, picture)
    return min(max(left, kept - view), picture - kept)
