from __future__ import annotations

from dataclasses import replace
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.geometry import Rect
from app.ui.canvas.viewport import KEPT, MAX_ZOOM, Viewport

viewports = st.builds(
    Viewport,
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    picture_width=st.integers(1, 3000),
    picture_height=st.integers(1, 3000),
).flatmap(
    lambda view: st.builds(
        lambda zoom, x, y: view.fitted().zoomed(zoom, x, y),
        st.floats(0.01, 64),
        st.integers(0, view.width),
        st.integers(0, view.height),
    )
)


def test_fit_shows_all_of_the_picture_in_the_middle() -> None:
    view = Viewport(400, 300, 800, 300).fitted()
    assert view.zoom == 0.5
    assert view.to_view(0, 0) == (0, 75)
    assert view.to_view(800, 300) == (400, 225)


def test_fit_of_a_tiny_picture_stops_at_the_largest_zoom() -> None:
    view = Viewport(1600, 1000, 1, 1).fitted()
    assert view.zoom == MAX_ZOOM
    assert view.to_view(0.5, 0.5) == (800, 500)


@pytest.mark.parametrize("size", [(0, 0), (0, 100), (100, 0)])
def test_a_view_without_area_has_no_samples_and_recovers(size: tuple[int, int]) -> None:
    view = replace(Viewport(320, 240, 100, 80).fitted(), width=size[0], height=size[1])
    view = view.fitted().zoomed(3, 0, 0).moved(5, 5)
    assert view.samples(view.rect)[0].empty
    assert view.view_rect(Rect(0, 0, 100, 80)).empty
    assert view.resized(320, 240).fitted() == Viewport(320, 240, 100, 80).fitted()


def test_a_view_of_nothing_has_no_samples() -> None:
    view = Viewport(320, 240, 0, 0).fitted().stepped(2, 10, 10).moved(7, 7)
    assert view.samples(view.rect)[0].empty


@given(viewports, st.floats(0.001, 1000), st.floats(0, 1), st.floats(0, 1))
def test_zooming_keeps_what_is_under_the_pointer(view: Viewport, zoom: float, across: float, down: float) -> None:
    x, y = across * view.width, down * view.height
    picture = ((x + view.left) / view.zoom, (y + view.top) / view.zoom)
    near = view.zoomed(zoom, x, y)
    assert view.min_zoom <= near.zoom <= MAX_ZOOM
    for place, length, start, exact in (
        (picture[0], view.picture_width, view.left, near.left),
        (picture[1], view.picture_height, view.top, near.top),
    ):
        kept = min(max(place, 0), length)  # outside the picture: its nearest point
        assert kept * near.zoom - exact == pytest.approx(kept * view.zoom - start, abs=1e-6)


@given(viewports, st.lists(st.integers(-3, 3), max_size=12))
def test_zooming_in_and_out_again_at_one_place_does_not_drift(view: Viewport, steps: list[int]) -> None:
    x, y = view.width / 2, view.height / 2
    start = view.zoomed(1.0, x, y)
    there = start
    for step in steps:
        there = there.stepped(step, x, y)
    back = there.zoomed(1.0, x, y)
    assert back.left == pytest.approx(start.left, abs=1e-6)
    assert back.top == pytest.approx(start.top, abs=1e-6)


@given(viewports)
def test_steps_lie_on_one_grid_with_actual_pixels_on_it(view: Viewport) -> None:
    zooms = []
    while view.zoom < MAX_ZOOM:
        before = view.zoom
        view = view.stepped(1, 10, 10)
        zooms.append(view.zoom)
        assert before < view.zoom <= before * 2 ** (2 / 3)
    if zooms and zooms[0] <= 1:
        assert 1.0 in zooms
    down = []
    while len(down) < len(zooms) - 1:
        view = view.stepped(-1, 10, 10)
        down.append(view.zoom)
    assert down[::-1] == pytest.approx(zooms[:-1])


@given(viewports)
def test_every_device_pixel_shows_what_lies_under_its_centre(view: Viewport) -> None:
    inside, rows, columns = view.samples(view.rect)
    left, top = view.origin
    across = [floor((i + left + 0.5) / view.zoom) for i in range(view.width)]
    down = [floor((i + top + 0.5) / view.zoom) for i in range(view.height)]
    visible_x = [i for i, x in enumerate(across) if 0 <= x < view.picture_width]
    visible_y = [i for i, y in enumerate(down) if 0 <= y < view.picture_height]
    if visible_x and visible_y:
        assert inside == Rect.bounding(visible_x[0], visible_y[0], visible_x[-1] + 1, visible_y[-1] + 1)
        assert columns.tolist() == [across[i] for i in visible_x]
        assert rows.tolist() == [down[i] for i in visible_y]
    else:
        assert inside.empty


@given(viewports, st.integers(0, 2999), st.integers(0, 2999), st.integers(1, 50), st.integers(1, 50))
def test_view_rect_holds_every_device_pixel_of_a_rectangle_and_few_others(
    view: Viewport, x: int, y: int, width: int, height: int
) -> None:
    rect = Rect(x, y, width, height).clipped(view.picture_width, view.picture_height)
    seen = view.view_rect(rect)
    inside, rows, columns = view.samples(view.rect)
    showing_x = [inside.x + i for i, column in enumerate(columns.tolist()) if rect.x <= column < rect.right]
    showing_y = [inside.y + i for i, row in enumerate(rows.tolist()) if rect.y <= row < rect.bottom]
    if showing_x and showing_y:
        assert seen.contains(Rect.bounding(showing_x[0], showing_y[0], showing_x[-1] + 1, showing_y[-1] + 1))
        assert seen.width <= len(showing_x) + 4
        assert seen.height <= len(showing_y) + 4


@given(viewports, st.lists(st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)), max_size=5))
def test_a_pan_never_loses_the_picture(view: Viewport, moves: list) -> None:
    for dx, dy in moves:
        view = view.moved(dx, dy)
        for start, length, picture in (
            (view.left, view.width, view.picture_width * view.zoom),
            (view.top, view.height, view.picture_height * view.zoom),
        ):
            seen = min(start + length, picture) - max(start, 0)
            assert seen >= min(KEPT, length, picture) - 1e-6


def test_a_pan_within_the_picture_is_exact() -> None:
    view = Viewport(200, 200, 1000, 1000).zoomed(1.37, 100, 100).moved(-100, -100)
    before = view.origin
    after = view.moved(-13, 7).origin
    assert (after[0] - before[0], after[1] - before[1]) == (13, -7)


@given(st.floats(0.5, 8), st.integers(1, 900), st.integers(1, 900))
def test_resizing_keeps_the_middle(zoom: float, width: int, height: int) -> None:
    view = Viewport(300, 200, 3000, 3000).fitted().zoomed(zoom, 150, 100)
    middle = view.to_picture(150, 100)
    other = view.resized(width, height)
    assert other.to_picture(width / 2, height / 2) == pytest.approx(middle, abs=1 / zoom)
    assert (other.width, other.height, other.zoom) == (width, height, zoom)
