"""What a round brush covers, exactly: the drawing functions of imaging libraries overshoot or fall short."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool
from app.domain.geometry import Rect

_Rows = NDArray[np.int64]
_NOWHERE = 1 << 40  # beyond every column: left of nothing, right of nothing


def disc(radius: int) -> Bool:
    """Pixels whose centre is within `radius` of the middle one's: (2r+1, 2r+1), dx² + dy² <= r². One for radius 0."""
    return capsule((0, 0), (0, 0), radius)[1]


def capsule(start: tuple[int, int], end: tuple[int, int], radius: int, within: Rect | None = None) -> tuple[Rect, Bool]:
    """Pixels whose centre is within `radius` of the straight line between the centres of two pixels (x, y).

    Gives the smallest rectangle around them and which of its pixels they are. Without `within` it may reach out of
    the picture; with it, nothing outside is given or allocated. A line of radius 0 is taken as half a pixel thick at
    each side, so that it has no gaps. All in whole numbers; coordinates up to 2**26.
    """
    (ax, ay), (bx, by) = start, end
    box = Rect.bounding(min(ax, bx) - radius, min(ay, by) - radius, max(ax, bx) + radius + 1, max(ay, by) + radius + 1)
    if within is not None:
        box = box.intersection(within)
    rows = np.arange(box.y, box.bottom, dtype=np.int64)
    spans = [_disc_span(rows, ax, ay, radius)]
    if start != end:
        spans += [_disc_span(rows, bx, by, radius), _band_span(rows, start, end, radius)]
    # The shape is convex, so a row of it is one run: from the leftmost to the rightmost pixel of its three parts.
    left = np.maximum(np.minimum.reduce([left for left, _ in spans]), box.x)
    right = np.minimum(np.maximum.reduce([right for _, right in spans]) + 1, box.right)
    return _filled(box, left, right)


def _disc_span(rows: _Rows, x: int, y: int, radius: int) -> tuple[_Rows, _Rows]:
    """First and last column of a disc in each row."""
    square = radius * radius - (rows - y) ** 2
    half = np.sqrt(np.maximum(square, 0)).astype(np.int64)  # exact: a float64 holds these squares and their roots
    inside = square >= 0
    return np.where(inside, x - half, _NOWHERE), np.where(inside, x + half, -_NOWHERE)


def _band_span(rows: _Rows, start: tuple[int, int], end: tuple[int, int], radius: int) -> tuple[_Rows, _Rows]:
    """First and last column, in each row, of the rectangle of width 2r along the line.

    With d = end - start and p = pixel - start, that is |d x p| <= r |d| and 0 <= d · p <= d · d.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    square = dx * dx + dy * dy
    reach = isqrt(radius * radius * square) if radius else isqrt(square) // 2
    py = rows - start[1]
    across = _between(dy, dx * py - reach, dx * py + reach)
    along = _between(dx, -dy * py, square - dy * py)
    left, right = np.maximum(across[0], along[0]), np.minimum(across[1], along[1])
    inside = left <= right
    return np.where(inside, start[0] + left, _NOWHERE), np.where(inside, start[0] + right, -_NOWHERE)


def _between(factor: int, low: _Rows, high: _Rows) -> tuple[_Rows, _Rows]:
    """First and last whole number n with low <= factor · n <= high."""
    if factor == 0:
        possible = (low <= 0) & (high >= 0)
        return np.where(possible, -_NOWHERE, _NOWHERE), np.where(possible, _NOWHERE, -_NOWHERE)
    if factor < 0:
        factor, low, high = -factor, -high, -low
    return -(-low // factor), high // factor


def _filled(box: Rect, left: _Rows, right: _Rows) -> tuple[Rect, Bool]:
    """The runs [left, right) of a box's rows as an array, cut to what they cover."""
    covered = (left < right).nonzero()[0]
    if not covered.size:
        return Rect(box.x, box.y, 0, 0), np.zeros((0, 0), bool)
    rows = slice(int(covered[0]), int(covered[-1]) + 1)
    x, end = int(left[covered].min()), int(right[covered].max())
    columns = np.arange(end - x, dtype=np.int32)
    first, last = ((side[rows, None] - x).astype(np.int32) for side in (left, right))
    return Rect.bounding(x, box.y + rows.start, end, box.y + rows.stop), (columns >= first) & (columns < last)
