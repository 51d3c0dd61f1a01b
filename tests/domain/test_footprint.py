from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.arrays import Bool
from app.domain.footprint import capsule, disc
from app.domain.geometry import Rect

from .pictures import within

places = st.tuples(st.integers(-8, 48), st.integers(-8, 40))
PICTURE = Rect(0, 0, 40, 32)


def painted(rect: Rect, footprint: Bool, height: int = 32, width: int = 40) -> Bool:
    """The footprint on a picture, pixel by pixel."""
    picture = np.zeros((height, width), bool)
    for y, x in np.argwhere(footprint):
        if 0 <= y + rect.y < height and 0 <= x + rect.x < width:
            picture[y + rect.y, x + rect.x] = True
    return picture


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 25, 50, 131, 2000])
def test_a_disc_is_exact(radius: int) -> None:
    offsets = np.arange(-radius, radius + 1) ** 2
    assert np.array_equal(disc(radius), offsets[:, None] + offsets <= radius * radius)


@settings(max_examples=200, deadline=None)
@given(places, places, st.integers(0, 14))
@example((3, 3), (33, 27), 5)  # a direction in which the distance is exactly the radius at some pixels
@example((5, 20), (30, 20), 1)
@example((20, 5), (20, 30), 0)
def test_a_capsule_is_the_pixels_within_the_radius_of_the_line(
    start: tuple[int, int], end: tuple[int, int], radius: int
) -> None:
    expected = within(32, 40, start, end, radius or 0.5)
    assert np.array_equal(painted(*capsule(start, end, radius)), expected)
    rect, footprint = capsule(start, end, radius, within=PICTURE)
    assert np.array_equal(painted(rect, footprint), expected)
    assert PICTURE.contains(rect)


@settings(max_examples=100, deadline=None)
@given(places, places, st.integers(0, 14))
def test_its_rectangle_is_the_smallest(start: tuple[int, int], end: tuple[int, int], radius: int) -> None:
    for clip in (None, PICTURE):
        rect, footprint = capsule(start, end, radius, within=clip)
        assert footprint.shape == (rect.height, rect.width)
        assert Rect.around(footprint) == Rect(0, 0, rect.width, rect.height)


@settings(max_examples=100, deadline=None)
@given(places, places)
def test_a_line_of_radius_0_has_no_gap(start: tuple[int, int], end: tuple[int, int]) -> None:
    rect, footprint = capsule(start, end, 0)
    longer = footprint.any(axis=0) if rect.width >= rect.height else footprint.any(axis=1)
    assert longer.all()
    assert footprint[start[1] - rect.y, start[0] - rect.x]
    assert footprint[end[1] - rect.y, end[0] - rect.x]


def test_outside_it_is_empty() -> None:
    rect, footprint = capsule((100, 100), (200, 100), 5, within=PICTURE)
    assert rect.empty
    assert not footprint.size


def test_places_far_away_cost_and_cover_only_what_lies_in_the_picture() -> None:
    tracemalloc.start()
    rect, footprint = capsule((-(2**24), 10), (2**24, 10), 2000, within=PICTURE)
    missed, nothing = capsule((-(2**24), 2**23), (2**23, -(2**24)), 2000, within=PICTURE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rect == PICTURE
    assert footprint.all()
    assert missed.empty
    assert not nothing.size
    assert peak < 200_000
