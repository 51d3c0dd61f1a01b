from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.area import Area, cropped, joined, on
from app.domain.arrays import Bool
from app.domain.geometry import Rect

H, W = 12, 15


@st.composite
def areas(draw: st.DrawFn) -> Area:
    x, y = draw(st.integers(0, W - 1)), draw(st.integers(0, H - 1))
    width, height = draw(st.integers(0, W - x)), draw(st.integers(0, H - y))
    marked = np.random.default_rng(draw(st.integers(0, 99))).random((height, width)) < 0.5
    return Rect(x, y, width, height), marked


def plain(*areas: Area) -> Bool:
    """All of them on the picture."""
    picture = np.zeros((H, W), bool)
    for rect, marked in areas:
        for y, x in np.argwhere(marked):
            picture[rect.y + y, rect.x + x] = True
    return picture


@given(areas(), areas())
def test_on_a_rectangle_that_holds_it_it_is_the_same(area: Area, other: Area) -> None:
    rect = area[0].union(other[0])
    there = on(rect, area)
    assert there.shape == (rect.height, rect.width)
    assert np.array_equal(plain((rect, there)), plain(area))


@given(st.lists(areas(), max_size=4))
def test_joined_they_mean_what_any_of_them_means(several: list[Area]) -> None:
    before = plain(*several)
    rect, marked = joined(several)
    assert marked.shape == (rect.height, rect.width)
    assert np.array_equal(plain((rect, marked)), before)
    around = Rect(0, 0, 0, 0)
    for area in several:
        around = around.union(area[0])
    assert rect == around


@given(areas())
def test_cropped_it_means_the_same_in_the_smallest_rectangle(area: Area) -> None:
    rect, marked = cropped(*area)
    assert np.array_equal(plain((rect, marked)), plain(area))
    assert Rect.around(marked) == Rect(0, 0, rect.width, rect.height)
    assert marked.flags.c_contiguous
    assert not np.shares_memory(marked, area[1])


def test_it_never_writes_to_what_it_is_given() -> None:
    marked = np.ones((2, 3), bool)
    marked.flags.writeable = False
    on(Rect(0, 0, 9, 9), (Rect(1, 1, 3, 2), marked))[:] = False
    joined([(Rect(1, 1, 3, 2), marked)])[1][:] = False
    assert marked.all()
