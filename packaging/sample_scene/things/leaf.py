"""Leaves: lance-shaped, toothed or lobed blades with veins, curl, stalk and the colours of a year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, scaled, step
from ..surface import Sprite, edge

SEASONS = (
    ("#4f7a2c", "#38591f", "#7d8a3a"),
    ("#6e9440", "#4e6d2a", "#a8a04a"),
    ("#d0a028", "#b5761e", "#7f8a33"),
    ("#c2571f", "#8f2d17", "#d49a2c"),
    ("#9a2b1e", "#6a1a16", "#c06a2a"),
    ("#8a5a33", "#5e3b22", "#a87a48"),
)


@dataclass(frozen=True)
class Leaf:
    """`length` of the blade and half its `width`, millimetres; `lobes` 0 for a smooth or toothed edge."""

    length: float
    width: float
    lobes: int
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Leaf:
        """Any leaf of a hedge in autumn."""
        length = rng.uniform(45, 105)
        lobes = int(rng.choice([0, 0, 4, 5]))
        slim = rng.uniform(0.3, 0.36) if lobes else rng.uniform(0.16, 0.34)
        return cls(length, length * slim, lobes, int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, stalk included, millimetres."""
        return self.length * 0.82

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return max(self.width * 1.1 + 0.1 * self.length, 0.3 * self.length)

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""
        return tuple((t * self.length, self.width * 0.75) for t in (-0.2, 0.05, 0.28))

    def draw(self, frame: Frame) -> Sprite:
        """The blade runs along u from -length / 2 to length / 2, the stalk before it."""
        rng = np.random.default_rng(self.seed)
        bend = rng.uniform(-0.5, 0.5) / self.length
        v = frame.v - bend * frame.u**2 + 0.25 * bend * self.length**2 / 4
        t = np.clip(frame.u / self.length + 0.5, 0, 1)
        blade = self._half_width(t, rng) - np.abs(v)
        blade = np.where((frame.u > -self.length / 2) & (frame.u < self.length / 2), blade, -9)
        stalk_end = -self.length * rng.uniform(0.62, 0.78)
        thick = 0.55 + 0.5 * np.clip((-self.length * 0.5 - frame.u) / (self.length * 0.2), 0, 1)
        stalk = np.minimum(thick - np.abs(v), np.minimum(frame.u - stalk_end, -frame.u - 0.3 * self.length))
        rib = np.clip(1 - np.abs(v) / (0.35 + 1.1 * (1 - t)), 0, 1)
        slope = rng.uniform(0.7, 1.2)
        spacing = self.length / rng.uniform(11, 16)
        lane = (frame.u - slope * np.abs(v) + 0.02 * v * v + 0.4 * fractal(frame, 20.0, rng)) / spacing
        lane = lane + np.where(v > 0, 0.45, 0.0)
        to_vein = np.abs(lane % 1 - 0.5) * 2  # 1 on a vein
        vein = step(1 - 0.55 / spacing, 1 - 0.1 / spacing, to_vein.astype(np.float32)) * (0.9 - 0.5 * t)
        on_blade = step(-0.2, 0.4, blade.astype(np.float32))
        height = self._relief(frame, v, t, to_vein, vein, rib, rng)
        stalk_height = np.sqrt(np.clip(thick**2 - v**2, 0, None)) + 0.8 * thick
        on_stalk = step(-0.05, 0.1, stalk.astype(np.float32))
        height = height + on_stalk * (np.maximum(stalk_height, height * on_blade) - height)
        albedo = self._colours(frame, blade, vein, rib * on_blade + (1 - on_blade), rng)
        distance = np.maximum(blade * 0.85, stalk)
        return Sprite(
            edge(distance, frame), height.astype(np.float32), albedo, 0.0, rng.uniform(0.4, 0.75), flexible=True
        )

    def _half_width(self, t: Plane, rng: np.random.Generator) -> Plane:
        widest = rng.uniform(0.75, 1.25) if not self.lobes else 1.35
        outline = np.clip(np.sin(np.pi * t**widest), 0, 1) ** rng.uniform(0.75, 1.05)
        if self.lobes:
            wave = np.abs(np.sin(np.pi * (self.lobes * t + rng.uniform(0, 1))))
            outline = outline**0.6 * (0.5 + 0.55 * np.sqrt(wave))
        elif rng.random() < 0.6:
            teeth = self.length / rng.uniform(2.5, 4.5)
            outline = outline * (1 + 0.06 * ((t * teeth) % 1 - 0.5))
        return np.asarray(self.width * outline, np.float32)

    def _relief(
        self, frame: Frame, v: Plane, t: Plane, to_vein: Plane, vein: Plane, rib: Plane, rng: np.random.Generator
    ) -> Plane:
        fold = rng.uniform(-0.05, 0.22) * np.sqrt(v * v + 9)
        curl = rng.uniform(0, 14) * (t - 0.4) ** 2 * np.sign(rng.normal() + 1.2)
        waves = (
            0.6 * fractal(frame, 160.0, rng)
            + 0.45 * np.sin(frame.u * 0.35 + rng.uniform(0, 6)) * np.abs(v) / self.width
        )
        pillow = 0.28 * (1 - to_vein**2) * np.clip(np.abs(v) / 4, 0, 1)
        veins = 0.02 * blobs(frame, 2.2, rng) - 0.22 * vein - 0.5 * rib
        return np.asarray(np.maximum(1.2 + fold + curl + waves, 0.25) + pillow + veins, np.float32)

    def _colours(self, frame: Frame, blade: Plane, vein: Plane, rib: Plane, rng: np.random.Generator) -> Rgb:
        main, deep, pale = (colour(code) for code in SEASONS[int(rng.integers(len(SEASONS)))])
        albedo = mix(main, deep, np.clip(0.4 + 0.45 * fractal(frame, 50.0, rng), 0, 1))
        margin = step(self.width * 0.35, 0.0, blade + 3 * fractal(frame, 20.0, rng))
        albedo = mix(albedo, colour("#7a4a22") if rng.random() < 0.4 else deep, rng.uniform(0.1, 0.7) * margin)
        spots = step(1.5, 2.1, blobs(frame, rng.uniform(4, 8), rng)) * step(-0.2, 1.0, fractal(frame, 60.0, rng))
        albedo = mix(albedo, colour("#4a2c17"), 0.8 * spots)
        albedo = scaled(albedo, 1 + 0.07 * blobs(frame, 1.6, rng) + 0.04 * fractal(frame, 6.0, rng))
        return mix(albedo, pale, np.clip(0.55 * vein + 0.85 * rib, 0, 1))
