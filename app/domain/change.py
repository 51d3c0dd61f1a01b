"""A change that was worked out elsewhere, ready to be written in the time of a copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.arrays import Bool, UInt8
from app.domain.geometry import Rect
from app.domain.guard import FREE, Guard
from app.domain.ink import Ink
from app.domain.mask import Mask
from app.domain.patch import TILE, Part, Patch


@dataclass(frozen=True, eq=False)
class Change:
    """What a rectangle of a mask will hold, with the finished patch.

    Made in a worker from the mask as it was; whoever writes it makes sure that the mask still is so.
    """

    rect: Rect
    labels: UInt8
    """(height, width) of the rectangle."""
    provenance: UInt8
    marked: Bool
    """The pixels that change."""
    patch: Patch

    @classmethod
    def between(cls, mask: Mask, rect: Rect, labels: UInt8, provenance: UInt8) -> Change | None:
        """From what a rectangle holds to these planes (height, width); None when they are equal. Reads the mask."""
        old = Mask(mask.labels[rect.slices], mask.provenance[rect.slices])
        new = Mask(labels, provenance)
        marked = (old.labels != new.labels) | (old.provenance != new.provenance)
        patch = Patch.of(_parts(rect, old, new))
        return None if patch is None else cls(rect, new.labels, new.provenance, marked, patch)

    @classmethod
    def painting(cls, mask: Mask, rect: Rect, marked: Bool, ink: Ink, guard: Guard = FREE) -> Change | None:
        """Ink on the marked pixels (height, width) of a rectangle, as far as the guard admits; None without effect."""
        inside = rect.clipped(mask.width, mask.height)
        if inside.empty:
            return None
        labels, provenance = mask.labels[inside.slices].copy(), mask.provenance[inside.slices].copy()
        where = marked[inside.shifted(-rect.x, -rect.y).slices]
        admitted = guard.admits(labels, provenance)
        ink.put(inside, labels, provenance, where if admitted is None else where & admitted)
        return cls.between(mask, inside, labels, provenance)


def _parts(rect: Rect, old: Mask, new: Mask) -> Iterator[Part]:
    """A rectangle's planes, tile by tile."""
    for strip in Rect(0, 0, rect.width, rect.height).strips(TILE):
        for x in range(0, rect.width, TILE):
            tile = Rect(x, strip.y, min(TILE, rect.width - x), strip.height)
            cut = tile.slices
            yield Part(
                tile.shifted(rect.x, rect.y),
                old.labels[cut],
                old.provenance[cut],
                new.labels[cut],
                new.provenance[cut],
            )
