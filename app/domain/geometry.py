"""Rectangles of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.domain.arrays import Bool, UInt8


@dataclass(frozen=True, slots=True)
class Rect:
    """A half-open rectangle of pixels: columns x … right-1, rows y … bottom-1. It may lie outside any picture."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def bounding(cls, x0: int, y0: int, x1: int, y1: int) -> Rect:
        """The rectangle from (x0, y0) to before (x1, y1); empty when they are the wrong way round."""
        return cls(x0, y0, max(0, x1 - x0), max(0, y1 - y0))

    @classmethod
    def of(cls, array: UInt8 | Bool) -> Rect:
        """All of an array (H, W, …)."""
        return cls(0, 0, array.shape[1], array.shape[0])

    @classmethod
    def around(cls, marked: Bool) -> Rect:
        """The smallest rectangle that holds every True of (H, W); empty when there is none."""
        rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
        if not rows.size:
            return cls(0, 0, 0, 0)
        return cls.bounding(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

    @property
    def right(self) -> int:
        """The first column that is no longer inside."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row that is no longer inside."""
        return self.y + self.height

    @property
    def empty(self) -> bool:
        """True without a single pixel."""
        return self.width <= 0 or self.height <= 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an array (H, W); it must not start left of or above it."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def intersection(self, other: Rect) -> Rect:
        """What lies in both."""
        return Rect.bounding(
            max(self.x, other.x), max(self.y, other.y), min(self.right, other.right), min(self.bottom, other.bottom)
        )

    def union(self, other: Rect) -> Rect:
        """The smallest rectangle around both; an empty one adds nothing."""
        if self.empty or other.empty:
            return self if other.empty else other
        return Rect.bounding(
            min(self.x, other.x), min(self.y, other.y), max(self.right, other.right), max(self.bottom, other.bottom)
        )

    def contains(self, other: Rect) -> bool:
        """True when no pixel of the other lies outside."""
        return other.empty or self.intersection(other) == other

    def clipped(self, width: int, height: int) -> Rect:
        """What lies in a picture of that size."""
        return self.intersection(Rect(0, 0, width, height))

    def shifted(self, dx: int, dy: int) -> Rect:
        """Moved by whole pixels."""
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def grown(self, margin: int) -> Rect:
        """Larger by the margin on every side; smaller where it is negative."""
        return Rect.bounding(self.x - margin, self.y - margin, self.right + margin, self.bottom + margin)

    def strips(self, height: int) -> Iterator[Rect]:
        """Cut into rectangles of so many rows, from the top: to pass over a large picture in bounded memory."""
        for y in range(self.y, self.bottom, height):
            yield Rect(self.x, y, self.width, min(height, self.bottom - y))
