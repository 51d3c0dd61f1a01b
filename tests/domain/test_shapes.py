from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.domain import shapes
from app.domain.arrays import Bool
from app.domain.geometry import Rect
from app.domain.shapes import ellipse, polygon, rectangle

PICTURE = Rect(0, 0, 20, 16)
EVERYWHERE = Rect(-100, -100, 300, 300)

pixels = st.tuples(st.integers(-6, 26), st.integers(-6, 22))
boxes = st.builds(Rect, st.integers(-9, 26), st.integers(-9, 22), st.integers(0, 20), st.integers(0, 20))
# Quarters of a pixel: many corners and edges lie exactly on centres.
corners = st.tuples(st.integers(-24, 104), st.integers(-24, 88)).map(lambda at: (at[0] / 4, at[1] / 4))
polygons = st.lists(corners, min_size=3, max_size=9).map(np.array)


def placed(rect: Rect, filled: Bool, on: Rect = PICTURE) -> Bool:
    """What lies on a picture, whatever the rectangle; and the rectangle is the smallest."""
    assert filled.shape == (rect.height, rect.width)
    assert Rect.around(filled) == Rect(0, 0, rect.width, rect.height)
    picture = np.zeros((on.height, on.width), bool)
    both = rect.intersection(on)
    if not both.empty:
        picture[both.shifted(-on.x, -on.y).slices] = filled[both.shifted(-rect.x, -rect.y).slices]
    return picture


def inside(points: NDArray[np.float64], x: int, y: int) -> bool:
    """Even-odd at the centre of a pixel moved down by nothing, and right by nothing even to that, in fractions.

    Counts edges to the left, where the code counts those above.
    """
    at_x, at_y = Fraction(2 * x + 1, 2), Fraction(2 * y + 1, 2)
    found = False
    for (px, py), (qx, qy) in zip(points.tolist(), np.roll(points, -1, axis=0).tolist(), strict=True):
        ax, ay, bx, by = (Fraction(value) for value in (px, py, qx, qy))
        if (ay <= at_y) != (by <= at_y):
            slope = (bx - ax) / (by - ay)
            crossing = ax + (at_y - ay) * slope
            found ^= crossing < at_x or (crossing == at_x and slope <= 0)
    return found


# Rectangle


@given(pixels, pixels, boxes)
def test_a_rectangle_holds_both_of_its_corners(a: tuple[int, int], b: tuple[int, int], within: Rect) -> None:
    rect, filled = rectangle(a, b, within)
    across, down = sorted((a[0], b[0])), sorted((a[1], b[1]))
    y, x = np.mgrid[:16, :20]
    expected = (x >= across[0]) & (x <= across[1]) & (y >= down[0]) & (y <= down[1])
    expected &= (x >= within.x) & (x < within.right) & (y >= within.y) & (y < within.bottom)
    assert np.array_equal(placed(rect, filled), expected)
    assert within.contains(rect)


# Ellipse


@settings(max_examples=200, deadline=None)
@given(pixels, pixels, boxes)
@example((3, 2), (4, 15), PICTURE)  # so narrow that its box's first row has no centre inside
@example((2, 3), (19, 4), PICTURE)
@example((5, 5), (5, 5), PICTURE)
def test_an_ellipse_is_the_centres_within(a: tuple[int, int], b: tuple[int, int], within: Rect) -> None:
    (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    width, height = right - left + 1, bottom - top + 1
    y, x = np.mgrid[:16, :20]
    u, v = 2 * x - left - right, 2 * y - top - bottom
    expected = u * u * height * height + v * v * width * width <= width * width * height * height
    assert np.array_equal(placed(*ellipse(a, b, EVERYWHERE)), expected)
    rect, filled = ellipse(a, b, within)
    expected &= (x >= within.x) & (x < within.right) & (y >= within.y) & (y < within.bottom)
    assert np.array_equal(placed(rect, filled), expected)
    assert within.contains(rect)


@pytest.mark.parametrize("b", [(2, 9), (9, 2), (2, 2)])
def test_an_ellipse_one_pixel_thick_is_a_line(b: tuple[int, int]) -> None:
    rect, filled = ellipse((2, 2), b, PICTURE)
    assert rect == Rect(2, 2, b[0] - 1, b[1] - 1)
    assert filled.all()


def test_an_ellipse_reaching_far_costs_and_covers_only_what_lies_in_the_picture() -> None:
    far = 2**24
    tracemalloc.start()
    rect, filled = ellipse((-far, -far), (far, far), PICTURE)
    missed, nothing = ellipse((-2 * far, -far), (-far, far), PICTURE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rect == PICTURE
    assert filled.all()
    assert missed.empty
    assert not nothing.size
    assert peak < 200_000


# Polygon


@settings(max_examples=60, deadline=None)
@given(polygons)
@example(np.array([(2.5, 2.5), (10.5, 2.5), (10.5, 9.5), (2.5, 9.5)]))  # every edge on centres
@example(np.array([(2.5, 2.5), (10.5, 10.5), (2.5, 10.5)]))
@example(np.array([(1, 1), (15, 12), (15, 1), (1, 12)]))  # crosses itself
@example(np.array([(1, 1), (15, 1), (15, 12), (1, 12)] * 2))  # twice around: nothing is inside
def test_a_polygon_is_the_centres_inside(points: NDArray[np.float64]) -> None:
    expected = np.array([[inside(points, x, y) for x in range(20)] for y in range(16)])
    assert np.array_equal(placed(*polygon(points, PICTURE)), expected)


@settings(max_examples=200, deadline=None)
@given(polygons, boxes)
def test_a_polygon_cut_to_a_rectangle_is_the_same_pixels(points: NDArray[np.float64], within: Rect) -> None:
    rect, filled = polygon(points, within)
    expected = placed(*polygon(points, EVERYWHERE), on=EVERYWHERE)
    y, x = np.mgrid[-100:200, -100:200]
    expected &= (x >= within.x) & (x < within.right) & (y >= within.y) & (y < within.bottom)
    assert np.array_equal(placed(rect, filled, on=EVERYWHERE), expected)
    assert within.contains(rect)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 64)), max_size=30), st.sampled_from([0.25, 0.5]))
