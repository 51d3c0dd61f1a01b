"""The picture under the mask, at every size at which it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from app.domain.arrays import UInt8
from app.domain.geometry import Rect
from app.ui.canvas.pixels import Pixels, image_over, pick
from app.ui.canvas.viewport import Viewport

BACKGROUND = 0xFF2B2B2B
"""What lies around the picture."""

SMALLEST = 256
"""Longest side of the last level in pixels: none is shown smaller than half of that."""


@dataclass(frozen=True)
class Level:
    """The picture at one size."""

    pixels: UInt8
    """(h, w, 3) RGB, or (h, w, 4) as Qt's RGB32 has it in memory: blue, green, red, 255."""

    across: float
    """Level pixels a picture pixel, horizontally: 1, 1/2, 1/4 …, or anything for a preview."""

    down: float
    """The same vertically."""

    def crop(self, rect: Rect) -> UInt8:
        """A part of it as RGB32: (height, width, 4)."""
        part = self.pixels[rect.slices]
        return part if part.shape[2] == 4 else _rgb32(part)


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
            if pixels.shape[2] == 3:
                pixels = _rgb32(pixels)
            levels.append(Level(pixels, across, down))
        return cls(width, height, tuple(levels))

    def draw(self, viewport: Viewport, rect: Rect, out: Pixels) -> None:
        """Draws a part of the view into all of `out` (height, width) uint32 RGB32."""
        inside, rows, columns = viewport.samples(rect)
        if inside != rect:
            out[:] = BACKGROUND
        if inside.empty:
            return
        target = out[inside.shifted(-rect.x, -rect.y).slices]
        level = next((level for level in reversed(self.levels) if level.across >= viewport.zoom), self.levels[0])
        if level.across == level.down == 1 and viewport.zoom >= 1:
            x, y = int(columns[0]), int(rows[0])
            crop = level.crop(Rect.bounding(x, y, int(columns[-1]) + 1, int(rows[-1]) + 1)).view(np.uint32)[..., 0]
            if viewport.zoom == 1:
                target[:] = crop
            else:
                pick(crop, rows - y, columns - x, target)
        else:
            _draw_smooth(level, viewport, inside, target)


def _draw_smooth(level: Level, viewport: Viewport, rect: Rect, out: Pixels) -> None:
    """Bilinear from a level into `out`, which is `rect` of the view."""
    across, down = level.across / viewport.zoom, level.down / viewport.zoom  # level pixels a device pixel
    left, top = viewport.origin
    source = QRectF((rect.x + left) * across, (rect.y + top) * down, rect.width * across, rect.height * down)
    part = Rect.bounding(
        floor(source.left()) - 1, floor(source.top()) - 1, ceil(source.right()) + 1, ceil(source.bottom()) + 1
    ).clipped(level.pixels.shape[1], level.pixels.shape[0])
    target = image_over(out, QImage.Format.Format_RGB32)  # a painter does not keep what it paints on
    painter = QPainter(target)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.scale(1 / across, 1 / down)
    painter.translate(part.x - source.left(), part.y - source.top())
    crop = level.crop(part)
    painter.drawImage(0, 0, image_over(crop.view(np.uint32)[..., 0], QImage.Format.Format_RGB32))
    painter.end()


def _rgb32(rgb: UInt8) -> UInt8:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA), np.uint8)


def _halved(pixels: UInt8) -> UInt8:
    """Means of 2 x 2 pixels; the last row or column of an odd number is averaged along itself only."""
    height, width = pixels.shape[:2]
    out = np.empty(((height + 1) // 2, (width + 1) // 2, pixels.shape[2]), np.uint8)
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
