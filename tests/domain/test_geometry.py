from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.geometry import Rect

rects = st.builds(Rect, st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9), st.integers(0, 9))


def pixels(rect: Rect) -> set[tuple[int, int]]:
    return {(x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom)}


@given(rects, rects)
def test_intersection_and_containment_are_those_of_the_sets_of_pixels(one: Rect, other: Rect) -> None:
    assert pixels(one.intersection(other)) == pixels(one) & pixels(other)
    assert one.contains(other) == (pixels(other) <= pixels(one))
    assert one.empty == (not pixels(one))


@given(rects, rects)
def test_union_is_the_smallest_rectangle_around_both(one: Rect, other: Rect) -> None:
    both, union = pixels(one) | pixels(other), one.union(other)
    assert both <= pixels(union)
    if both:
        xs, ys = zip(*both, strict=True)
        assert union == Rect.bounding(min(xs), min(ys), max(xs) + 1, max(ys) + 1)


@given(rects, st.integers(1, 4))
def test_strips_cover_every_pixel_once(rect: Rect, height: int) -> None:
    strips = list(rect.strips(height))
    assert sum(len(pixels(strip)) for strip in strips) == len(pixels(rect))
    assert set().union(*map(pixels, strips)) == pixels(rect)


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 4))))
def test_around_is_the_smallest_rectangle_with_every_marked_pixel(marked: set[tuple[int, int]]) -> None:
    array = np.zeros((5, 7), bool)
    for x, y in marked:
        array[y, x] = True
    expected = Rect(0, 0, 0, 0)
    for x, y in marked:
        expected = expected.union(Rect(x, y, 1, 1))
    assert Rect.around(array) == expected


def test_slices_index_an_array() -> None:
    array = np.arange(20).reshape(4, 5)
    assert array[Rect(1, 2, 3, 2).slices].tolist() == [[11, 12, 13], [16, 17, 18]]
    assert Rect.of(array) == Rect(0, 0, 5, 4)


@pytest.mark.parametrize(
    ("rect", "inside"),
    [
        (Rect(-3, -3, 100, 100), Rect(0, 0, 5, 4)),
        (Rect(4, 3, 9, 9), Rect(4, 3, 1, 1)),
        (Rect(2, 1, 2, 2), Rect(2, 1, 2, 2)),
    ],
)
def test_clipped_to_a_picture(rect: Rect, inside: Rect) -> None:
    assert rect.clipped(5, 4) == inside


def test_shifted_and_grown() -> None:
    assert Rect(1, 2, 3, 4).shifted(-5, 6) == Rect(-4, 8, 3, 4)
    assert Rect(1, 2, 3, 4).grown(2) == Rect(-1, 0, 7, 8)
    assert Rect(1, 2, 3, 4).grown(-2).empty
