"""One undoable change of one image, small enough to keep thousands of."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.domain.arrays import UInt8
from app.domain.geometry import Rect
from app.domain.mask import Mask
from app.domain.runs import packed, unpacked

TILE = 256
"""Side in pixels of the largest block. Small ones keep a long thin stroke cheap, large ones a whole mask; measured for
both."""

Block = tuple[Rect, UInt8, UInt8]
"""A rectangle of one plane, before and after: (height, width) each."""


class Part(NamedTuple):
    """A rectangle of a mask before and after a change, (height, width) each: at most a tile."""

    rect: Rect
    old_labels: UInt8
    old_provenance: UInt8
    new_labels: UInt8
    new_provenance: UInt8


class PatchMismatch(Exception):
    """The patch does not belong on this mask (another program wrote it) or is damaged. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The change of one plane, labels or provenance.

    It keeps and checks blocks around what differs, so that a long thin stroke across a large picture costs what it
    covers and not the rectangle around it.
    """

    data: bytes
    """b"" when nothing changed. Else zlib level 1 of: the number of blocks; x, y, width, height of each (int32, low
    bytes first); the XOR of their pixels, row by row, block after block, as `runs.packed` has it."""

    before: int
    """CRC-32 of the blocks' pixels, in that order, before the change; 0 when nothing changed."""

    after: int
    """CRC-32 of the same pixels after it."""

    @classmethod
    def between(cls, blocks: Iterable[Block]) -> Plane:
        """What differs in these blocks, which must not overlap; equal ones are left out."""
        blocks = [block for block in blocks if not np.array_equal(block[1], block[2])]
        if not blocks:
            return cls(b"", 0, 0)
        before = after = 0
        for _, old, new in blocks:
            before = zlib.crc32(old.tobytes(), before)
            after = zlib.crc32(new.tobytes(), after)
        where = [(rect.x, rect.y, rect.width, rect.height) for rect, _, _ in blocks]
        head = np.array([len(blocks), *np.ravel(where)], "<i4").tobytes()
        xor = np.concatenate([(old ^ new).ravel() for _, old, new in blocks])
        return cls(zlib.compress(head + packed(xor), 1), before, after)

    def changes(self) -> list[tuple[Rect, UInt8]]:
        """The blocks, and the XOR (height, width) of each. PatchMismatch when the data is damaged."""
        if not self.data:
            return []
        try:
            raw = zlib.decompress(self.data)
            count = int(np.frombuffer(raw, "<i4", 1)[0])
            rects = [Rect(*map(int, row)) for row in np.frombuffer(raw, "<i4", 4 * count, 4).reshape(count, 4)]
            ends = np.cumsum([rect.width * rect.height for rect in rects])
            xor = np.split(unpacked(raw[4 + 16 * count :], int(ends[-1])), ends[:-1])
            return [(rect, part.reshape(rect.height, rect.width)) for rect, part in zip(rects, xor, strict=True)]
        except (zlib.error, ValueError, IndexError) as error:
            raise PatchMismatch(f"a change in the journal is damaged: {error}") from error

    def fitting(self, array: UInt8, rect: Rect) -> list[tuple[Rect, UInt8]]:
        """The same, once it is sure that they lie in the patch's rectangle, that the array (H, W) holds there what the
        change expects, and that it leads where it should. PatchMismatch otherwise.
        """
        changes = self.changes()
        before = after = 0
        inside = Rect.of(array).intersection(rect)
        for block, xor in changes:
            if not inside.contains(block):
                raise PatchMismatch("a change in the journal is of a picture of another size")
            old = array[block.slices]
            before = zlib.crc32(old.tobytes(), before)
            after = zlib.crc32((old ^ xor).tobytes(), after)
        if (before, after) != (self.before, self.after):
            raise PatchMismatch("the mask is not the one that this change was made on")
        return changes

    def reversed(self) -> Plane:
        """The way back."""
        return Plane(self.data, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Patch:
    """Labels and provenance together."""

    rect: Rect
    """The smallest rectangle around every pixel that changes."""

    labels: Plane
    provenance: Plane

    @classmethod
    def between(cls, rect: Rect, before: Mask, after: Mask) -> Patch | None:
        """From two masks of the rectangle's size; None when they are equal."""
        if before.labels.shape != (rect.height, rect.width) or after.labels.shape != before.labels.shape:
            raise ValueError(f"masks of {before.labels.shape} and {after.labels.shape} for {rect}")
        inner = Rect.around((before.labels != after.labels) | (before.provenance != after.provenance))
        if inner.empty:
            return None
        bounds, cut = inner.shifted(rect.x, rect.y), inner.slices
        return cls(
            bounds,
            Plane.between([(bounds, before.labels[cut], after.labels[cut])]),
            Plane.between([(bounds, before.provenance[cut], after.provenance[cut])]),
        )

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Patch | None:
        """What differs in these parts, which must not overlap; None when nothing does."""
        labels: list[Block] = []
        provenance: list[Block] = []
        bounds = Rect(0, 0, 0, 0)
        for part in parts:
            differs = part.old_labels != part.new_labels
            differs |= part.old_provenance != part.new_provenance
            inner = Rect.around(differs)
            if not inner.empty:
                block, cut = inner.shifted(part.rect.x, part.rect.y), inner.slices
                labels.append((block, part.old_labels[cut], part.new_labels[cut]))
                provenance.append((block, part.old_provenance[cut], part.new_provenance[cut]))
                bounds = bounds.union(block)
        return None if bounds.empty else cls(bounds, Plane.between(labels), Plane.between(provenance))

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.labels.data) + len(self.provenance.data)

    def apply(self, mask: Mask) -> None:
        """Make the change; both planes are checked before either is written. PatchMismatch leaves the mask alone."""
        labels = self.labels.fitting(mask.labels, self.rect)
        provenance = self.provenance.fitting(mask.provenance, self.rect)
        _write(mask.labels, labels)
        _write(mask.provenance, provenance)

    def reversed(self) -> Patch:
        """The way back."""
        return Patch(self.rect, self.labels.reversed(), self.provenance.reversed())


def apply_plane(array: UInt8, rect: Rect, plane: Plane) -> None:
    """Make the change of one plane only, checked: for replay over two files of different age. Raises PatchMismatch."""
    _write(array, plane.fitting(array, rect))


def _write(array: UInt8, changes: list[tuple[Rect, UInt8]]) -> None:
    for rect, xor in changes:
        array[rect.slices] ^= xor
