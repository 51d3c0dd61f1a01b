"""What is done to a whole mask at once.

Each takes labels, provenance and the pixels that may change (H, W; None: all), and gives a new pair of arrays. What
changed is a person's from then on, or empty. Nothing is written to what is given.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from app.domain.arrays import Bool, UInt8
from app.domain.classes import VOID
from app.domain.footprint import disc
from app.domain.geometry import Rect
from app.domain.mask import EMPTY, HUMAN
from app.domain.region_graph import EMPTY_KIND, VOID_KIND, Int, RegionGraph, components, summed
from app.domain.regions import counted

Planes = tuple[UInt8, UInt8]
"""Labels and provenance, (H, W) each."""

_BLOCK = 256


def replace_class(labels: UInt8, provenance: UInt8, allowed: Bool | None, a: int | None, b: int | None) -> Planes:
    """All of class `a` becomes class `b`; 255 is human void and None is empty, for both."""
    wanted = labels == (VOID if a is None else a)
    if a is None or a == VOID:
        wanted &= (provenance == EMPTY) == (a is None)
    if allowed is not None:
        wanted &= allowed
    new, origin = labels.copy(), provenance.copy()
    np.copyto(new, np.uint8(VOID if b is None else b), where=wanted)
    np.copyto(origin, np.uint8(EMPTY if b is None else HUMAN), where=wanted)
    return new, origin


def remove_specks(labels: UInt8, provenance: UInt8, allowed: Bool | None, area: int) -> Planes:
    """Regions of a class of less than `area` pixels become what they have the longest border with.

    A speck inside another becomes what that one became; of equally long borders the lowest class wins, void and empty
    last. Void and empty are never specks, nor is a region of which a pixel may not change; a picture of nothing but
    specks stays.
    """
    graph = RegionGraph.of(labels, provenance)
    specks = (graph.sizes < area) & (graph.kinds < VOID) & graph.wholly(allowed)
    kinds = graph.kinds.copy()
    one, other, edges = _each_way(graph.neighbours, specks)
    while one.size:
        settled = ~specks[other]
        if not settled.any():
            break
        region, kind, border = summed(one[settled], kinds[other[settled]], edges[settled])
        order = np.lexsort((-kind, border, region))  # the last of each region: the longest border, the lowest kind
        best = order[np.flatnonzero(np.diff(region[order], append=-1))]
        kinds[region[best]] = kind[best]
        specks[region[best]] = False
        still = specks[one]
        one, other, edges = one[still], other[still], edges[still]
    return _recoloured(labels, provenance, graph, kinds)


def fill_holes(labels: UInt8, provenance: UInt8, allowed: Bool | None, area: int) -> Planes:
    """What one class encloses wholly, less than `area` pixels of empty or of other classes, becomes that class.

    Class by class, in their order. Open to a side of the picture is not enclosed. A hole in which a person has said
    void, or of which a pixel may not change, stays.
    """
    graph = RegionGraph.of(labels, provenance)
    small = (graph.sizes < area) & (graph.kinds != VOID_KIND) & ~graph.outer & graph.wholly(allowed)
    one, other, _ = graph.neighbours
    of_hole = small[one] | small[other]
    one, other = one[of_hole], other[of_hole]
    kinds = graph.kinds.copy()
    for index in np.unique(kinds[kinds < VOID]).tolist():
        foreign = kinds != index
        joined = foreign[one] & foreign[other]
        hole_of = components(len(kinds), one[joined], other[joined])
        closed = np.ones(len(kinds), bool)
        closed[hole_of[~small]] = False
        closed &= np.bincount(hole_of, graph.sizes, len(kinds)) < area
        kinds[foreign & closed[hole_of]] = index
    return _recoloured(labels, provenance, graph, kinds)


def smooth_borders(labels: UInt8, provenance: UInt8, allowed: Bool | None, radius: int) -> Planes:
    """Every pixel of a class becomes the class that has most pixels in the disc around it; a tie leaves it.

    Void and empty have no vote and stay: what nobody has said, and what a person has left out, keep their place.
    """
    new, origin = labels.copy(), provenance.copy()
    for block, window in _blocks(labels, radius):
        seen = labels[window.slices]
        lowest, highest = int(seen.min()), int(seen.max())
        if lowest == highest:
            continue
        inside = block.shifted(-window.x, -window.y).slices
        old = seen[inside]
        votes = {
            index: counted(seen == index, radius)[inside]
            for index in np.flatnonzero(np.bincount(seen.ravel(), minlength=VOID)[:VOID]).tolist()
        }
        most, winner = np.zeros(old.shape, np.int32), old.copy()
        for index, count in votes.items():
            np.copyto(most, count, where=old == index)
        for index, count in votes.items():
            more = (count > most) & (old != VOID)
            np.copyto(most, count, where=more)
            winner[more] = index
        _write(new, origin, block, winner, allowed)
    return new, origin


def void_borders(labels: UInt8, provenance: UInt8, allowed: Bool | None, width: int) -> Planes:
    """A band of human void, `width` pixels (from 1) wide, along every border between two classes; as in VOC.

    Half of it on each side; of an odd width the middle one lies above or left of the border. Empty pixels stay empty.
    """
    new, origin = labels.copy(), provenance.copy()
    reach = (width - 1) // 2
    kernel = disc(reach).view(np.uint8)
    for block, window in _blocks(labels, reach + 1):
        seen = labels[window.slices]
        line = _border(seen, both_sides=width % 2 == 0)
        if not line.any():
            continue
        inside = block.shifted(-window.x, -window.y).slices
        band = cv2.dilate(line.view(np.uint8), kernel)[inside].view(bool)
        old = seen[inside]
        _write(new, origin, block, np.where(band, np.uint8(VOID), old), allowed)
    return new, origin


def _each_way(neighbours: tuple[Int, Int, Int], wanted: Bool) -> tuple[Int, Int, Int]:
    """The neighbours (region, other, edges) of the wanted regions."""
    one, other, edges = neighbours
    first, second = wanted[one], wanted[other]
    return (
        np.concatenate([one[first], other[second]]),
        np.concatenate([other[first], one[second]]),
        np.concatenate([edges[first], edges[second]]),
    )


def _border(labels: UInt8, *, both_sides: bool) -> Bool:
    """Pixels with another class below or to the right of them and, if wanted, those on the other side."""
    line = np.zeros(labels.shape, bool)
    for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        one, other = labels[here], labels[there]
        differ = (one != other) & (one != VOID) & (other != VOID)
        line[here] |= differ
        if both_sides:
            line[there] |= differ
    return line


def _blocks(labels: UInt8, margin: int) -> Iterator[tuple[Rect, Rect]]:
    """Squares that cover a mask, each with what lies around it: most are of one class, and cost nothing."""
    whole = Rect.of(labels)
    for y in range(0, whole.height, _BLOCK):
        for x in range(0, whole.width, _BLOCK):
            block = Rect(x, y, _BLOCK, _BLOCK).intersection(whole)
            yield block, block.grown(margin).intersection(whole)


def _write(labels: UInt8, provenance: UInt8, block: Rect, wanted: UInt8, allowed: Bool | None) -> None:
    """A person's labels for a block, where they differ and may."""
    changed = wanted != labels[block.slices]
    if allowed is not None:
        changed &= allowed[block.slices]
    np.copyto(labels[block.slices], wanted, where=changed)
    np.copyto(provenance[block.slices], np.uint8(HUMAN), where=changed)


def _recoloured(labels: UInt8, provenance: UInt8, graph: RegionGraph, kinds: Int) -> Planes:
    """The mask with other kinds for some of its regions."""
    changed = kinds != graph.kinds
    new, origin = labels.copy(), provenance.copy()
    if changed.any():
        where = graph.drawn(changed)
        np.copyto(new, graph.drawn(np.minimum(kinds, VOID).astype(np.uint8)), where=where)
        np.copyto(origin, graph.drawn(np.where(kinds == EMPTY_KIND, EMPTY, HUMAN).astype(np.uint8)), where=where)
    return new, origin
