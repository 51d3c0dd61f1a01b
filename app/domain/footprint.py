"""What a brush covers, exactly: the drawing functions of imaging libraries overshoot or fall short."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool
from app.domain.geometry import Rect

Shape = Literal["round", "square"]

_Columns = NDArray[np.int64]
_BLOCK = 1 << 17  # pixels filled at a time: what is reckoned for them stays in the processor's cache


def disc(radius: int) -> Bool:
    """Pixels whose centre is within `radius` of the middle one's: (2r+1, 2r+1), dx² + dy² <= r². Read-only."""
    return _stamp(radius, "round")


def capsule(
    start: tuple[int, int],
    end: tuple[int, int],
    radius: int,
    within: Rect | None = None,
    shape: Shape = "round",
) -> tuple[Rect, Bool]:
    """What a brush covers on the straight line between the centres of two pixels (x, y).

    A round one covers the pixels whose centre is within `radius` of the line; a square one those that are within it
    both across and down of one and the same point of the line. Gives the smallest rectangle around them and which of
    its pixels they are; the array may be read-only. Without `within` it may reach out of the picture; with it, nothing
    outside is given or allocated. With radius 0 both are a line half a pixel thick at each side, so that it has no
    gaps. All in whole numbers; coordinates up to 2**26.
    """
    if start == end:
        return _dab(start, radius, within, shape)
    (ax, ay), (bx, by) = sorted((start, end), key=lambda pixel: pixel[1])
    whole = Rect.bounding(min(ax, bx) - radius, ay - radius, max(ax, bx) + radius + 1, by + radius + 1)
    box = whole if within is None else whole.intersection(within)
    if box.empty:
        return _nothing(box)
    dx, dy = abs(bx - ax), by - ay
    half = _half_widths(radius, shape)
    # The shape is its own image when turned by half a turn, so that its right side is its left side, turned.
    above, below = box.y - ay, box.bottom - ay
    left = _left_side(half, dx, dy, shape, above, below)
    right = dx - _left_side(half, dx, dy, shape, dy - below + 1, dy - above + 1)[::-1]
    if ax > bx:
        left, right = -right, -left
    return fill_runs(box, left + ax, right + (ax + 1), cut=box != whole)


def fill_runs(box: Rect, first: _Columns, stop: _Columns, *, cut: bool = True) -> tuple[Rect, Bool]:
    """The pixels first … stop-1 of each row of a box: the smallest rectangle around them, and which of its they are.

    They are the runs of a convex shape: no row without pixels lies between two with some. What lies outside the box is
    left out; without `cut` the box is known to be the smallest.
    """
    if cut:
        first, stop = np.maximum(first, box.x), np.minimum(stop, box.right)
        covered = np.flatnonzero(first < stop)
        if not covered.size:
            return _nothing(box)
        rows = slice(int(covered[0]), int(covered[-1]) + 1)
        first, stop = first[rows], stop[rows]
        box = Rect.bounding(int(first.min()), box.y + rows.start, int(stop.max()), box.y + rows.stop)
    narrow: np.dtype[Any] = np.dtype(np.uint16 if box.width < 1 << 16 else np.uint32)
    columns = np.arange(box.width, dtype=narrow)
    begin = (first - box.x).astype(narrow)[:, None]
    length = (stop - first).astype(narrow)[:, None]
    # Left of its run a column minus the beginning wraps round to a large number: one comparison tells both sides.
    step = max(1, _BLOCK // box.width)
    if box.height <= step:
        return box, columns - begin < length
    filled = np.empty((box.height, box.width), bool)
    offsets = np.empty((step, box.width), narrow)
    for y in range(0, box.height, step):
        rows = slice(y, min(y + step, box.height))
        offset = np.subtract(columns, begin[rows], out=offsets[: rows.stop - y])
        np.less(offset, length[rows], out=filled[rows])
    return box, filled


def _dab(centre: tuple[int, int], radius: int, within: Rect | None, shape: Shape) -> tuple[Rect, Bool]:
    """A brush that does not move: a cut of its stamp."""
    stamp = _stamp(radius, shape)
    x, y = centre[0] - radius, centre[1] - radius
    box = Rect(x, y, 2 * radius + 1, 2 * radius + 1)
    if within is None or within.contains(box):
        return box, stamp
    box = box.intersection(within)
    if box.empty:
        return _nothing(box)
    # The longest row that is left is the one nearest to the middle, and so is the longest column.
    half = _half_widths(radius, shape)
    across = int(half[min(max(centre[1], box.y), box.bottom - 1) - y])
    down = int(half[min(max(centre[0], box.x), box.right - 1) - x])
    reach = Rect(centre[0] - across, centre[1] - down, 2 * across + 1, 2 * down + 1)
    box = box.intersection(reach)
    return (box, stamp[box.shifted(-x, -y).slices]) if not box.empty else _nothing(box)


def _nothing(near: Rect) -> tuple[Rect, Bool]:
    return Rect(near.x, near.y, 0, 0), np.zeros((0, 0), bool)


@lru_cache(maxsize=2)  # a hand holds one brush; two of the largest, radius 2000, are 32 MB
def _stamp(radius: int, shape: Shape) -> Bool:
    """The brush itself, (2r+1, 2r+1), read-only because it is shared."""
    half = _half_widths(radius, shape)
    size = 2 * radius + 1
    stamp = fill_runs(Rect(0, 0, size, size), radius - half, radius + half + 1, cut=False)[1]
    stamp.flags.writeable = False
    return stamp


@lru_cache(maxsize=16)
def _half_widths(radius: int, shape: Shape) -> _Columns:
    """How far each row of the brush reaches to either side of its middle column: (2r+1,), read-only."""
    rows = np.arange(-radius, radius + 1, dtype=np.int64)
    # Exact: a float64 holds these squares and their roots.
    half = np.full_like(rows, radius) if shape == "square" else np.sqrt(radius * radius - rows**2).astype(np.int64)
    half.flags.writeable = False
    return half


def _left_side(half: _Columns, dx: int, dy: int, shape: Shape, above: int, below: int) -> _Columns:
    """First column in each of the rows above … below-1 of a brush that goes from (0, 0) to (dx, dy), neither negative.

    From the top: the brush's own left side where it starts, to the row where the line that touches it at both ends
    leaves it; that line, dy rows of it; the rest of the brush where it ends.
    """
    radius = half.size // 2
    square = dx * dx + dy * dy
    # The line is dx · y - dy · x = reach; it touches the brush `touch` rows below its middle.
    if radius == 0:
        touch, reach = 0, isqrt(square) // 2
    elif shape == "round":
        touch, reach = isqrt(radius * radius * dx * dx // square), isqrt(radius * radius * square)
    else:
        touch, reach = radius, radius * (dx + dy)
    leaves = min(max(touch + 1, above), below)
    arrives = min(max(touch + 1 + dy, above), below)
    left = np.empty(below - above, np.int64)
    np.negative(half[above + radius : leaves + radius], out=left[: leaves - above])
    if arrives > leaves:
        left[leaves - above : arrives - above] = -((reach - dx * np.arange(leaves, arrives)) // dy)
    np.subtract(dx, half[arrives - dy + radius : below - dy + radius], out=left[arrives - above :])
    return left
