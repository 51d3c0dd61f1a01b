"""The camera: where a pixel looks, and how light becomes a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import Frame, Plane, Rgb, mix
from .surface import Box

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class View:
    """A camera above the table, tilted a little: pixels to millimetres on the table and back."""

    width: int
    height: int
    pixel: float  # millimetres a pixel in the middle
    tilt: float  # radians

    @property
    def _lean(self) -> float:
        """How much nearer the table is one picture height further down."""
        return 0.6 * float(np.tan(self.tilt))

    def frame(self, x: float, y: float, angle: float, reach: float) -> tuple[Box, Frame] | None:
        """The pixels within `reach` millimetres of (x, y), in coordinates turned by `angle`; None outside."""
        corners = [self._to_pixel(x + dx, y + dy) for dx in (-reach, reach) for dy in (-reach, reach)]
        left, right = (f(c[0] for c in corners) for f in (min, max))
        top, bottom = (f(c[1] for c in corners) for f in (min, max))
        columns = slice(max(0, int(left) - 2), min(self.width, int(right) + 3))
        rows = slice(max(0, int(top) - 2), min(self.height, int(bottom) + 3))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        table_x, table_y = self._to_table(columns, rows)
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = table_x - np.float32(x), table_y - np.float32(y)
        across = self._to_pixel(x, y)[1] - self.height / 2
        pixel = self.pixel / (1 + self._lean * across / self.height)
        return (rows, columns), Frame(cos * dx + sin * dy, cos * dy - sin * dx, pixel)

    @property
    def extent(self) -> tuple[float, float]:
        """Half the width and height of the visible table in millimetres, roughly."""
        return self.width * self.pixel / 2, self.height * self.pixel / 2 / float(np.cos(self.tilt))

    def _to_table(self, columns: slice, rows: slice) -> tuple[Plane, Plane]:
        dy = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5 - self.height / 2
        dx = np.arange(columns.start, columns.stop, dtype=np.float32)[None] + 0.5 - self.width / 2
        scale = self.pixel / (1 + self._lean * dy / self.height)
        y = dy * scale / np.float32(np.cos(self.tilt)) + 0 * dx
        return (dx * scale).astype(np.float32), y.astype(np.float32)

    def _to_pixel(self, x: float, y: float) -> tuple[float, float]:
        flat = y * float(np.cos(self.tilt)) / self.pixel
        dy = flat / max(1 - flat * self._lean / self.height, 0.2)
        dx = x / self.pixel * (1 + self._lean * dy / self.height)
        return dx + self.width / 2, dy + self.height / 2


@dataclass(frozen=True)
class Exposure:
    """How a picture is taken: `stops` around the metered exposure, gains of red and blue, the lens's flaws."""

    stops: float = 0.0
    red: float = 1.0
    blue: float = 1.0
    noise: float = 0.006
    vignette: float = 0.25
    focus: float = 0.0  # row in focus, -0.5 (top) .. 0.5
    depth: float = 2.0  # pixels of blur half a picture away from the focus
    contrast: float = 1.0

    def develop(self, light: Rgb, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Linear light (H, W, 3) to an RGB photograph (H, W, 3) uint8."""
        height, width = light.shape[:2]
        y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
        x = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
        light = _defocused(light, np.abs(y - np.float32(self.focus)) * 2 * self.depth)
        fall_off = 1 - np.float32(self.vignette) * np.clip(x * x + y * y, 0, 1) * 1.6
        metered = light[::8, ::8] @ LUMA
        level = 0.40 * 2**self.stops / float(np.percentile(metered, 75) * 0.7 + metered.mean() * 0.3 + 1e-6)
        gains = (self.red * level, level, self.blue * level)
        light = np.stack([light[..., c] * (fall_off * np.float32(gains[c])) for c in range(3)], axis=-1)
        light = _grain(_bloomed(light), self.noise, rng)
        return _printed(light, self.contrast)


def _defocused(light: Rgb, radius: Plane) -> Rgb:
    """Blur by `radius` (H, 1) pixels, never less than a lens does."""
    sharp = _blurred(light, 0.6)
    if float(radius.max()) < 0.8:
        return sharp
    soft = _blurred(light, 1.5)
    softer = _blurred(light, 3.0)
    radius = np.broadcast_to(radius, light.shape[:2])
    blurred = mix(sharp, soft, np.clip((radius - 0.6) / 0.9, 0, 1))
    return mix(blurred, softer, np.clip((radius - 1.5) / 1.5, 0, 1))


def _bloomed(light: Rgb) -> Rgb:
    """Light that strays in the lens around what is too bright."""
    bright = cv2.resize(np.clip(light - 1, 0, 6), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(bright, (0, 0), 2) * 0.06 + cv2.GaussianBlur(bright, (0, 0), 10) * 0.04
    return (light + cv2.resize(glow, light.shape[1::-1], interpolation=cv2.INTER_LINEAR)).astype(np.float32)


def _grain(light: Rgb, noise: float, rng: np.random.Generator) -> Rgb:
    """Photon and read-out noise, as coarse as a colour filter leaves it."""
    cv2.setRNGSeed(int(rng.integers(2**31 - 1)))
    coarse = cv2.GaussianBlur(cv2.randn(np.empty_like(light), np.zeros(3), np.ones(3)), (0, 0), 0.7)
    return (light + coarse * (2 * noise) * np.sqrt(np.maximum(light, 0) + 0.02)).astype(np.float32)


def _printed(light: Rgb, contrast: float) -> NDArray[np.uint8]:
    """The camera's tone curve (a filmic shoulder), sRGB, and the sharpening every camera does."""
    light = np.maximum(light, 0)
    light = light * (1 + light / 6) / (1 + light * 0.9)
    tone: Rgb = np.asarray(cv2.pow(np.minimum(light, 1), 1 / 2.2), np.float32)
    tone = tone + 0.64 * contrast * (tone - 0.45) * tone * (1 - tone)
    sharpened = 1.45 * tone - 0.45 * _blurred(tone, 1.0)
    return cv2.convertScaleAbs(np.maximum(sharpened, 0), alpha=255).astype(np.uint8, copy=False)


def _blurred(light: Rgb, sigma: float) -> Rgb:
    return cv2.GaussianBlur(light, (0, 0), sigma).astype(np.float32, copy=False)
