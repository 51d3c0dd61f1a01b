from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import regions
from app.domain.area import NOTHING
from app.domain.arrays import Bool
from app.domain.footprint import disc
from app.domain.geometry import Rect
from app.domain.mask import EMPTY
from app.domain.regions import counted, filled, grown, region_at, shrunk, smoothed

from .areas import area_of, laid_out, locked, reached
from .pictures import patchwork

sides = st.integers(1, 16)
radii = st.integers(0, 6)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that regions of small masks outgrow their first window too."""
    monkeypatch.setattr(regions, "_FIRST_WINDOW", 2)


def blot(height: int, width: int, seed: int) -> Bool:
    rng = np.random.default_rng(seed)
    return locked(rng.random((height, width)) < rng.choice([0.1, 0.5, 0.9]))


def squares(marked: Bool, height: int, width: int) -> np.ndarray:
    """The squared distance from each pixel to the nearest marked one; beyond every radius where there is none."""
    y, x = np.mgrid[:height, :width]
    far = np.full((1, height, width), 10**6)
    return np.concatenate([far, *[((y - v) ** 2 + (x - u) ** 2)[None] for v, u in np.argwhere(marked)]]).min(axis=0)


@settings(max_examples=150, deadline=None)
@given(sides, sides, st.integers(0, 999), st.data())
def test_a_region_is_the_plain_walk_over_one_kind(height: int, width: int, seed: int, data: st.DataObject) -> None:
    mask = patchwork(height, width, seed)
    labels, provenance = locked(mask.labels), locked(mask.provenance)
    place = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    kinds = np.where(provenance == EMPTY, 256, labels.astype(int))
    expected = reached(height, width, place, lambda one, other: bool(kinds[one[::-1]] == kinds[other[::-1]]))
    assert np.array_equal(laid_out(region_at(labels, provenance, place), height, width), expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_a_region_of_a_thin_mask(shape: tuple[int, int]) -> None:
    labels, provenance = np.zeros(shape, np.uint8), np.ones(shape, np.uint8)
    assert region_at(locked(labels), locked(provenance), (shape[1] - 1, 0))[0] == Rect.of(labels)


@settings(max_examples=100, deadline=None)
@given(sides, sides, st.integers(0, 999), radii)
def test_growing_and_shrinking_are_exact_discs(height: int, width: int, seed: int, pixels: int) -> None:
    marked = blot(height, width, seed)
    picture, area = Rect.of(marked), area_of(marked)
    larger = squares(marked, height, width) <= pixels**2
    smaller = marked & (squares(~marked, height, width) > pixels**2)
    assert np.array_equal(laid_out(grown(area, pixels, picture), height, width), larger)
    assert np.array_equal(laid_out(shrunk(area, pixels, picture), height, width), smaller)


@settings(max_examples=100, deadline=None)
@given(sides, sides, st.integers(0, 999))
def test_a_hole_is_what_a_walk_from_outside_does_not_reach(height: int, width: int, seed: int) -> None:
    marked = blot(height, width, seed)
    around = np.pad(marked, 1)
    outside = reached(height + 2, width + 2, (0, 0), lambda _, pixel: not around[pixel[::-1]])
    assert np.array_equal(laid_out(filled(area_of(marked)), height, width), ~outside[1:-1, 1:-1])


@settings(max_examples=100, deadline=None)
@given(sides, sides, st.integers(0, 999), radii)
def test_smoothing_is_the_majority_of_the_disc(height: int, width: int, seed: int, radius: int) -> None:
    marked = blot(height, width, seed)
    votes, voters = (np.pad(plane, radius) for plane in (marked, np.ones_like(marked)))
    expected = np.zeros_like(marked)
    for y, x in np.ndindex(marked.shape):
        around = np.s_[y : y + 2 * radius + 1, x : x + 2 * radius + 1]
        more = 2 * int((votes[around] & disc(radius)).sum()) - int((voters[around] & disc(radius)).sum())
        expected[y, x] = more > 0 or (more == 0 and marked[y, x])
    assert np.array_equal(laid_out(smoothed(area_of(marked), radius, Rect.of(marked)), height, width), expected)


def test_smoothing_takes_teeth_off_and_keeps_the_area() -> None:
    marked = np.zeros((80, 200), bool)
    marked[:40] = True
    marked[36:40, ::8] = False
    marked[40:44, 4::8] = True
    after = laid_out(smoothed(area_of(marked), 6, Rect.of(marked)), 80, 200)
    border = after.sum(axis=0)
    assert border.max() - border.min() <= 1
    assert abs(int(after.sum()) - int(marked.sum())) < 0.01 * marked.sum()


@pytest.mark.parametrize("radius", [0, 3, 40])
def test_a_straight_border_is_smooth_already(radius: int) -> None:
    area = area_of(np.arange(100)[None, :].repeat(60, axis=0) < 37)
    assert smoothed(area, radius, Rect(0, 0, 100, 60))[0] == area[0]


@pytest.mark.parametrize("radius", [1, 60, 100])
def test_counts_are_exact_where_they_no_longer_fit_sixteen_bits(radius: int) -> None:
    assert counted(np.ones((250, 250), bool), radius)[125, 125] == disc(radius).sum()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_a_picture_that_is_one_region_keeps_all_of_it(shape: tuple[int, int]) -> None:
    area = area_of(locked(np.ones(shape, bool)))
    picture = area[0]
    for after in (
        filled(area),
        grown(area, 3, picture),
        shrunk(area, 3, picture),
        smoothed(area, 3, picture),
    ):
        assert after[0] == picture
        assert after[1].all()


def test_nothing_stays_nothing() -> None:
    picture = Rect(0, 0, 9, 9)
    for after in (
        filled(NOTHING),
        grown(NOTHING, 3, picture),
        shrunk(NOTHING, 3, picture),
        smoothed(NOTHING, 3, picture),
        shrunk((Rect(4, 4, 2, 2), np.ones((2, 2), bool)), 3, picture),
    ):
        assert after[0].empty
