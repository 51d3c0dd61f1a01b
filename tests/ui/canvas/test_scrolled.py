from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.ui.canvas.scrolled import Scrolled

HEIGHT, WIDTH = 7, 11


@given(st.lists(st.tuples(st.integers(-WIDTH, WIDTH), st.integers(-HEIGHT, HEIGHT)), max_size=12))
def test_what_stays_in_the_view_is_moved(steps: list[tuple[int, int]]) -> None:
    scrolled: Scrolled[np.uint16] = Scrolled(np.uint16)
    scrolled.resize(HEIGHT, WIDTH)
    numbers = np.random.default_rng(0)
    scrolled.pixels[:] = expected = numbers.integers(0, 1000, (HEIGHT, WIDTH)).astype(np.uint16)
    for dx, dy in steps:
        scrolled.scroll(dx, dy)
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        kept = (y + dy >= 0) & (y + dy < HEIGHT) & (x + dx >= 0) & (x + dx < WIDTH)
        new = numbers.integers(0, 1000, (HEIGHT, WIDTH)).astype(np.uint16)
        new[kept] = expected[(y + dy)[kept], (x + dx)[kept]]
        assert (scrolled.pixels[kept] == new[kept]).all()
        scrolled.pixels[:] = expected = new


def test_hardly_ever_is_anything_copied() -> None:
    scrolled: Scrolled[np.uint16] = Scrolled(np.uint16)
    scrolled.resize(1000, 1000)
    scrolled.pixels[:] = 7
    before = scrolled.pixels
    for _ in range(10):
        scrolled.scroll(20, -20)
    assert np.shares_memory(before[200:], scrolled.pixels)


def test_a_view_without_pixels() -> None:
    scrolled: Scrolled[np.uint16] = Scrolled(np.uint16)
    for size in ((0, 5), (5, 0), (0, 0), (1, 1)):
        scrolled.resize(*size)
        scrolled.scroll(1, 1)
        assert scrolled.pixels.shape == size
