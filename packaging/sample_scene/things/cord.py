"""Cords: laid jute, braided colours or smooth cable, winding over the table and over themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ..noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, scaled, spread
from ..surface import Sprite, edge

SPACING = 1.0  # millimetres between points of the path
CHUNK = 8
COARSE = 8
COLOURS = ("#c9a66b", "#b08a55", "#2c4a7a", "#a52a2a", "#2f2f31", "#d8d2c4", "#c9622a", "#3f6b4a")


@dataclass(frozen=True)
class Cord:
    """`radius` in millimetres, `kind` laid, braided or cable; the path comes from `seed`."""

    radius: float
    kind: str
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Cord:
        """Any cord from a drawer."""
        kind = str(rng.choice(["laid", "laid", "braided", "cable"]))
        return cls(rng.uniform(1.7, 3.2), kind, int(rng.integers(2**31)))

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole, millimetres."""
        return float(np.hypot(*np.abs(self._path()).max(axis=0))) + 2 * self.radius

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u, millimetres."""
        return self.reach

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Nowhere so massive that others keep away."""
        return ()

    def _path(self) -> NDArray[np.float64]:
        """Points (N, 2) every SPACING millimetres: a heading that wanders, with a middle at 0."""
        rng = np.random.default_rng(self.seed)
        count = int(rng.uniform(220, 520))
        knots = rng.normal(0, 1, count // 45 + 4)
        turn = np.interp(np.arange(count) / 45, np.arange(len(knots)), knots) * 0.021 + rng.normal(0, 0.004)
        turn = np.asarray(cv2.GaussianBlur(turn[:, None], (0, 0), 12)[:, 0])
        heading = np.cumsum(turn) + rng.uniform(0, 2 * np.pi)
        path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0) * SPACING
        return np.asarray(path - path.mean(axis=0))

    def _lift(self, path: NDArray[np.float64]) -> NDArray[np.float64]:
        """Height (N,) by which later parts climb over earlier ones."""
        apart = np.hypot(*(path[:, None] - path[None]).transpose(2, 0, 1))
        earlier = np.arange(len(path))[:, None] - np.arange(len(path))[None] > 8 * self.radius / SPACING
        crossing = ((apart < 1.6 * self.radius) & earlier).any(axis=1).astype(np.float64)
        near = cv2.dilate(crossing[:, None], np.ones((int(4 * self.radius) | 1, 1)))
        return np.asarray(cv2.GaussianBlur(near, (0, 0), 2.2 * self.radius)[:, 0], np.float64) * (2.0 * self.radius)

    def draw(self, frame: Frame) -> Sprite:
        """Follow the path and keep the highest strand at every pixel."""
        rng = np.random.default_rng(self.seed + 1)
        along, across, base = self._coordinates(frame)
        on = np.abs(across) < self.radius * 1.3
        if not on.any():
            nothing = np.zeros_like(frame.u)
            return Sprite(nothing, nothing, np.zeros((*frame.u.shape, 3), np.float32), flexible=True)
        strand = frame.moved(along, across).packed(on)
        colours, relief, rough = self._surface(strand, rng)
        dome = np.sqrt(np.clip(1 - (strand.v / self.radius) ** 2, 0.0, None)) * self.radius
        coverage = edge(self.radius + 0.6 * relief - np.abs(strand.v), strand)
        height = spread(self.radius + dome + relief, on) + base
        return Sprite(spread(coverage, on), height, spread(colours, on), 0.0, spread(rough, on), flexible=True)

    def _coordinates(self, frame: Frame) -> tuple[Plane, Plane, Plane]:
        """Millimetres along and across the cord, and its lift, at every pixel near it (across is huge elsewhere)."""
        path = self._path()
        lift = self._lift(path)
        along, base = np.zeros_like(frame.u), np.zeros_like(frame.u)
        across = np.full_like(frame.u, 1e3)
        best = np.full_like(frame.u, -1.0)
        margin = 1.4 * self.radius
        for start in range(0, len(path) - 1, CHUNK):
            part = path[start : start + CHUNK + 2]
            low, high = part.min(axis=0) - margin, part.max(axis=0) + margin
            box = _box(frame, low, high)
            if box is None:
                continue
            s, d, ok = _along(frame.u[box], frame.v[box], part)
            ok &= np.abs(d) < margin
            level = np.interp(start + s, np.arange(len(path)), lift).astype(np.float32)
            z = level + np.sqrt(np.clip(margin**2 - d**2, 0, None))
            wins = ok & (z > best[box])
            for plane, value in ((best, z), (along, (start + s) * SPACING), (across, d), (base, level)):
                plane[box][wins] = value[wins]
        return along, across, base

    def _surface(self, strand: Frame, rng: np.random.Generator) -> tuple[Rgb, Plane, Plane]:
        r = self.radius
        main = colour(COLOURS[int(rng.integers(2 if self.kind == "laid" and rng.random() < 0.7 else len(COLOURS)))])
        around = np.arcsin(np.clip(strand.v / r, -1, 1)) / np.float32(np.pi)
        if self.kind == "cable":
            scuff = fractal(strand, 20.0, rng)
            return scaled(main, np.clip(1 + 0.06 * scuff, 0.5, 1.5)), 0.01 * scuff, np.clip(0.3 + 0.05 * scuff, 0, 1)
        if self.kind == "laid":
            lay = strand.u / np.float32(2.1 * r) + around * np.float32(1.0)
            within = lay % 1 - 0.5
            bump = np.sqrt(np.clip(1 - 3.6 * within**2, 0, 1))
            hairs = blobs(strand.moved(within * 2.1 * r, strand.u * 0.5 + strand.v), (0.5, 6.0), rng)
            shaded = np.clip(0.35 + 0.65 * bump + 0.12 * hairs, 0.1, 1.3)
            return scaled(main, shaded), r * (0.42 * bump - 0.36) + 0.05 * hairs, np.full_like(strand.u, 0.95)
        a, b = strand.u / (1.5 * r) + around * 1.5, strand.u / (1.5 * r) - around * 1.5
        checker = (np.floor(a) + np.floor(b)) % 2
        bump = np.sqrt(np.abs(np.sin(np.pi * a) * np.sin(np.pi * b)))
        other = colour(COLOURS[int(rng.integers(len(COLOURS)))]) if rng.random() < 0.6 else main * 0.8
        tracer = checker * (np.floor(a / 2) % 2 if rng.random() < 0.5 else 1)
        colours = scaled(mix(main, other, tracer), np.clip(0.5 + 0.55 * bump, 0, 1.2))
        return colours, 0.16 * r * (bump - 0.6), np.full_like(strand.u, 0.75)


