from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.footprint import Shape, capsule, disc
from app.domain.geometry import Rect
from app.domain.ink import Label

from .pictures import patchwork, within

SHAPES: tuple[Shape, ...] = ("round", "square")
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
@given(places, places, st.integers(1, 14))
@example((3, 3), (33, 27), 5)
@example((30, 3), (3, 30), 1)  # along the diagonal: the line touches pixels at both sides
@example((5, 20), (30, 20), 1)
@example((20, 30), (20, 5), 2)
def test_a_square_brush_covers_what_its_square_passes_over(
    start: tuple[int, int], end: tuple[int, int], radius: int
) -> None:
    expected = np.array([[_under_square((x, y), start, end, radius) for x in range(40)] for y in range(32)])
    assert np.array_equal(painted(*capsule(start, end, radius, shape="square")), expected)


def _under_square(pixel: tuple[int, int], start: tuple[int, int], end: tuple[int, int], radius: int) -> bool:
    """Whether some place of the way, as a fraction 0 … 1 of it, is within the radius across and down, exactly."""
    first, last = Fraction(0), Fraction(1)
    for at, a, b in zip(pixel, start, end, strict=True):
        if a == b:
            if abs(at - a) > radius:
                return False
        else:
            one, other = Fraction(at - radius - a, b - a), Fraction(at + radius - a, b - a)
            first, last = max(first, min(one, other)), min(last, max(one, other))
    return first <= last


@pytest.mark.parametrize("radius", [0, 1, 5, 50])
def test_a_square_dab_is_a_square(radius: int) -> None:
    rect, footprint = capsule((7, -3), (7, -3), radius, shape="square")
    assert rect == Rect(7 - radius, -3 - radius, 2 * radius + 1, 2 * radius + 1)
    assert footprint.shape == (rect.height, rect.width)
    assert footprint.all()


@settings(max_examples=30, deadline=None)
@given(places, places)
def test_with_radius_0_both_shapes_are_the_same_line(start: tuple[int, int], end: tuple[int, int]) -> None:
    rect, footprint = capsule(start, end, 0)
    other, square = capsule(start, end, 0, shape="square")
    assert rect == other
    assert np.array_equal(footprint, square)


boxes = st.builds(Rect, st.integers(-9, 50), st.integers(-9, 40), st.integers(0, 30), st.integers(0, 30))


@settings(max_examples=300, deadline=None)
@given(places, st.one_of(st.none(), places), st.integers(0, 14), boxes, st.sampled_from(SHAPES))
@example((10, 10), None, 9, Rect(1, 1, 6, 6), "round")  # a corner that only the rounding cuts off
@example((3, 3), None, 10, Rect(10, 10, 6, 6), "round")  # inside the square around the disc, and outside the disc
def test_cut_to_a_rectangle_it_is_the_same_pixels_in_the_smallest_rectangle(
    start: tuple[int, int], end: tuple[int, int] | None, radius: int, clip: Rect, shape: Shape
) -> None:
    end = start if end is None else end
    whole, every = capsule(start, end, radius, shape=shape)
    assert every.shape == (whole.height, whole.width)
    assert Rect.around(every) == Rect(0, 0, whole.width, whole.height)
    rect, footprint = capsule(start, end, radius, within=clip, shape=shape)
    assert footprint.shape == (rect.height, rect.width)
    assert Rect.around(footprint) == Rect(0, 0, rect.width, rect.height)
    assert clip.contains(rect)
    cut = whole.intersection(clip)
    expected = np.zeros((max(cut.height, 0), max(cut.width, 0)), bool)
    if not cut.empty:
        expected |= every[cut.shifted(-whole.x, -whole.y).slices]
    found = np.zeros_like(expected)
    if not rect.empty:
        found[rect.shifted(-cut.x, -cut.y).slices] = footprint
    assert np.array_equal(found, expected)


def test_a_large_brush_is_filled_block_by_block_as_a_small_one() -> None:
    start, end, radius = (400, 300), (700, 411), 300
    rect, footprint = capsule(start, end, radius)
    expected = within(rect.height, rect.width, (start[0] - rect.x, start[1] - rect.y), (end[0] - rect.x, 411), radius)
    assert np.array_equal(footprint, expected)


def test_a_line_wider_than_16_bits_can_tell() -> None:
    rect, footprint = capsule((0, 0), (70_000, 1), 1)
    assert rect == Rect(-1, -1, 70_003, 4)
    assert footprint[1:3, 1:-1].all()
    assert not footprint[3, : 35_000 - 1].any()  # nearer to the start, the row below is more than 1 away


def test_a_dab_is_shared_and_cannot_be_changed() -> None:
    for shape in SHAPES:
        for clip in (None, Rect(0, 0, 9, 9)):
            footprint = capsule((8, 8), (8, 8), 5, within=clip, shape=shape)[1]
            before = footprint.copy()
            with pytest.raises(ValueError, match="read-only"):
                footprint[0, 0] = True
            with pytest.raises(ValueError, match="read-only"):
                disc(5)[0] |= True
            assert np.array_equal(capsule((8, 8), (8, 8), 5, within=clip, shape=shape)[1], before)


@pytest.mark.parametrize("shape", SHAPES)
def test_painting_with_a_dab_only_reads_it(shape: Shape) -> None:
    document = Document("a", patchwork(32, 40, 1))
    document.begin("Brush")
    document.paint(*capsule((38, 16), (38, 16), 6, shape=shape), Label(2))
    document.commit()
    assert (document.mask.labels[10:23, 38] == 2).all()


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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side", [-1, 1])
def test_the_edge_of_a_line_between_places_far_away_is_exact(shape: Shape, side: int) -> None:
    (ax, ay), (bx, by), radius = (-(2**26), 12_345), (2**26 - 7, -1_098_765), 1500
    dx, dy = bx - ax, by - ay
    reach = radius * radius * (dx * dx + dy * dy) if shape == "round" else (radius * (abs(dx) + abs(dy))) ** 2
    down = side * int(reach**0.5) // dx  # from the middle of the line to its edge, about
    window = Rect(0, ay - ax * dy // dx + down - 10, 40, 20)
    expected = np.zeros((20, 40), bool)
    for y, x in np.ndindex(20, 40):
        expected[y, x] = (dx * (y + window.y - ay) - dy * (x - ax)) ** 2 <= reach
    assert 200 < expected.sum() < 600
    rect, footprint = capsule((ax, ay), (bx, by), radius, window, shape)
    found = np.zeros_like(expected)
    found[rect.shifted(0, -window.y).slices] = footprint
    assert np.array_equal(found, expected)
