"""What a filled rectangle, ellipse or polygon covers: exactly the pixels whose centre lies inside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool
from app.domain.footprint import fill_runs
from app.domain.geometry import Rect

_FAR = 2.0**24  # pixels; corners further out are brought to there
_FINE = 64  # corners are taken to this part of a pixel: with _FAR, the largest at which 64-bit products are exact
_BLOCK = 1 << 17  # crossings reckoned at a time, to bound memory

_Whole = NDArray[np.int64]


def rectangle(a: tuple[int, int], b: tuple[int, int], within: Rect) -> tuple[Rect, Bool]:
    """The rectangle with the pixels a and b (x, y) in opposite corners, both inside it.

    Gives the smallest rectangle around what lies in `within`, and which of its pixels they are (all).
    """
    box = _between(a, b).intersection(within)
    if box.empty:
        box = Rect(box.x, box.y, 0, 0)
    return box, np.ones((box.height, box.width), bool)


def ellipse(a: tuple[int, int], b: tuple[int, int], within: Rect) -> tuple[Rect, Bool]:
    """Pixels whose centre is in or on the ellipse that touches the sides of `rectangle(a, b)`.

    Gives the smallest rectangle around what lies in `within`, and which of its pixels they are. In whole numbers.
    """
    whole = _between(a, b)
    box = whole.intersection(within)
    # In half pixels from the middle, (u, v) is a centre and u² h² + v² w² <= w² h² says whether it is inside.
    widest, square = whole.width**2, whole.height**2
    halves = [
        isqrt(widest * (square - (2 * (y - whole.y) + 1 - whole.height) ** 2) // square)
        for y in range(box.y, box.bottom)
    ]
    half = np.array(halves, np.int64)
    middle = whole.width - 1
    return fill_runs(box, whole.x - (half - middle) // 2, whole.x + (half + middle) // 2 + 1)


def polygon(points: NDArray[np.floating], within: Rect) -> tuple[Rect, Bool]:
    """Pixels whose centre is inside a closed polygon, by the even-odd rule; it may cross itself.

    `points`: corners (N, 2), x and y in picture coordinates, where pixel (i, j) covers i … i+1 and j … j+1; taken to
    the nearest 1/64 of a pixel, and to 2**24 where they are further out. Fewer than three enclose nothing. A centre on
    an edge belongs to the side below it, or right of it where the edge is upright: polygons with a common edge share
    no pixel and leave none out. Gives the smallest rectangle around what lies in `within`, and which of its pixels they
    are. ValueError for another shape of array, and for corners that are no numbers.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"the corners of a polygon are (N, 2), not {points.shape}")
    if np.isnan(points).any():
        raise ValueError("a corner of the polygon is not a number")
    if len(points) < 3:
        return Rect(within.x, within.y, 0, 0), np.zeros((0, 0), bool)
    corners = np.rint(np.clip(points, -_FAR, _FAR) * _FINE).astype(np.int64)
    low, high = _first_centre(corners.min(axis=0)), _first_centre(corners.max(axis=0))
    box = Rect.bounding(int(low[0]), int(low[1]), int(high[0]), int(high[1])).intersection(within)
    if box.empty:
        return Rect(box.x, box.y, 0, 0), np.zeros((0, 0), bool)
    inside = np.zeros((box.height, box.width), np.uint8)
    # A pixel is inside when an odd number of edges lies above its centre. Only the last bit counts, so overflow may.
    for columns, rows in _crossings(corners, box):
        np.add.at(inside.reshape(-1), rows * box.width + columns, np.uint8(1))
    for above, row in pairwise(inside):
        np.bitwise_xor(row, above, out=row)
    inside &= 1
    filled = inside.view(bool)
    covered = Rect.around(filled)
    return covered.shifted(box.x, box.y), filled[covered.slices]


def _between(a: tuple[int, int], b: tuple[int, int]) -> Rect:
    return Rect.bounding(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]) + 1, max(a[1], b[1]) + 1)


def _first_centre(place: _Whole) -> _Whole:
    """The first pixel whose centre is at or after a place in 1/64 of a pixel."""
    return -((_FINE // 2 - place) // _FINE)


def _crossings(corners: _Whole, box: Rect) -> Iterator[tuple[_Whole, _Whole]]:
    """Where edges cross columns of centres: the column, and the first row that is not above the edge, in the box.

    An edge above the box is given in its first row, one below the box is left out.
    """
    ends = np.stack([corners, np.roll(corners, -1, axis=0)])  # (2, N, 2)
    # From left to right, so that two polygons reckon alike with a common edge. An upright one crosses no column.
    order = np.argsort(ends[:, :, 0], axis=0, kind="stable")[:, :, None]
    left, right = np.take_along_axis(ends, order, axis=0)
    first = np.maximum(_first_centre(left[:, 0]), box.x)
    count = np.maximum(np.minimum(_first_centre(right[:, 0]), box.right) - first, 0)
    total = np.cumsum(count)
    of_edge = np.column_stack([first - total + count, left, right - left]).T
    for edges in np.split(np.arange(len(count)), np.flatnonzero(np.diff(total // _BLOCK)) + 1):
        start, x, y, dx, dy = np.repeat(of_edge[:, edges], count[edges], axis=1)
        column = np.arange(total[edges[0]] - count[edges[0]], total[edges[-1]]) + start
        row = _first_centre(y - (column * _FINE + _FINE // 2 - x) * -dy // dx)
        seen = row < box.bottom
        yield column[seen] - box.x, np.maximum(row[seen], box.y) - box.y
