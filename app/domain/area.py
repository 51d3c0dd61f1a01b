"""Marked areas: a rectangle of a picture and which of its pixels are meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.arrays import Bool
from app.domain.geometry import Rect

Area = tuple[Rect, Bool]
"""The rectangle, best the smallest one, and (height, width) of it."""

NOTHING: Area = (Rect(0, 0, 0, 0), np.zeros((0, 0), bool))


def cropped(rect: Rect, marked: Bool) -> Area:
    """The same pixels in the smallest rectangle, as an array of its own."""
    inner = Rect.around(marked)
    if inner.empty:
        return NOTHING
    return inner.shifted(rect.x, rect.y), marked[inner.slices].copy()


def on(rect: Rect, area: Area) -> Bool:
    """The area on a rectangle that holds it: (height, width) of the rectangle."""
    out = np.zeros((rect.height, rect.width), bool)
    if not area[0].empty:
        out[area[0].shifted(-rect.x, -rect.y).slices] = area[1]
    return out


def joined(areas: Sequence[Area]) -> Area:
    """All of them as one; an empty one of none."""
    around = Rect(0, 0, 0, 0)
    for rect, _ in areas:
        around = around.union(rect)
    out = np.zeros((around.height, around.width), bool)
    for rect, marked in areas:
        if not rect.empty:
            out[rect.shifted(-around.x, -around.y).slices] |= marked
    return around, out
