"""Coins of copper, brass, nickel or two metals: rim, beads, letters, relief, tarnish."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, step
from ..surface import Sprite, edge
from .print import lettering, numeral, star

METALS = {"copper": "#c9805a", "brass": "#d1b066", "nickel": "#c9c7c2"}
LEGENDS = ("ATROUS * 2024 *", "ONE PENNY *", "LIBERTAS * 1987", "DIX CENTIMES *")

HEAD = (  # ellipses of a profile, in radii of the coin: x, y, half width, half height
    (0.0, -0.12, 0.30, 0.36),
    (-0.05, -0.18, 0.36, 0.33),
    (0.26, -0.02, 0.10, 0.07),
    (0.14, 0.16, 0.15, 0.12),
    (-0.06, 0.34, 0.20, 0.26),
    (-0.05, 0.52, 0.40, 0.12),
)


@dataclass(frozen=True)
class Coin:
    """`radius` in millimetres."""

    radius: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Coin:
        """Any coin from a pocket."""
        return cls(rng.uniform(8.5, 13.5), int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return self.radius * 1.05

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return self.radius * 1.05

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""
        return ((0.0, self.radius),)

    def draw(self, frame: Frame) -> Sprite:
        """A disc with a face."""
        rng = np.random.default_rng(self.seed)
        radius = np.hypot(frame.u, frame.v)
        face = self._face(frame, radius, rng)
        raised = np.maximum(face, step(self.radius * 0.86, self.radius * 0.90, radius))
        bevel = np.sqrt(np.clip(1 - np.clip((radius - self.radius + 0.5) / 0.55, 0, 1) ** 2, 0.002, None))
        scratches = blobs(frame, (14.0, 0.5), rng) + blobs(frame, (0.5, 11.0), rng)
        height = 1.2 * bevel + 0.55 * raised + 0.006 * scratches + 0.02 * fractal(frame, 20.0, rng)
        metal = self._metal(frame, radius, rng)
        worn = np.clip(1 - raised + 0.2 * fractal(frame, 9.0, rng), 0, 1)
        tarnish = rng.uniform(0.25, 0.9) * worn
        albedo = mix(metal, metal * colour("#7a5a42") * 0.6, tarnish)
        if rng.random() < 0.25:
            green = step(1.0, 2.0, fractal(frame, 12.0, rng)) * worn
            albedo = mix(albedo, colour("#5d8f7c") * 0.6, 0.7 * green)
        rough = np.clip(0.34 + 0.35 * tarnish + 0.05 * scratches, 0.08, 1)
        return Sprite(
            edge(self.radius - radius, frame),
            height.astype(np.float32),
            albedo,
            (0.95 - 0.35 * tarnish).astype(np.float32),
            rough,
        )

    def _face(self, frame: Frame, radius: Plane, rng: np.random.Generator) -> Plane:
        r = self.radius
        legend = LEGENDS[int(rng.integers(len(LEGENDS)))]
        face = lettering(frame, legend, 0.64 * r, 0.82 * r, int(rng.integers(1, 3)))
        kind = rng.integers(3)
        if kind == 0:
            face = np.maximum(face, numeral(frame, str(rng.choice(["1", "5", "10", "20", "50"])), 1.15 * r))
        elif kind == 1:
            face = np.maximum(
                face, star(frame, int(rng.integers(5, 9)), 1.1 * r) * (0.6 + 0.4 * step(0, r / 2, radius))
            )
        else:
            head = _profile(frame, r)
            face = np.maximum(face, head * (0.75 + 0.12 * fractal(frame, r * 0.7, rng)))
        turn = np.arctan2(frame.v, frame.u)
        beads = step(0.1, 0.8, np.cos(turn * 72).astype(np.float32)) * step(
            0.05 * r, 0.02 * r, np.abs(radius - 0.87 * r)
        )
        return np.asarray(np.maximum(face, 0.8 * beads), np.float32)

    def _metal(self, frame: Frame, radius: Plane, rng: np.random.Generator) -> Rgb:
        names = list(METALS)
        main = colour(METALS[names[int(rng.integers(3))]])
        plain = np.broadcast_to(main, (*radius.shape, 3)).astype(np.float32)
        if rng.random() < 0.3:
            ring = step(0.66 * self.radius, 0.67 * self.radius + frame.pixel, radius)
            return mix(colour(METALS["brass"]), colour(METALS["nickel"]), ring if rng.random() < 0.5 else 1 - ring)
        return plain


def _profile(frame: Frame, r: float) -> Plane:
    """A head in profile, drawn with a few ellipses, 0..1."""
    head = np.zeros_like(frame.u)
    for x, y, a, b in HEAD:
        part = 1 - ((frame.u / r - x) / a) ** 2 - ((frame.v / r - y) / b) ** 2
        head = np.maximum(head, np.sqrt(np.clip(part, 0, 1)))
    return head.astype(np.float32)
