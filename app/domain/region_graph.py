"""All connected regions of a mask at once: their sizes and who lies next to whom, without an image of region numbers.

A mask is a few runs a row. Two runs of neighbouring rows that overlap belong together when their kinds are equal; so
the regions are the components of a graph with a node a run, and all that follows counts runs, not pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool, UInt8
from app.domain.classes import VOID
from app.domain.mask import EMPTY

Int = NDArray[np.int32]
_Value = TypeVar("_Value", np.uint8, np.bool_)

VOID_KIND, EMPTY_KIND = VOID, VOID + 1
"""The kind of a region is its class, or one of these."""


@dataclass(frozen=True)
class RegionGraph:
    """The 4-connected regions of a mask of one kind each, numbered in the order of their first pixel."""

    kinds: Int
    """Of each region: class 0 … 254, VOID_KIND or EMPTY_KIND."""

    sizes: Int
    """Pixels of each region."""

    outer: Bool
    """Whether the region reaches a side of the picture."""

    neighbours: tuple[Int, Int, Int]
    """Regions that share pixel edges, and how many: (region, other, edges); two may occur often, either way round."""

    starts: Int
    """Flat index of the first pixel of each run."""

    region_of_run: Int
    shape: tuple[int, int]

    @classmethod
    def of(cls, labels: UInt8, provenance: UInt8) -> RegionGraph:
        """The regions of a mask (H, W)."""
        height, width = labels.shape
        starts = _run_starts(labels, provenance)
        ends = np.append(starts[1:], np.int32(labels.size))
        kinds = labels.ravel()[starts].astype(np.int32)
        kinds[(kinds == VOID) & (provenance.ravel()[starts] == EMPTY)] = EMPTY_KIND
        above, below = _overlaps(starts, width)
        same = kinds[above] == kinds[below]
        region_of_run, first = _numbered(components(len(starts), above[same], below[same]))
        count = len(first)
        sizes = np.bincount(region_of_run, ends - starts, count).astype(np.int32)
        column, end = starts % width, (ends - 1) % width + 1
        outer = np.zeros(count, bool)
        outer[region_of_run[(column == 0) | (end == width) | (starts < width) | (ends > labels.size - width)]] = True
        above, below = above[~same], below[~same]
        overlap = np.minimum(end[above], end[below]) - np.maximum(column[above], column[below])
        inner = np.flatnonzero(column != 0).astype(np.int32)  # a run that has one to its left
        one = np.concatenate([region_of_run[above], region_of_run[inner - 1]])
        other = np.concatenate([region_of_run[below], region_of_run[inner]])
        edges = np.concatenate([overlap, np.ones_like(inner)])
        return cls(kinds[first], sizes, outer, (one, other, edges), starts, region_of_run, (height, width))

    def wholly(self, allowed: Bool | None) -> Bool:
        """Of each region: whether every pixel of it is allowed (H, W)."""
        whole = np.ones(len(self.kinds), bool)
        if allowed is not None:
            whole[self.region_of_run[~np.logical_and.reduceat(allowed.ravel(), self.starts)]] = False
        return whole

    def drawn(self, of_region: NDArray[_Value]) -> NDArray[_Value]:
        """A value for each region as an image (H, W)."""
        lengths = np.diff(self.starts, append=np.int32(self.shape[0] * self.shape[1]))
        drawn: NDArray[_Value] = np.repeat(of_region[self.region_of_run], lengths).reshape(self.shape)
        return drawn


def components(nodes: int, one: Int, other: Int) -> Int:
    """Of each node the lowest that edges (one, other) lead to; each round hangs every tree on a lower neighbour."""
    lowest = np.arange(nodes, dtype=np.int32)
    while one.size:
        low, high = np.minimum(one, other), np.maximum(one, other)
        np.minimum.at(lowest, high, low)
        while True:
            further = lowest[lowest]
            if np.array_equal(further, lowest):
                break
            lowest = further
        one, other = lowest[low], lowest[high]
        apart = one != other
        one, other = one[apart], other[apart]
    return lowest


def summed(one: Int, other: Int, amounts: Int) -> tuple[Int, Int, Int]:
    """Equal pairs as one, with the sum of their amounts; sorted."""
    code = one.astype(np.int64) << 32 | other
    order = np.argsort(code)
    code, amounts = code[order], amounts[order]
    first = np.flatnonzero(np.diff(code, prepend=-1))
    total = np.add.reduceat(amounts, first) if first.size else amounts
    code = code[first]
    return (code >> 32).astype(np.int32), (code & 0xFFFFFFFF).astype(np.int32), total.astype(np.int32)


def _run_starts(labels: UInt8, provenance: UInt8) -> Int:
    """Where, in rows one after the other, another row or another kind begins."""
    begins = np.ones(labels.shape, bool)
    inner = begins[:, 1:]
    np.not_equal(labels[:, 1:], labels[:, :-1], out=inner)
    empty = provenance == EMPTY
    inner |= empty[:, 1:] != empty[:, :-1]
    return np.flatnonzero(begins).astype(np.int32)


def _overlaps(starts: Int, width: int) -> tuple[Int, Int]:
    """All pairs (above, below) of runs that share a column in rows that follow each other.

    What two runs share begins where one of them begins: there the other is looked up.
    """
    runs = np.arange(len(starts), dtype=np.int32)
    lower = runs[starts >= width]
    over = (np.searchsorted(starts, starts[lower] - width, "right") - 1).astype(np.int32)
    upper = runs[starts < (starts[-1] // width) * width]
    under = (np.searchsorted(starts, starts[upper] + width, "right") - 1).astype(np.int32)
    later = starts[under] != starts[upper] + width  # else both begin there: that pair is among the first ones
    return np.concatenate([over, upper[later]]), np.concatenate([lower, under[later]])


def _numbered(lowest: Int) -> tuple[Int, Int]:
    """Components numbered from 0, and the lowest node of each."""
    first = lowest == np.arange(len(lowest), dtype=np.int32)
    number = np.cumsum(first, dtype=np.int32) - 1
    return number[lowest], np.flatnonzero(first).astype(np.int32)
