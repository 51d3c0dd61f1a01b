from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import superpixels
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.superpixels import Superpixels, cells

from .areas import laid_out, locked, regions_of, speckled


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 256), st.integers(0, 99), st.integers(2, 12))
def test_cells_cover_the_picture_and_hang_together(height: int, width: int, levels: int, seed: int, size: int) -> None:
    rgb = speckled(height, width, levels, seed)
    numbers = cells(rgb, size)
    assert numbers.shape == (height, width)
    assert numbers.dtype == np.int32
    assert np.array_equal(np.unique(numbers), np.arange(numbers.max() + 1))
    assert len(regions_of(numbers)) == numbers.max() + 1
    assert np.array_equal(cells(rgb, size), numbers)


def test_flat_cells_are_about_as_large_as_asked() -> None:
    numbers = cells(locked(np.full((160, 240, 3), 77, np.uint8)), 16)
    assert numbers.max() + 1 == 150
    sizes = np.bincount(numbers.ravel())
    assert sizes.min() > 0.5 * 256
    assert sizes.max() < 1.5 * 256


def test_cells_keep_to_an_edge() -> None:
    rgb = np.full((100, 100, 3), 60, np.uint8)
    y, x = np.mgrid[:100, :100]
    marked = np.hypot(y - 50, x - 50) < 31
    rgb[marked] = 160, 150, 90
    numbers = cells(locked(rgb), 12)
    inside = np.bincount(numbers.ravel(), marked.ravel()) / np.bincount(numbers.ravel())
    assert np.minimum(inside, 1 - inside)[numbers].mean() < 0.02


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(-5, 75), st.integers(-5, 55)), st.tuples(st.integers(-5, 75), st.integers(-5, 55)))
def test_touched_are_all_of_the_cells_under_the_way(start: tuple[int, int], end: tuple[int, int]) -> None:
    rgb = speckled(50, 70, 9, 3)
    way = capsule(start, end, 2, within=Rect.of(rgb))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(superpixels, "_TILE", 32)
        patch.setattr(superpixels, "_KEPT_TILES", 2)
        area = Superpixels(rgb, 6).touched(way)
    expected = np.zeros((50, 70), bool)
    under = np.zeros((50, 70), bool)
    under[way[0].slices] = way[1]
    for y in range(0, 50, 32):
        for x in range(0, 70, 32):
            tile = np.s_[y : y + 32, x : x + 32]
            numbers = cells(rgb[tile], 6)
            expected[tile] = np.isin(numbers, numbers[under[tile]])
    assert np.array_equal(laid_out(area, 50, 70), expected)


def test_a_place_has_the_same_cell_whatever_was_touched_before() -> None:
    rgb = speckled(60, 60, 30, 1)
    one, other = Superpixels(rgb, 8), Superpixels(rgb, 8)
    other.touched(capsule((0, 0), (59, 59), 5, within=Rect.of(rgb)))
    place = capsule((31, 20), (31, 20), 0)
    for first, second in zip(one.touched(place), other.touched(place), strict=True):
        assert np.array_equal(first, second)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_pictures(shape: tuple[int, int]) -> None:
    rgb = locked(np.full((*shape, 3), 9, np.uint8))
    everything = Rect.of(rgb), np.ones(shape, bool)
    assert Superpixels(rgb, 16).touched(everything)[0] == everything[0]
