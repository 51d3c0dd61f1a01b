"""A change under way: remembers what was there, so that it can become a patch or be undone without a trace."""

from __future__ import annotations

from app.domain.arrays import UInt8
from app.domain.geometry import Rect
from app.domain.mask import Mask
from app.domain.patch import TILE, Part, Patch


class Edit:
    """Saves tiles of a mask when they are first touched: it costs what it touches, never the size of the picture."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.dirty = Rect(0, 0, 0, 0)
        """Around all that was touched."""
        self._picture = Rect.of(mask.labels)
        self._saved: dict[tuple[int, int], tuple[Rect, UInt8, UInt8]] = {}
        """By row and column of the tile: its pixels, and the labels and provenance that they had."""

    def touch(self, rect: Rect) -> None:
        """To be called before anything inside the rectangle (clipped to the picture) is written."""
        rect = rect.intersection(self._picture)
        if rect.empty:
            return
        self.dirty = self.dirty.union(rect)
        for row in range(rect.y // TILE, (rect.bottom - 1) // TILE + 1):
            for column in range(rect.x // TILE, (rect.right - 1) // TILE + 1):
                if (row, column) not in self._saved:
                    part = Rect(column * TILE, row * TILE, TILE, TILE).intersection(self._picture)
                    labels, provenance = self.mask.labels[part.slices], self.mask.provenance[part.slices]
                    self._saved[row, column] = (part, labels.copy(), provenance.copy())

    def patch(self) -> Patch | None:
        """What has changed since the start; None when it is nothing. The edit goes on."""
        return Patch.of(self._part(*self._saved[place]) for place in sorted(self._saved))

    def _part(self, tile: Rect, labels: UInt8, provenance: UInt8) -> Part:
        inside = tile.intersection(self.dirty)
        old, new = inside.shifted(-tile.x, -tile.y).slices, inside.slices
        return Part(inside, labels[old], provenance[old], self.mask.labels[new], self.mask.provenance[new])

    def rollback(self) -> None:
        """Put back all that was touched."""
        for part, labels, provenance in self._saved.values():
            self.mask.labels[part.slices] = labels
            self.mask.provenance[part.slices] = provenance
