"""Pebbles: rounded, of granite, sandstone, dark stone with quartz veins, or jasper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, scaled, step
from ..surface import Sprite, edge

KINDS = ("granite", "sandstone", "veined", "plain")


@dataclass(frozen=True)
class Pebble:
    """`length` and `width` are half axes in millimetres."""

    length: float
    width: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Pebble:
        """Any pebble from a beach."""
        length = float(rng.choice([rng.uniform(6, 12), rng.uniform(12, 24)]))
        return cls(length, length * rng.uniform(0.6, 0.95), int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return self.length * 1.35

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return self.width * 1.4

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""
        return ((0.0, (self.length + self.width) / 2),)

    def draw(self, frame: Frame) -> Sprite:
        """Outline, dome and stone."""
        rng = np.random.default_rng(self.seed)
        angle = np.arctan2(frame.v / self.width, frame.u / self.length)
        outline = np.ones_like(frame.u)
        for k in range(2, 6):
            outline += rng.normal(0, 0.13 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
        radius = np.hypot(frame.u / self.length, frame.v / self.width) / outline + 1e-4
        distance = np.hypot(frame.u, frame.v) * (1 / radius - 1)
        swell = fractal(frame, self.length * 1.6, rng)
        dome = np.clip(1 - radius ** rng.uniform(2.0, 2.9) + 0.02 * swell * (1 - radius), 0.0004, None) ** 0.5
        stone, grain, rough = self._stone(frame, rng)
        height = self.width * rng.uniform(0.55, 0.85) * dome + 0.05 * grain * step(1.0, 0.9, radius.astype(np.float32))
        return Sprite(edge(distance, frame), height.astype(np.float32), stone, 0.0, rough)

    def _stone(self, frame: Frame, rng: np.random.Generator) -> tuple[Rgb, Plane, Plane]:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        tones = {
            "granite": ("#a8a29a", "#b98f80", "#8f9496"),
            "sandstone": ("#b99a72", "#a57c5a", "#c4b59b"),
            "veined": ("#4a4d50", "#5d5650", "#3f4a4a", "#6b4a42"),
            "plain": ("#8c8a86", "#cfc8bb", "#6f7468", "#7d4f41", "#e3ded4"),
        }[kind]
        base = colour(tones[int(rng.integers(len(tones)))])
        cloud, fine = fractal(frame, 14.0, rng), fractal(frame, 2.5, rng)
        albedo = scaled(base, np.clip(1 + 0.10 * cloud + 0.07 * fine, 0.3, 1.7))
        if kind == "granite":
            albedo = mix(albedo, colour("#35322f"), 0.85 * step(0.9, 1.5, blobs(frame, 2.4, rng) + 0.3 * fine))
            albedo = mix(albedo, colour("#e6dfd4"), 0.7 * step(0.8, 1.5, blobs(frame, 3.2, rng) + 0.4 * fine))
        elif kind == "sandstone":
            layer = np.sin(frame.v * np.float32(2 * np.pi / rng.uniform(4, 9)) + 1.3 * fractal(frame, 30.0, rng))
            albedo = mix(albedo, base * colour("#b08068"), 0.6 * step(-0.2, 1.0, layer.astype(np.float32)))
        elif kind == "veined":
            vein = np.abs(fractal(frame, (60.0, 25.0), rng) + rng.normal(0, 0.3))
            albedo = mix(albedo, colour("#d9d5cc"), 0.9 * step(0.13, 0.05, vein))
        rough = np.full_like(frame.u, rng.choice([0.35, 0.6, 0.8, 0.9])) + 0.05 * fine
        return albedo, fine, np.clip(rough, 0.1, 1)
