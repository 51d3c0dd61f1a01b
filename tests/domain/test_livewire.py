from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.livewire import LiveWire, straight

from .areas import locked, speckled

RGB = speckled(60, 80, 256, 2)
WIRE = LiveWire.around(RGB, (30, 25), reach=20)
far = st.integers(-100, 200)


def assert_a_way(path: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> None:
    """From start to end, each pixel beside the one before."""
    assert path.ndim == 2
    assert path.shape[1] == 2
    assert tuple(path[0]) == start
    assert tuple(path[-1]) == end
    assert (np.abs(np.diff(path, axis=0)).max(axis=1) == 1).all()


@settings(max_examples=200, deadline=None)
@given(far, far)
def test_a_path_has_no_gaps_and_ends_at_the_target(x: int, y: int) -> None:
    assert_a_way(WIRE.path((x, y)), (30, 25), (x, y))


@settings(max_examples=100, deadline=None)
@given(st.tuples(far, far), st.tuples(far, far))
def test_a_straight_line_is_the_shortest_way(start: tuple[int, int], end: tuple[int, int]) -> None:
    path = straight(start, end)
    assert_a_way(path, start, end)
    assert len(path) == max(abs(start[0] - end[0]), abs(start[1] - end[1])) + 1


def test_it_follows_an_edge() -> None:
    y, x = np.mgrid[:160, :160]
    radius = np.hypot(y - 80, x - 80)
    rgb = locked(np.where((radius < 50)[..., None], np.uint8(200), np.uint8(40)).repeat(3, axis=2))
    path = LiveWire.around(rgb, (30, 80), reach=100).path((80, 30))
    assert np.abs(np.hypot(path[:, 0] - 80, path[:, 1] - 80) - 50).max() < 3
    assert len(straight((30, 80), (80, 30))) < len(path)


def test_beyond_the_window_it_goes_straight_on() -> None:
    path = WIRE.path((75, 25))
    window_end = path.tolist().index([50, 25])
    assert path[window_end:].tolist() == [[x, 25] for x in range(50, 76)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 2), (3, 3), (3, 90), (4, 4), (4, 90)])
@pytest.mark.parametrize("flat", [True, False])
def test_thin_and_flat_pictures(shape: tuple[int, int], flat: bool) -> None:
    rgb = speckled(*shape, 1 if flat else 256, 0)
    start, end = (0, shape[0] - 1), (shape[1] - 1, 0)
    assert_a_way(LiveWire.around(rgb, start).path(end), start, end)
    assert LiveWire.around(rgb, start).path(start).tolist() == [list(start)]
