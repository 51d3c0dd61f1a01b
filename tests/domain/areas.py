"""The plainest way to say which pixels hang together, and to lay a marked area out on its picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.domain.area import Area
from app.domain.arrays import Bool, UInt8
from app.domain.geometry import Rect

Place = tuple[int, int]


def laid_out(area: Area, height: int, width: int) -> Bool:
    """The area as (H, W); its rectangle must be the smallest and lie in the picture."""
    rect, marked = area
    assert marked.dtype == bool
    assert marked.shape == (rect.height, rect.width)
    assert Rect.around(marked) == Rect(0, 0, rect.width, rect.height)
    assert Rect(0, 0, width, height).contains(rect)
    picture = np.zeros((height, width), bool)
    picture[rect.slices] = marked
    return picture


def area_of(marked: Bool) -> Area:
    """All True of (H, W)."""
    rect = Rect.around(marked)
    return rect, marked[rect.slices].copy()


def reached(height: int, width: int, seed: Place, together: Callable[[Place, Place], bool]) -> Bool:
    """What a walk over pixel edges from the seed (x, y) comes to, when it may step between `together` pixels."""
    marked = np.zeros((height, width), bool)
    marked[seed[::-1]] = True
    todo = [seed]
    while todo:
        x, y = todo.pop()
        for u, v in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if 0 <= u < width and 0 <= v < height and not marked[v, u] and together((x, y), (u, v)):
                marked[v, u] = True
                todo.append((u, v))
    return marked


def regions_of(kinds: np.ndarray) -> list[Bool]:
    """Every 4-connected region of equal values, in the order of their first pixels."""
    height, width = kinds.shape
    seen, regions = np.zeros(kinds.shape, bool), []
    for y, x in np.ndindex(kinds.shape):
        if not seen[y, x]:
            regions.append(reached(height, width, (x, y), lambda p, q: bool(kinds[p[::-1]] == kinds[q[::-1]])))
            seen |= regions[-1]
    return regions


def locked(array: np.ndarray) -> np.ndarray:
    """The array, read-only: what writes to it fails."""
    array.flags.writeable = False
    return array


def speckled(height: int, width: int, levels: int, seed: int) -> UInt8:
    """A read-only picture (H, W, 3) of few levels, in which neighbours are often alike."""
    rng = np.random.default_rng(seed)
    return locked(rng.integers(0, levels, (height, width, 3), np.uint8))