def _box(frame: Frame, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[slice, slice] | None:
    """The pixels that may lie between two corners of the frame's own coordinates, found on every COARSE-th of them."""
    slack = COARSE * 1.5 * frame.pixel
    u, v = frame.u[::COARSE, ::COARSE], frame.v[::COARSE, ::COARSE]
    near = (np.abs(u - (low[0] + high[0]) / 2) < (high[0] - low[0]) / 2 + slack) & (
        np.abs(v - (low[1] + high[1]) / 2) < (high[1] - low[1]) / 2 + slack
    )
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return None
    top, left = max(int(rows[0]) - 1, 0) * COARSE, max(int(columns[0]) - 1, 0) * COARSE
    return slice(top, (int(rows[-1]) + 1) * COARSE), slice(left, (int(columns[-1]) + 1) * COARSE)


def _along(u: Plane, v: Plane, part: NDArray[np.float64]) -> tuple[Plane, Plane, NDArray[np.bool_]]:
    """Place along a short path (in points), signed distance to it, and where its ends are not the nearest."""
    nearest = np.full_like(u, 1e9)
    s, d = np.zeros_like(u), np.full_like(u, 1e3)
    for i, (a, b) in enumerate(pairwise(part)):
        direction = (b - a) / np.hypot(*(b - a))
        du, dv = u - np.float32(a[0]), v - np.float32(a[1])
        t = np.clip(du * np.float32(direction[0]) + dv * np.float32(direction[1]), 0, np.float32(SPACING))
        side = du * np.float32(-direction[1]) + dv * np.float32(direction[0])
        off_u, off_v = du - t * np.float32(direction[0]), dv - t * np.float32(direction[1])
        square = off_u * off_u + off_v * off_v
        closer = square < nearest
        nearest = np.where(closer, square, nearest)
        s = np.where(closer, i + t / np.float32(SPACING), s)
        d = np.where(closer, np.sign(side) * np.sqrt(square), d)
    ends = len(part) - 1
    return s.astype(np.float32), d.astype(np.float32), (s > 0) & (s < ends)
