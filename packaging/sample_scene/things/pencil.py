"""Pencils: six painted sides with an imprint, a sharpened tip, sometimes an eraser in its ferrule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, scaled, step
from ..surface import Sprite, edge
from .print import line_of_text

PAINTS = ("#d9a520", "#a3231f", "#1d5a3a", "#20407a", "#1e1e20", "#c98fa0", "#2b7f8c", "#b98a5a", "#d8d4cb")
FLAT = 3.4  # millimetres from the axis to a side


@dataclass(frozen=True)
class Pencil:
    """`length` in millimetres; the tip points along u."""

    length: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Pencil:
        """New or used up."""
        return cls(rng.uniform(70, 165), int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return self.length / 2 + 4

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return FLAT * 1.3

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""
        count = int(self.length / 12)
        return tuple((float(u), FLAT) for u in np.linspace(-self.length / 2, self.length / 2 - 10, count))

    def draw(self, frame: Frame) -> Sprite:
        """Painted hexagon, wooden cone, graphite."""
        rng = np.random.default_rng(self.seed)
        turn = rng.uniform(0, np.pi / 3)
        side, top = _hexagon(frame.v, turn)
        end, begin = self.length / 2, -self.length / 2
        sharp = rng.uniform(17, 23)
        cone = np.clip((end - frame.u) / sharp, 0, 1) * FLAT * 1.12
        paint_end = cone < top_radius(frame.v, top)  # the cone has cut away paint and side
        round_top = np.sqrt(np.clip(cone**2 - frame.v**2, 0, None))
        height = np.minimum(top, round_top)
        inside = np.minimum(np.minimum(side, cone) - np.abs(frame.v), np.minimum(frame.u - begin, end - 0.6 - frame.u))
        albedo, rough = self._painted(frame, rng)
        wood = mix(colour("#c99a68"), colour("#9a6a40"), np.clip(0.4 + 0.3 * fractal(frame, (30.0, 1.2), rng), 0, 1))
        albedo = mix(albedo, wood, paint_end.astype(np.float32))
        lead = step(0.95, 0.75, cone)
        albedo = mix(albedo, colour("#2a2a2d"), lead)
        rough = np.where(paint_end, 0.85 - 0.4 * lead, rough)
        metal = np.zeros_like(frame.u)
        if rng.random() < 0.55:
            height, albedo, metal, rough = self._capped(frame, height, albedo, rough, rng)
        height = FLAT + height + 0.01 * fractal(frame, 6.0, rng)
        return Sprite(
            edge(inside, frame), height.astype(np.float32), albedo.astype(np.float32), metal, rough.astype(np.float32)
        )

    def _painted(self, frame: Frame, rng: np.random.Generator) -> tuple[Rgb, Plane]:
        paint = colour(PAINTS[int(rng.integers(len(PAINTS)))])
        foil = colour("#d8c48a" if paint.mean() < 0.4 else "#3a3a3a")
        start = -self.length / 2 + 20
        text = str(rng.choice(["ATROUS  HB 2", "DRAWING 4B", "No. 2  SOFT", "ATROUS  2H"]))
        ink = line_of_text(frame, text, start, 3.2)
        band = step(0.5, 0.3, np.abs(np.abs(frame.u - start + 4) - 1.2)) * (rng.random() < 0.5)
        chips = step(2.3, 2.8, blobs(frame, 3.0, rng))
        albedo = mix(mix(paint, foil, np.maximum(0.85 * ink, band)), colour("#b98a5c"), chips)
        return albedo, np.clip(0.18 + 0.5 * chips + 0.03 * fractal(frame, 10.0, rng), 0.05, 1)

    def _capped(
        self, frame: Frame, height: Plane, albedo: Rgb, rough: Plane, rng: np.random.Generator
    ) -> tuple[Plane, Rgb, Plane, Plane]:
        """An eraser and the crimped metal that holds it."""
        place = frame.u + self.length / 2
        rubber, ferrule = step(6.2, 6.0, place), step(16.5, 16.3, place)
        ferrule = ferrule * (1 - rubber)
        round_top = np.sqrt(np.clip((FLAT * 1.08) ** 2 - frame.v**2, 0, None))
        crimps = 0.22 * (np.abs(np.sin(place * 2.4)) * (np.abs(place - 11) < 3.9))
        end = 0.7 * np.clip(1 - place / 1.6, 0, 1) ** 2
        height = height + (rubber + ferrule) * (round_top - crimps - end - height)
        albedo = mix(albedo, colour(str(rng.choice(["#c9b88a", "#b9b9b6"]))), ferrule)
        pink = scaled(colour("#c97f78"), 1 - 0.25 * step(3.0, 0.0, place + fractal(frame, 5.0, rng)))
        albedo = mix(albedo, pink, rubber)
        return (
            height,
            albedo,
            (0.9 * ferrule).astype(np.float32),
            rough + rubber * (0.9 - rough) + ferrule * (0.3 - rough),
        )


def _hexagon(v: Plane, turn: float) -> tuple[float, Plane]:
    """Half the width seen from above, and the height over the axis at `v`."""
    top = np.full_like(v, 1e3)
    for k in range(6):
        normal_v, normal_z = np.sin(turn + k * np.pi / 3), np.cos(turn + k * np.pi / 3)
        if normal_z > 0.02:
            top = np.minimum(top, (FLAT - normal_v * v) / normal_z)
    corner = max(abs(np.sin(turn + np.pi / 6 + k * np.pi / 3)) for k in range(6)) * FLAT / np.cos(np.pi / 6)
    return float(corner), np.maximum(top, 0).astype(np.float32)


def top_radius(v: Plane, top: Plane) -> Plane:
    """Distance of the visible side from the axis at `v`."""
    return np.hypot(v, top).astype(np.float32)
