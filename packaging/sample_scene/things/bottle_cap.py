"""Crown caps from above: printed tops, twenty-one crimps, dents and scratches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, step
from ..surface import Sprite, edge
from .print import lettering, numeral, star

PAINTS = ("#b3261e", "#1f4e8c", "#1f6b45", "#e0b23a", "#ece8df", "#26262a", "#d9692a", "#7fb2c9", "#c9c9c6")
NAMES = ("ATROUS", "PALE ALE", "LEMONADE", "GINGER BEER", "XCEPTION", "OLD MILL")


@dataclass(frozen=True)
class BottleCap:
    """`radius` over the crimps, millimetres."""

    radius: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> BottleCap:
        """Any crown cap."""
        return cls(rng.uniform(14.5, 16.2), int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return self.radius * 1.06

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return self.radius * 1.06

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""
        return ((0.0, self.radius),)

    def draw(self, frame: Frame) -> Sprite:
        """Top, shoulder and skirt."""
        rng = np.random.default_rng(self.seed)
        r = self.radius
        radius = np.hypot(frame.u, frame.v)
        flute = np.cos(21 * np.arctan2(frame.v, frame.u))
        outline = r * (0.968 + 0.032 * flute)
        down = np.clip((radius - 0.74 * r) / (0.26 * r), 0, 1)
        skirt = np.clip(down * 1.5 - 0.2, 0, 1)
        drop = 5.6 * (0.25 * down**2 + 0.75 * down**3)
        height = 6.2 + 0.25 * step(0.8 * r, 0.2 * r, radius) - drop + 0.75 * skirt * flute * step(1.0, 0.6, down * 0.5)
        dent_u, dent_v = rng.normal(0, 0.5 * r, 2)
        dent = np.exp(-((frame.u - dent_u) ** 2 + (frame.v - dent_v) ** 2) / (0.25 * r) ** 2)
        height = height - rng.uniform(0, 1.2) * dent + 0.02 * fractal(frame, 8.0, rng)
        paint, ink = self._paint(frame, radius, rng)
        wear = step(1.5, 2.1, fractal(frame, 5.0, rng) + 0.9 * skirt * (flute > 0.3) * rng.uniform(0, 1.2))
        wear = np.maximum(wear, 0.8 * step(2.0, 2.6, blobs(frame, (12.0, 0.7), rng)))
        albedo = mix(paint, colour("#a9a7a2"), wear)
        if rng.random() < 0.3:
            rust = step(0.7, 1.9, fractal(frame, 9.0, rng) + 0.7 * skirt)
            albedo = mix(albedo, colour("#6e3d20"), 0.85 * rust)
            wear = wear * (1 - rust)
        rough = np.clip(0.14 + 0.05 * ink + 0.25 * wear + 0.03 * fractal(frame, 4.0, rng), 0.05, 1)
        return Sprite(
            edge(outline - radius, frame), height.astype(np.float32), albedo, (0.85 * wear).astype(np.float32), rough
        )

    def _paint(self, frame: Frame, radius: Plane, rng: np.random.Generator) -> tuple[Rgb, Plane]:
        r = self.radius
        first, second = (colour(PAINTS[int(i)]) for i in rng.choice(len(PAINTS), 2, replace=False))
        ring = step(0.70 * r, 0.70 * r - frame.pixel, radius) * step(0.64 * r, 0.64 * r + frame.pixel, radius)
        ink = ring if rng.random() < 0.6 else np.zeros_like(radius)
        kind = rng.integers(4)
        if kind == 0:
            ink = np.maximum(ink, star(frame, 5, 0.8 * r))
        elif kind == 1:
            ink = np.maximum(ink, numeral(frame, str(rng.choice(["A", "X", "8", "33", "M"])), 0.95 * r))
        elif kind == 2:
            ink = np.maximum(ink, step(0.30 * r, 0.30 * r - frame.pixel, radius))
        else:
            ink = np.maximum(ink, star(frame, int(rng.integers(8, 13)), 0.85 * r, 0.7))
        if rng.random() < 0.75:
            ink = np.maximum(ink, lettering(frame, str(rng.choice(NAMES)), 0.46 * r, 0.62 * r, int(rng.integers(1, 3))))
        return mix(first, second, ink), ink.astype(np.float32)
