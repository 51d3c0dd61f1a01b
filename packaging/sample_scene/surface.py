"""What the camera sees before there is light: height, slope, colour, gloss and owner of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import Frame, Plane, Rgb, mix, spread

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Sprite:
    """One thing in its own rectangle of pixels.

    `coverage` (H, W) 0..1, 0.5 on the outline; `height` (H, W) millimetres above what it lies on; `albedo` (H, W, 3);
    `metal` and `rough` 0..1, a number or a plane. `flexible` things follow what lies below, others rest on it.
    """

    coverage: Plane
    height: Plane
    albedo: Rgb
    metal: Plane | float = 0.0
    rough: Plane | float = 0.6
    flexible: bool = False


@dataclass
class Surface:
    """The scene from above, (H, W) planes: height in millimetres, slopes without unit, labels with 0 = background."""

    height: Plane
    slope_x: Plane
    slope_y: Plane
    albedo: Rgb
    metal: Plane
    rough: Plane
    labels: NDArray[np.uint8]
    pixel: float  # millimetres, in the middle of the picture

    @classmethod
    def of(cls, ground: Sprite, pixel: float) -> Surface:
        """The bare table."""
        shape = ground.height.shape
        slope_x, slope_y = slopes(ground.height, pixel)
        rough = np.broadcast_to(np.float32(ground.rough), shape).astype(np.float32)
        metal = np.zeros(shape, np.float32)
        height = np.zeros(shape, np.float32)
        return cls(height, slope_x, slope_y, ground.albedo.copy(), metal, rough, np.zeros(shape, np.uint8), pixel)

    def lay(self, sprite: Sprite, box: Box, label: int, pixel: float) -> None:
        """Put a thing down: it owns the pixels where it covers at least half and is the highest."""
        under = self.height[box]
        rest = _draped(under, pixel) if sprite.flexible else _resting(under, sprite)
        top = rest + sprite.height
        alpha = sprite.coverage * np.clip((top - under) / 0.5 + 0.5, 0, 1)
        slope_x, slope_y = slopes(top, pixel)
        self.labels[box][alpha >= 0.5] = label
        for plane, value in (
            (self.height, top),
            (self.slope_x, slope_x),
            (self.slope_y, slope_y),
            (self.metal, sprite.metal),
            (self.rough, sprite.rough),
        ):
            plane[box] += alpha * (value - plane[box])
        self.albedo[box] = mix(self.albedo[box], sprite.albedo, alpha)


def slopes(height: Plane, pixel: float) -> tuple[Plane, Plane]:
    """Rise a millimetre along x and y."""
    scale = 1 / (8 * pixel)
    return (
        cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=scale, borderType=cv2.BORDER_REPLICATE).astype(np.float32),
        cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=scale, borderType=cv2.BORDER_REPLICATE).astype(np.float32),
    )


def _resting(under: Plane, sprite: Sprite) -> Plane:
    """The plane on which a stiff thing comes to rest: fitted to what is below it, lifted by what sticks out."""
    rows, columns = np.nonzero(sprite.coverage >= 0.5)
    if len(rows) < 8:
        return np.zeros_like(under)
    pick = slice(None, None, max(1, len(rows) // 3000))
    y, x = rows[pick], columns[pick]
    z = under[y, x]
    if not z.any():
        return np.zeros_like(under)
    design = np.stack([np.ones_like(z), x, y], axis=1)
    a, b, c = np.linalg.lstsq(design, z, rcond=None)[0]
    lift = np.percentile(z - design @ (a, b, c), 85)
    grid_y, grid_x = np.ogrid[: under.shape[0], : under.shape[1]]
    return np.asarray(np.maximum(a + lift + b * grid_x + c * grid_y, 0), np.float32)


def _draped(under: Plane, pixel: float) -> Plane:
    """What is below, as a limp thing feels it: without gaps and edges."""
    if not under.any():
        return np.zeros_like(under)
    small = cv2.resize(under, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = round(3.5 / (4 * pixel)) | 1
    small = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    small = cv2.GaussianBlur(small, (0, 0), 0.8 * reach)
    whole = cv2.resize(small, under.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(whole, (0, 0), 4).astype(np.float32)  # or the slopes would show the coarse grid


def unpacked(sprite: Sprite, mask: NDArray[np.bool_]) -> Sprite:
    """A sprite that was drawn on the packed pixels of `mask` only, in its rectangle again."""
    metal, rough = (spread(v, mask) if isinstance(v, np.ndarray) else v for v in (sprite.metal, sprite.rough))
    coverage, height, albedo = (spread(v, mask) for v in (sprite.coverage, sprite.height, sprite.albedo))
    return Sprite(coverage, height, albedo, metal, rough, sprite.flexible)


def edge(distance: Plane, frame: Frame) -> Plane:
    """Coverage from the distance to the outline in millimetres, positive inside."""
    return np.asarray(np.clip(distance / frame.pixel + 0.5, 0, 1), np.float32)
