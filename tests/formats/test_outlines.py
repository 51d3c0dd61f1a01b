"""Polygons come out as in the Pillow that made the datasets, whatever Pillow is installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats import outlines

GOLDEN = json.loads(Path(__file__).with_name("polygons.json").read_text(encoding="utf-8"))["polygons"]


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_polygon_is_pillow_10s(case: dict) -> None:
    drawn = outlines.polygon(case["height"], case["width"], case["points"])
    assert ["".join(".#"[int(value)] for value in row) for row in drawn] == case["rows"]


points = st.lists(st.tuples(st.floats(-50, 90), st.floats(-50, 90)), min_size=3, max_size=12)


@given(points)
def test_polygon_has_its_corners_and_stays_inside_their_box(corners: list[tuple[float, float]]) -> None:
    drawn = outlines.polygon(40, 60, corners)
    cut = [(int(x), int(y)) for x, y in corners]
    for x, y in cut:
        if 0 <= x < 60 and 0 <= y < 40:
            assert drawn[y, x]
    rows, columns = np.nonzero(drawn)
    if rows.size:
        assert rows.min() >= max(0, min(y for _, y in cut))
        assert rows.max() <= max(y for _, y in cut)
        # a corner may be widened by one pixel towards what the neighbouring row shows
        assert columns.min() >= max(0, min(x for x, _ in cut) - 1)
        assert columns.max() <= max(x for x, _ in cut) + 1


def test_polygon_far_outside_draws_nothing() -> None:
    assert not outlines.polygon(10, 10, [(500, 500), (600, 500), (550, 900)]).any()
    assert not outlines.polygon(10, 10, [(-500, -500), (-600, -500), (-550, -900)]).any()


def test_rectangle_takes_corners_in_any_order() -> None:
    expected = np.zeros((8, 8), bool)
    expected[2:6, 1:4] = True
    for corners in ([(1, 2), (3, 5)], [(3, 5), (1, 2)], [(3, 2), (1, 5)]):
        assert np.array_equal(outlines.rectangle(8, 8, corners), expected)


def test_circle_is_round_and_point_is_a_small_one() -> None:
    disc = outlines.circle(41, 41, [(20, 20), (20, 30)])
    assert disc[20, 10]
    assert disc[20, 30]
    assert not disc[11, 11]
    assert np.array_equal(disc, disc.T)
    assert np.array_equal(outlines.point(41, 41, [(20, 20)]), outlines.circle(41, 41, [(20, 20), (25, 20)]))


def test_line_is_ten_wide() -> None:
    drawn = outlines.line(40, 40, [(5, 20), (35, 20)])
    assert drawn[:, 20].sum() == 10
    assert np.array_equal(drawn, outlines.line(40, 40, [(5, 20), (20, 20), (35, 20)]))
