from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.geometry import Rect
from app.ui.canvas.grid import GRID_FROM, draw_grid
from app.ui.canvas.viewport import Viewport

WHITE = 0xFFFFFFFF


def drawn(view: Viewport, rect: Rect) -> np.ndarray:
    out = np.full((rect.height, rect.width), WHITE, np.uint32)
    draw_grid(view, rect, out)
    return out


@given(st.floats(GRID_FROM, 40), st.integers(-60, 60), st.integers(-60, 60))
def test_lines_lie_on_the_first_device_pixels_of_the_pictures_pixels(zoom: float, dx: int, dy: int) -> None:
    view = Viewport(90, 70, 13, 9).zoomed(zoom, 40, 30).moved(dx, dy)
    left, top = view.origin
    x = np.floor((np.arange(-1, 90) + left + 0.5) / zoom)
    y = np.floor((np.arange(-1, 70) + top + 0.5) / zoom)
    across, down = (x >= 0) & (x < 13), (y >= 0) & (y < 9)
    lines = (np.diff(x) > 0) & across[1:] & across[:-1], (np.diff(y) > 0) & down[1:] & down[:-1]
    expected = (lines[0] | lines[1][:, None]) & across[1:] & down[1:, None]
    assert ((drawn(view, view.rect) != WHITE) == expected).all()


@given(st.integers(0, 60), st.integers(0, 50), st.integers(1, 30), st.integers(1, 20))
def test_a_part_of_the_view_is_that_part_of_the_whole(x: int, y: int, width: int, height: int) -> None:
    view = Viewport(90, 70, 13, 9).zoomed(9.3, 40, 30)
    rect = Rect(x, y, width, height)
    assert (drawn(view, rect) == drawn(view, view.rect)[rect.slices]).all()
