from __future__ import annotations

import tracemalloc
from itertools import pairwise
from unittest.mock import patch as replaced

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.edit import Edit
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.mask import HUMAN, Mask

from .pictures import copy, patchwork, same

rects = st.builds(Rect, st.integers(-9, 45), st.integers(-9, 35), st.integers(0, 30), st.integers(0, 30))


def write(mask: Mask, rect: Rect, label: int) -> None:
    inside = rect.clipped(mask.width, mask.height)
    mask.labels[inside.slices] = label
    mask.provenance[inside.slices] = HUMAN


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(rects, st.integers(0, 3)), max_size=6), st.sampled_from([1, 7, 16, 256]))
def test_it_becomes_the_patch_of_what_changed_or_is_undone(writes: list[tuple[Rect, int]], tile: int) -> None:
    mask = patchwork(32, 40, seed=5)
    before = copy(mask)
    with replaced("app.domain.edit.TILE", tile):
        edit = Edit(mask)
        for rect, label in writes:
            edit.touch(rect)
            write(mask, rect, label)
        patch = edit.patch()
    differs = (mask.labels != before.labels) | (mask.provenance != before.provenance)
    assert (patch is None) == (not differs.any())
    if patch is not None:
        assert patch.rect == Rect.around(differs)
        replayed = copy(before)
        patch.apply(replayed)
        assert same(replayed, mask)
    dirty = Rect(0, 0, 0, 0)
    for rect, _ in writes:
        dirty = dirty.union(rect.clipped(40, 32))
    assert edit.dirty == dirty
    edit.rollback()
    assert same(mask, before)


@pytest.mark.parametrize("size", [1024, 8192])
def test_a_dab_costs_the_tiles_that_it_touches_whatever_the_size_of_the_picture(size: int) -> None:
    mask = Mask.empty(size, size)
    tracemalloc.start()
    edit = Edit(mask)
    edit.touch(Rect(236, 236, 20, 20))  # to the last pixel of the first tile
    write(mask, Rect(236, 236, 20, 20), 3)
    edit.patch()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000  # one tile of two planes is 131 072 bytes, and zlib works in 270 000


def test_a_thin_stroke_across_a_large_picture_costs_what_it_covers() -> None:
    mask = Mask.empty(4000, 6000)
    edit = Edit(mask)
    places = [(x, x * 2 // 3) for x in range(20, 5980, 40)]
    for start, end in pairwise(places):
        rect, footprint = capsule(start, end, 10)
        edit.touch(rect)
        mask.labels[rect.slices][footprint] = 3
        mask.provenance[rect.slices][footprint] = HUMAN
    tracemalloc.start()
    patch = edit.patch()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert patch is not None
    assert patch.rect.width * patch.rect.height > 20_000_000
    assert patch.size < 20_000
    assert peak < 12_000_000
    edit.rollback()
    assert np.all(mask.labels == 255)
    assert not mask.provenance.any()
