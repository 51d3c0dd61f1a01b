"""One picture from one seed: what lies where, in which light, and how it is photographed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .backdrop import BACKDROPS
from .camera import Exposure, View
from .light import Light, shade
from .noise import Frame, colour
from .surface import Sprite, Surface, unpacked
from .things import KINDS, Sheet, Thing

SIZES = ((1600, 1200), (1200, 1600), (1920, 1280), (1600, 1067), (1440, 1440), (1280, 1707))
DRAWN_ORDER = ("cord", "leaf", "pencil", "bolt", "coin", "bottle cap", "pebble")  # what usually lies below comes first
SHARES = {"leaf": 0.24, "pebble": 0.2, "coin": 0.18, "bolt": 0.16, "bottle cap": 0.12, "cord": 0.0, "pencil": 0.1}
MOODS = ("day", "window", "foliage", "lamp", "dusk", "overcast", "hard sun")


@dataclass(frozen=True)
class Picture:
    """`rgb` (H, W, 3) uint8 and its exact truth `labels` (H, W) uint8: the class that owns each pixel's centre."""

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class Placed:
    """A thing on the table, millimetres and radians."""

    thing: Thing
    label: int
    x: float
    y: float
    angle: float

    @property
    def discs(self) -> NDArray[np.float64]:
        """(N, 3): x, y, radius of what is massive."""
        u = np.array(self.thing.body).reshape(-1, 2)
        return np.stack([self.x + u[:, 0] * np.cos(self.angle), self.y + u[:, 0] * np.sin(self.angle), u[:, 1]], axis=1)


def render(seed: int, backdrop: str | None = None, mood: str | None = None, longest_side: int | None = None) -> Picture:
    """The picture of this seed: the same pixels for the same seed, on the same libraries.

    `longest_side` (pixels) takes the same scene with a smaller camera.
    """
    rng = np.random.default_rng(seed)
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    table = str(rng.choice(list(BACKDROPS)))
    hour = str(rng.choice(MOODS))
    shown = rng.uniform(170, 270)  # millimetres
    scale = min(1.0, (longest_side or max(width, height)) / max(width, height))
    width, height = round(width * scale), round(height * scale)
    view = View(width, height, shown / max(width, height), rng.uniform(0, 0.3))
    ground = view.frame(0, 0, rng.uniform(0, np.pi), 4000)
    assert ground is not None  # the middle of the table is always seen
    surface = Surface.of(BACKDROPS[backdrop or table](ground[1], rng), view.pixel)
    for placed in _arranged(view, rng):
        seen = view.frame(placed.x, placed.y, placed.angle, placed.thing.reach)
        if seen is not None:
            surface.lay(_drawn(placed.thing, seen[1]), seen[0], placed.label, seen[1].pixel)
    light, exposure = _lit(mood or hour, rng)
    photograph = replace(exposure, noise=exposure.noise * scale, depth=exposure.depth * scale)
    return Picture(photograph.develop(shade(surface, light, ground[1], rng), rng), surface.labels)


def _drawn(thing: Thing, frame: Frame) -> Sprite:
    """The thing, worked out only where it can be."""
    near = (np.abs(frame.v) < thing.girth + 2) & (np.abs(frame.u) < thing.reach + 2)
    if not near.any() or near.mean() > 0.6:
        return thing.draw(frame)
    return unpacked(thing.draw(frame.packed(near)), near)


def _arranged(view: View, rng: np.random.Generator) -> list[Placed]:
    """Things in the order in which they are put down."""
    names = list(KINDS)
    count = int(rng.integers(13, 34))
    drawn = [str(n) for n in rng.choice(names, count, p=[SHARES[n] for n in names])]
    drawn += ["cord"] * int(rng.choice([0, 1, 1, 2]))
    drawn.sort(key=lambda n: DRAWN_ORDER.index(n) + rng.normal(0, 1.3))
    things = [_thrown(Sheet.random(rng), 0, view, rng) for _ in range(int(rng.integers(3)) // 2)]
    crowding = rng.uniform(0.0, 0.45)
    taken = np.zeros((0, 3))
    for name in drawn:
        thing = KINDS[name](rng)
        tries = [_thrown(thing, names.index(name) + 1, view, rng) for _ in range(24)]
        overlaps = [_overlap(p.discs, taken) for p in tries]
        good = next((i for i, overlap in enumerate(overlaps) if overlap <= crowding), int(np.argmin(overlaps)))
        if overlaps[good] > crowding + 0.25:
            continue
        things.append(tries[good])
        if name != "leaf":  # leaves lie flat: others may lie on them
            taken = np.concatenate([taken, tries[good].discs])
    return things


def _thrown(thing: Thing, label: int, view: View, rng: np.random.Generator) -> Placed:
    """The thing anywhere on the visible table."""
    half_x, half_y = view.extent
    x, y = rng.uniform(-1.02, 1.02) * half_x, rng.uniform(-1.02, 1.02) * half_y
    return Placed(thing, label, x, y, rng.uniform(0, 2 * np.pi))


def _overlap(discs: NDArray[np.float64], taken: NDArray[np.float64]) -> float:
    """How deep the worst pair of discs runs into one another, in radii of the smaller."""
    if not len(discs) or not len(taken):
        return 0.0
    apart = np.hypot(discs[:, None, 0] - taken[None, :, 0], discs[:, None, 1] - taken[None, :, 1])
    touch = discs[:, None, 2] + taken[None, :, 2]
    return float(((touch - apart) / np.minimum(discs[:, None, 2], taken[None, :, 2])).max())


def _lit(mood: str, rng: np.random.Generator) -> tuple[Light, Exposure]:
    """Light and exposure of a mood, never twice the same."""
    azimuth = rng.uniform(0, 2 * np.pi)
    warm, cool, white = colour("#ffd9a8"), colour("#c3d6ff"), colour("#fff6ea")
    elevation, size, key, sky, pattern, stops, noise = {
        "day": (rng.uniform(0.65, 1.05), 0.3, 1.7 * white, 0.75 * cool, "none", 0.0, 0.004),
        "window": (rng.uniform(0.5, 0.8), 0.12, 2.4 * white, 0.5 * cool, "window", 0.0, 0.005),
        "foliage": (rng.uniform(0.7, 1.0), 0.1, 2.6 * white, 0.6 * cool, "foliage", 0.0, 0.004),
        "lamp": (rng.uniform(0.5, 0.9), 0.14, 2.2 * warm, 0.28 * warm, "none", -0.2, 0.009),
        "dusk": (rng.uniform(0.35, 0.6), 0.25, 1.1 * warm, 0.5 * cool, "none", -1.3, 0.022),
        "overcast": (rng.uniform(0.9, 1.25), 0.7, 0.7 * white, 1.0 * white, "none", 0.1, 0.004),
        "hard sun": (rng.uniform(0.35, 0.6), 0.03, 3.4 * white, 0.4 * cool, "none", 0.1, 0.004),
    }[mood]
    light = Light(azimuth, elevation, size * rng.uniform(0.8, 1.25), key, sky, pattern)
    exposure = Exposure(
        stops + rng.normal(0, 0.18),
        float(np.exp(rng.normal(0.02, 0.06))),
        float(np.exp(rng.normal(0.0, 0.07))),
        noise,
        rng.uniform(0.1, 0.5),
        rng.uniform(-0.1, 0.3),
        rng.choice([0.6, 1.4, 2.4]),
        rng.uniform(0.6, 1.4),
    )
    return light, exposure
