"""Bolts on their side: hexagon or knurled socket heads, threaded shanks; zinc, steel, black, yellow, or rusty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..noise import Frame, Plane, blobs, colour, fractal, mix, scaled, step
from ..surface import Sprite, edge

FINISHES = (("#c4c8cc", 0.30), ("#b8b4ac", 0.42), ("#3a3a3c", 0.5), ("#c9b27a", 0.33), ("#9a9792", 0.55))


@dataclass(frozen=True)
class Bolt:
    """`radius` of the shank and `length` of the whole, millimetres."""

    radius: float
    length: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Bolt:
        """Any bolt from a drawer, M6 to M12."""
        radius = rng.uniform(2.8, 5.4)
        return cls(radius, radius * rng.uniform(7, 15), int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return self.length / 2 + self.radius

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return self.radius * 2

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""
        ends = np.linspace(-self.length / 2 + self.radius, self.length / 2 - self.radius, 4)
        return tuple((float(u), self.radius * 1.2) for u in ends)

    def draw(self, frame: Frame) -> Sprite:
        """Head at -length / 2, tip at length / 2."""
        rng = np.random.default_rng(self.seed)
        head_length = self.radius * rng.uniform(1.25, 1.6)
        head_end = -self.length / 2 + head_length
        inside_shank, shank, valley = self._shank(frame, head_end, rng)
        if rng.random() < 0.65:
            inside_head, head = self._hexagon(frame, head_length, rng)
        else:
            inside_head, head = self._knurled(frame, head_length)
        on_head = step(-0.05, 0.1, inside_head)
        height = np.where(head * on_head > shank, head, shank)
        axis = self.radius * 1.25
        code, rough = FINISHES[int(rng.integers(len(FINISHES)))]
        base = colour(code)
        smudge = fractal(frame, 12.0, rng)
        albedo = scaled(base, np.clip(1 + 0.1 * smudge - 0.45 * valley, 0.2, 1.4))
        rust = step(rng.uniform(0.3, 2.6), 2.7, fractal(frame, 10.0, rng) + 0.8 * valley)
        rusty = mix(colour("#7a4526"), colour("#4a2716"), np.clip(0.5 + 0.4 * blobs(frame, 1.0, rng), 0, 1))
        albedo = mix(albedo, rusty, rust)
        height = axis + height + 0.05 * rust * blobs(frame, 0.8, rng)
        metal = (0.95 - 0.85 * rust).astype(np.float32)
        finish = np.clip(rough + 0.05 * smudge + 0.5 * rust, 0.08, 1)
        inside = np.maximum(inside_shank, inside_head)
        return Sprite(edge(inside, frame), height.astype(np.float32), albedo, metal, finish)

    def _shank(self, frame: Frame, head_end: float, rng: np.random.Generator) -> tuple[Plane, Plane, Plane]:
        """Distance inside the outline, height over the axis, and 0..1 in the valleys of the thread."""
        r = self.radius
        pitch = max(0.36 * r, 4.2 * frame.pixel)
        around = np.arcsin(np.clip(frame.v / r, -1, 1)) / (2 * np.pi)
        tooth = np.abs(((frame.u / pitch + around) % 1) * 2 - 1)
        start = head_end + (rng.uniform(0.2, 0.5) * self.length if rng.random() < 0.45 else 0.6)
        threaded = step(start, start + 0.4, frame.u)
        tip = self.length / 2
        taper = np.clip((frame.u - tip + 0.5 * r) / (0.5 * r), 0, 1) * 0.22
        depth = 0.17 * (1 - np.clip(tooth * 1.5 - 0.2, 0, 1)) * threaded
        local = r * (1 - np.maximum(depth, taper))
        inside = np.minimum(local - np.abs(frame.v), np.minimum(tip - frame.u, frame.u - head_end + r))
        return (
            inside.astype(np.float32),
            np.sqrt(np.clip(local**2 - frame.v**2, 0, None)),
            (depth / 0.17).astype(np.float32),
        )

    def _hexagon(self, frame: Frame, length: float, rng: np.random.Generator) -> tuple[Plane, Plane]:
        flat = self.radius * 1.62  # from the axis to a flat side
        turn = rng.uniform(0, np.pi / 3)
        top = np.full_like(frame.u, 1e3)
        half = np.full_like(frame.u, 0.0)
        for k in range(6):  # the prism is what lies below all of its sides
            normal_v, normal_z = np.sin(turn + k * np.pi / 3), np.cos(turn + k * np.pi / 3)
            if normal_z > 0.02:
                top = np.minimum(top, (flat - normal_v * frame.v) / normal_z)
            half = np.maximum(half, np.abs(normal_v))
        corner = max(abs(np.sin(turn + np.pi / 6 + k * np.pi / 3)) for k in range(6)) * flat / np.cos(np.pi / 6)
        begin = -self.length / 2
        cone = flat * 0.97 + np.clip((frame.u - begin) * 1.9, 0, 9)  # the chamfer of the outer face
        top = np.minimum(top, np.sqrt(np.clip(cone**2 - frame.v**2, 0, None)))
        inside = np.minimum(
            np.minimum(corner, cone) - np.abs(frame.v), np.minimum(frame.u - begin, begin + length - frame.u)
        )
        return inside.astype(np.float32), top.astype(np.float32)

    def _knurled(self, frame: Frame, length: float) -> tuple[Plane, Plane]:
        r = self.radius * 1.55
        begin, length = -self.length / 2, length * 1.35
        knurl = 0.06 * np.abs(np.sin(np.arcsin(np.clip(frame.v / r, -1, 1)) * 22)) * step(0.5, 0.8, frame.u - begin)
        rounded = 0.5 * np.clip(1 - (frame.u - begin) / 0.6, 0, 1) ** 2
        top = np.sqrt(np.clip(r**2 - frame.v**2, 0, None)) - r * knurl - rounded
        inside = np.minimum(r - rounded - np.abs(frame.v), np.minimum(frame.u - begin, begin + length - frame.u))
        return inside.astype(np.float32), top.astype(np.float32)