def test_polygons_that_share_their_edges_tile_exactly(places: list[tuple[int, int]], grid: float) -> None:
    triangles = [((0, 0), (80, 0), (80, 64)), ((0, 0), (80, 64), (0, 64))]
    for place in places:
        for triangle in triangles:
            a, b, c = triangle
            if _turn(a, b, place) > 0 and _turn(b, c, place) > 0 and _turn(c, a, place) > 0:
                triangles.remove(triangle)
                triangles += [(a, b, place), (place, b, c), (c, a, place)]
                break
    whole = Rect(0, 0, int(80 * grid), int(64 * grid))
    times = np.zeros((whole.height, whole.width), int)
    for corners in triangles:
        times += placed(*polygon(np.array(corners) * grid, whole), on=whole)
    assert (times == 1).all()


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(corners, min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_a_picture_cut_along_any_line_falls_into_two_parts(line: list[tuple[float, float]], seed: int) -> None:
    """A line from the left side to the right one, of any real numbers, that may cross itself."""
    noise = np.random.default_rng(seed).normal(size=(len(line), 2))
    cut = np.concatenate([[(-40, 3)], np.array(line) + noise, [(60, 9)]])
    above = np.concatenate([cut, [(60, -40), (-40, -40)]])
    below = np.concatenate([[(-40, 60), (60, 60)], cut[::-1]])
    assert np.array_equal(placed(*polygon(above, PICTURE)), ~placed(*polygon(below, PICTURE)))


def test_a_pixel_is_its_square_of_the_picture() -> None:
    rect, filled = polygon(np.array([(3, 4), (5, 4), (5, 7), (3, 7)], float), PICTURE)
    assert rect == Rect(3, 4, 2, 3)
    assert filled.all()


def test_a_lasso_of_many_points_is_filled_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(3).random((10_000, 2)) * [260, 180] - 30
    within = Rect(0, 0, 200, 120)
    rect, filled = polygon(points, within)
    monkeypatch.setattr(shapes, "_BLOCK", 1000)
    again, same = polygon(points, within)
    assert rect == again
    assert np.array_equal(filled, same)
    for x, y in ((3, 3), (77, 60), (150, 119), (199, 0)):
        assert placed(rect, filled, on=within)[y, x] == inside(np.rint(points * 64) / 64, x, y)


@pytest.mark.parametrize("far", [1e6, 2.0**24, 1e300, np.inf])
def test_corners_far_away_cost_and_cover_only_what_lies_in_the_picture(far: float) -> None:
    tracemalloc.start()
    rect, filled = polygon(np.array([(-far, -far), (far, -far), (far, far), (-far, far)]), PICTURE)
    half, below = polygon(np.array([(-far, -far), (far, far), (-far, far)]), PICTURE)
    missed, nothing = polygon(np.array([(far, 0), (far, far), (50, far)]), PICTURE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rect == PICTURE
    assert filled.all()
    y, x = np.mgrid[:16, :20]
    assert np.array_equal(placed(half, below), x <= y)
    assert missed.empty
    assert not nothing.size
    assert peak < 200_000


def test_a_large_polygon_takes_at_most_two_bytes_a_pixel_more() -> None:
    angle = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    points = np.stack([1500 + 1490 * np.cos(angle), 1000 + 990 * np.sin(7 * angle)], axis=1)
    tracemalloc.start()
    polygon(points, Rect(0, 0, 3000, 2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 3000 * 2000


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_corners_enclose_nothing(count: int) -> None:
    rect, filled = polygon(np.full((count, 2), 5.0), PICTURE)
    assert rect.empty
    assert filled.shape == (0, 0)


def test_what_is_no_polygon_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        polygon(np.array([(0, 0), (np.nan, 1), (2, 2)]), PICTURE)
    with pytest.raises(ValueError, match="not a number"):
        polygon(np.array([(0, np.nan)]), PICTURE)
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        polygon(np.zeros((4, 3)), PICTURE)
