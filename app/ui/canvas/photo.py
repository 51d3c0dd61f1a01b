"""The picture under the mask, at every size at which it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np

from app.domain.arrays import UInt8
from app.domain.geometry import Rect
from app.ui.canvas.pixels import Pixels, channels, pick
from app.ui.canvas.tone import AS_IT_IS, Tone
from app.ui.canvas.viewport import Viewport

BACKGROUND = 0xFF2B2B2B
"""What lies around the picture."""

SMALLEST = 256
"""Longest side of the last level in pixels: none is shown smaller than half of that."""


@dataclass(frozen=True)
class Level:
    """The picture at one size."""

    pixels: UInt8
    """(h, w, 3) uint8 RGB."""

    across: float
    """Level pixels a picture pixel, horizontally: 1, 1/2, 1/4 …, or anything for a preview."""

    down: float
    """The same vertically."""


@dataclass(frozen=True)
class Photo:
    """A picture as the canvas shows it: itself where it is shown pixel for pixel or larger, averages where smaller."""

    width: int
    height: int
    levels: tuple[Level, ...]
    """From the largest to the smallest."""

    @classmethod
    def of(cls, rgb: UInt8) -> Photo:
        """A picture (H, W, 3) uint8 RGB with its half sizes. It is kept, not copied: nobody may write to it.

        Takes about a millisecond a megapixel and needs no window: meant for a job.
        """
        return cls.preview(rgb, rgb.shape[1], rgb.shape[0])

    @classmethod
    def preview(cls, rgb: UInt8, width: int, height: int) -> Photo:
        """A picture of that size of which only a smaller copy (h, w, 3) is at hand yet."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise ValueError(f"a photo is (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
        across, down = rgb.shape[1] / width, rgb.shape[0] / height
        levels = [Level(rgb, across, down)]
        pixels = rgb
        while max(pixels.shape[:2]) > SMALLEST:
            pixels = _halved(pixels)
            across, down = across / 2, down / 2
            levels.append(Level(pixels, across, down))
        return cls(width, height, tuple(levels))

    @property
    def rgb(self) -> UInt8 | None:
        """The picture itself, (H, W, 3) uint8 RGB; None while only a smaller copy is at hand."""
        pixels = self.levels[0].pixels
        return pixels if pixels.shape == (self.height, self.width, 3) else None

    def draw(self, viewport: Viewport, rect: Rect, out: Pixels, tone: Tone = AS_IT_IS) -> None:
        """Draws a part of the view into all of `out` (height, width) uint32 RGB32."""
        inside, rows, columns = viewport.samples(rect)
        if inside != rect:
            out[:] = BACKGROUND
        if inside.empty:
            return
        target = out[inside.shifted(-rect.x, -rect.y).slices]
        level = next((level for level in reversed(self.levels) if level.across >= viewport.zoom), self.levels[0])
        if level.across == level.down == 1 and viewport.zoom > 1:
            x, y = int(columns[0]), int(rows[0])
            crop = _rgb32(level.pixels[y : int(rows[-1]) + 1, x : int(columns[-1]) + 1])
            pick(crop.view(np.uint32)[..., 0], rows - y, columns - x, target)
        else:
            _draw_smooth(level, viewport, inside, channels(target))
        if tone != AS_IT_IS:
            cv2.LUT(channels(target), _four(tone), dst=channels(target))


def _draw_smooth(level: Level, viewport: Viewport, rect: Rect, out: UInt8) -> None:
    """Bilinear from a level into `out` (height, width, 4), which is `rect` of the view."""
    across, down = level.across / viewport.zoom, level.down / viewport.zoom  # level pixels a device pixel
    left, top = viewport.origin
    # Pixel centres lie at halves: device pixel i shows what is around level pixel (i + 1/2) across - 1/2.
    x, y = (rect.x + left + 0.5) * across - 0.5, (rect.y + top + 0.5) * down - 0.5
    part = Rect.bounding(
        floor(x) - 1, floor(y) - 1, ceil(x + rect.width * across) + 2, ceil(y + rect.height * down) + 2
    ).clipped(level.pixels.shape[1], level.pixels.shape[0])
    if across == down == 1 and part.contains(pixel_for_pixel := Rect(int(x), int(y), rect.width, rect.height)):
        cv2.cvtColor(level.pixels[pixel_for_pixel.slices], cv2.COLOR_RGB2BGRA, dst=out)
        return
    smooth = cv2.warpAffine(
        level.pixels[part.slices],
        np.array([[across, 0, x - part.x], [0, down, y - part.y]]),
        (rect.width, rect.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    cv2.cvtColor(smooth, cv2.COLOR_RGB2BGRA, dst=out)


def _rgb32(rgb: UInt8) -> UInt8:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA), np.uint8)


def _four(tone: Tone) -> UInt8:
    """A tone's table for blue, green, red and the fourth byte, which stays: (1, 256, 4)."""
    table = tone.table()
    return np.stack([table, table, table, np.arange(256, dtype=np.uint8)], axis=1)[None]


def _halved(pixels: UInt8) -> UInt8:
    """Means of 2 x 2 pixels; the last row or column of an odd number is averaged along itself only."""
    height, width = pixels.shape[:2]
    out = np.empty(((height + 1) // 2, (width + 1) // 2, 3), np.uint8)
    for rows, down in _pairs(height):
        for columns, across in _pairs(width):
            part = pixels[rows, columns]
            size = (part.shape[1] // across, part.shape[0] // down)
            target = out[rows.start // 2 : rows.start // 2 + size[1], columns.start // 2 : columns.start // 2 + size[0]]
            target[:] = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return out


def _pairs(length: int) -> list[tuple[slice, int]]:
    """The even part of a length, which is halved, and the odd last pixel, which stays."""
    even = length - length % 2
    return [(slice(start, end), step) for start, end, step in ((0, even, 2), (even, length, 1)) if end > start]
