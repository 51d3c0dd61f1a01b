"""Sheets of paper: part of the background that has edges of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, blobs, colour, fractal, mix, scaled, step
from ..surface import Sprite, edge


@dataclass(frozen=True)
class Sheet:
    """Half `length` and half `width` in millimetres."""

    length: float
    width: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Sheet:
        """A card, a page or a printed form."""
        return cls(rng.uniform(55, 110), rng.uniform(40, 80), int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return float(np.hypot(self.length, self.width)) + 1

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return self.width

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Nothing keeps away from paper."""
        return ()

    def draw(self, frame: Frame) -> Sprite:
        """Plain, ruled or squared."""
        rng = np.random.default_rng(self.seed)
        inside = np.minimum(self.length - np.abs(frame.u), self.width - np.abs(frame.v))
        paper = colour(str(rng.choice(["#e8e5dc", "#d8cdb4", "#f0eee8", "#c9d3d6", "#d9b7a8"])))
        line = np.zeros_like(frame.u)
        style = rng.integers(3)
        pitch = rng.choice([5.0, 8.0])
        if style:
            line = step(0.35, 0.1, np.abs((frame.v / pitch) % 1 - 0.5) * np.float32(pitch))
        if style == 2:
            line = np.maximum(line, step(0.35, 0.1, np.abs((frame.u / pitch) % 1 - 0.5) * np.float32(pitch)))
        albedo = mix(paper, colour("#7f93b0"), 0.6 * line)
        albedo = scaled(albedo, 1 + 0.02 * blobs(frame, 1.2, rng) + 0.02 * fractal(frame, 60.0, rng))
        curl = rng.uniform(0, 5) * step(0.4, 1.2, (frame.u / self.length + frame.v / self.width) / 2)
        height = 0.25 + curl + 0.25 * (1 + np.tanh(fractal(frame, 120.0, rng)))
        return Sprite(
            edge(inside, frame), height.astype(np.float32), albedo.astype(np.float32), 0.0, 0.85, flexible=True
        )
