from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.geometry import Rect
from app.ui.canvas.photo import BACKGROUND, SMALLEST, Photo
from app.ui.canvas.viewport import Viewport


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    rgb.flags.writeable = False
    return rgb


def rgb32(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(rgb.astype(np.uint32), 2, 0)
    return 0xFF000000 | red << 16 | green << 8 | blue


def drawn(photo: Photo, view: Viewport, rect: Rect | None = None) -> np.ndarray:
    rect = rect or view.rect
    out = np.full((rect.height, rect.width), 0x12345678, np.uint32)
    photo.draw(view, rect, out)
    return out


def channels(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4).astype(int)


@pytest.mark.parametrize("size", [(600, 800), (601, 801), (1, 5000), (5000, 1), (1, 1), (257, 2), (256, 256)])
def test_levels_are_means_of_the_picture_down_to_a_small_one(size: tuple[int, int]) -> None:
    rgb = picture(*size)
    photo = Photo.of(rgb)
    assert photo.levels[0].pixels is rgb
    assert max(photo.levels[-1].pixels.shape[:2]) <= SMALLEST
    for larger, smaller in zip(photo.levels, photo.levels[1:], strict=False):
        big = larger.pixels
        height, width = big.shape[:2]
        padded = np.pad(big, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge").astype(float)
        means = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2, 3).mean((1, 3))
        assert smaller.pixels.shape == means.shape
        assert np.abs(smaller.pixels - means).max() <= 0.5
        assert (smaller.across, smaller.down) == (larger.across / 2, larger.down / 2)


@settings(deadline=None)
@given(st.floats(1, 40), st.integers(-200, 200), st.integers(-200, 200))
def test_from_actual_pixels_on_every_device_pixel_is_one_of_the_picture(zoom: float, dx: int, dy: int) -> None:
    rgb = picture(70, 90)
    view = Viewport(160, 120, 90, 70).zoomed(zoom, 80, 60).moved(dx, dy)
    inside, rows, columns = view.samples(view.rect)
    expected = np.full((120, 160), BACKGROUND, np.uint32)
    expected[inside.slices] = rgb32(rgb)[np.ix_(rows, columns)]
    assert (drawn(Photo.of(rgb), view) == expected).all()


@settings(deadline=None, max_examples=40)
@given(st.floats(0.02, 0.99), st.integers(-60, 60), st.integers(-60, 60))
def test_below_it_is_smooth_and_where_it_should_be(zoom: float, dx: int, dy: int) -> None:
    """A picture of ramps: any correct averaging gives the ramp's value under the device pixel's centre."""
    y, x = np.mgrid[0:700, 0:900]
    rgb = np.stack([x * 255 // 900, y * 255 // 700, (x + y) * 255 // 1600], 2).astype(np.uint8)
    view = Viewport(160, 120, 900, 700).fitted().zoomed(zoom, 80, 60).moved(dx, dy)
    got = channels(drawn(Photo.of(rgb), view))
    inside = view.samples(view.rect)[0]
    middle = slice(inside.y + 1, inside.bottom - 1), slice(inside.x + 1, inside.right - 1)
    across, down = (
        (np.arange(start, end) + 0.5 + origin) / view.zoom
        for start, end, origin in (
            (inside.x + 1, inside.right - 1, view.origin[0]),
            (inside.y + 1, inside.bottom - 1, view.origin[1]),
        )
    )
    assert np.abs(got[middle][..., 2] - (across * 255 / 900 - 0.5)).max(initial=0) <= 2
    assert np.abs(got[middle][..., 1] - (down * 255 / 700 - 0.5)[:, None]).max(initial=0) <= 2
    around = np.ones(got.shape[:2], bool)
    around[inside.slices] = False
    assert (drawn(Photo.of(rgb), view)[around] == BACKGROUND).all()
    assert (got[..., 3] == 255).all()


@pytest.mark.parametrize("zoom", [0.3, 0.15, 0.08])
def test_the_smaller_the_calmer(zoom: float) -> None:
    """Noise shown small is averaged, not sampled: no flicker, no patterns."""
    rgb = picture(1500, 2000)
    out = drawn(Photo.of(rgb), Viewport(100, 80, 2000, 1500).fitted().zoomed(zoom, 50, 40))
    assert channels(out)[..., 0].std() < 2 * zoom * rgb.std() * 0.9


@settings(deadline=None, max_examples=60)
@given(st.floats(0.05, 8), st.integers(0, 150), st.integers(0, 110), st.integers(1, 60), st.integers(1, 60))
def test_a_part_of_the_view_is_that_part_of_the_whole(zoom: float, x: int, y: int, width: int, height: int) -> None:
    photo = Photo.of(picture(700, 900))
    view = Viewport(160, 120, 900, 700).fitted().zoomed(zoom, 70, 50)
    rect = Rect(x, y, width, height).intersection(view.rect)
    difference = channels(drawn(photo, view, rect)) - channels(drawn(photo, view)[rect.slices])
    # OpenCV's warp knows places to 1/32 of a pixel and rounds them from where a part starts: one such step along each
    # axis, in noise that goes from black to white within a pixel.
    assert np.abs(difference).max() <= 2 * 255 / 32


def test_a_preview_stands_where_the_picture_will() -> None:
    rgb = np.zeros((800, 1000, 3), np.uint8)
    rgb[200:400, 300:700] = 255
    sharp = Photo.of(rgb)
    preview = Photo.preview(rgb[2::4, 2::4].copy(), 1000, 800)
    for zoom in (0.1, 0.25, 0.7, 1, 3):
        view = Viewport(160, 120, 1000, 800).fitted().zoomed(zoom, 20, 20)
        difference = np.abs(channels(drawn(preview, view)) - channels(drawn(sharp, view)))[..., :3]
        assert difference.mean() < 8


def test_a_preview_of_another_shape_fills_the_picture() -> None:
    view = Viewport(150, 100, 300, 200).fitted()
    out = drawn(Photo.preview(np.full((7, 11, 3), 200, np.uint8), 300, 200), view)
    assert (channels(out)[..., :3] == 200).all()


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((4, 5), np.uint8), ((4, 5, 4), np.uint8), ((4, 5, 3), np.float32), ((4, 5, 3), np.uint16), ((0, 5, 3), np.uint8)],
)
def test_what_is_no_rgb_picture_is_refused(shape: tuple, kind: type) -> None:
    with pytest.raises(ValueError, match=r"a photo is"):
        Photo.of(np.zeros(shape, kind))
