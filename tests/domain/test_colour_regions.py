from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import regions
from app.domain.colour_regions import flood, similar
from app.domain.geometry import Rect

from .areas import laid_out, locked, reached, speckled

sides = st.integers(1, 14)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that regions of small pictures outgrow their first window too."""
    monkeypatch.setattr(regions, "_FIRST_WINDOW", 2)


@settings(max_examples=150, deadline=None)
@given(sides, sides, st.integers(2, 60), st.integers(0, 60), st.integers(0, 999), st.data())
def test_wand_and_bucket_are_the_plain_walks(
    height: int, width: int, levels: int, tolerance: int, seed: int, data: st.DataObject
) -> None:
    rgb = speckled(height, width, levels, seed)
    place = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))

    def alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
        return bool(np.abs(rgb[one[::-1]].astype(int) - rgb[other[::-1]]).max() <= tolerance)

    wand = reached(height, width, place, lambda _, pixel: alike(place, pixel))
    assert np.array_equal(laid_out(similar(rgb, place, tolerance), height, width), wand)
    assert np.array_equal(laid_out(flood(rgb, place, tolerance), height, width), reached(height, width, place, alike))
    everywhere = np.abs(rgb.astype(int) - rgb[place[::-1]]).max(axis=2) <= tolerance
    assert np.array_equal(laid_out(similar(rgb, place, tolerance, connected=False), height, width), everywhere)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.integers(0, 9), st.integers(0, 7), st.booleans())
def test_the_wand_stays_within(seed: int, x: int, y: int, connected: bool) -> None:
    rgb = speckled(8, 10, 3, seed)
    within = Rect(max(0, x - 2), max(0, y - 1), 5, 4)
    marked = laid_out(similar(rgb, (x, y), 1, connected=connected, within=within), 8, 10)
    inside = within.clipped(10, 8)
    cut = similar(rgb[inside.slices], (x - inside.x, y - inside.y), 1, connected=connected)
    assert np.array_equal(marked[inside.slices], laid_out(cut, inside.height, inside.width))
    marked[inside.slices] = False
    assert not marked.any()


def test_the_bucket_follows_a_gradient_and_the_wand_does_not() -> None:
    rgb = locked(np.repeat(np.arange(0, 200, 2, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(5, axis=0))
    assert flood(rgb, (0, 2), 2)[0] == Rect(0, 0, 100, 5)
    assert flood(rgb, (0, 2), 1)[0] == Rect(0, 0, 1, 5)
    assert similar(rgb, (0, 2), 20)[0] == Rect(0, 0, 11, 5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (300, 2)])
@pytest.mark.parametrize("spread", [similar, flood])
def test_flat_pictures_of_any_shape_are_one_region(shape: tuple[int, int], spread: object) -> None:
    rgb = locked(np.full((*shape, 3), 90, np.uint8))
    place = shape[1] - 1, shape[0] // 2
    rect, marked = spread(rgb, place, 0)  # type: ignore[operator]
    assert rect == Rect.of(rgb)
    assert marked.all()


def test_tolerance_counts_each_channel_alone_and_stops_at_white() -> None:
    rgb = locked(np.array([[[250, 0, 7], [255, 5, 0], [255, 5, 15], [255, 255, 255]]], np.uint8))
    assert similar(rgb, (0, 0), 7)[0] == Rect(0, 0, 2, 1)
    assert similar(rgb, (0, 0), 255)[0] == flood(rgb, (0, 0), 255)[0] == Rect(0, 0, 4, 1)
