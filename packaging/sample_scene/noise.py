"""Procedural noise, sampled from periodic tiles that are made once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]  # (H, W), float32 wherever it is large
Rgb = NDArray[np.floating[Any]]  # (H, W, 3) or (3,), linear light

TILE = 1024  # texels
FRACTAL_CYCLES = 4  # the largest features of the fractal tile are TILE / FRACTAL_CYCLES texels wide
BLOB_CYCLES = 64
ROW = 1024


@dataclass(frozen=True)
class Frame:
    """Pixels in a thing's own coordinates: `u`, `v` (H, W) and the size of a `pixel`, all in millimetres."""

    u: Plane
    v: Plane
    pixel: float

    def moved(self, u: Plane, v: Plane) -> Frame:
        """The same pixels in other coordinates."""
        return replace(self, u=u.astype(np.float32), v=v.astype(np.float32))

    def packed(self, mask: NDArray[np.bool_]) -> Frame:
        """Only the pixels of `mask` (H, W), as a plane ROW wide; `spread` brings what was made of them back."""
        shape = (-(-int(mask.sum()) // ROW), ROW)
        return self.moved(np.resize(self.u[mask], shape), np.resize(self.v[mask], shape))


def spread(values: Plane, mask: NDArray[np.bool_]) -> Plane:
    """`values` of a packed frame, (h, ROW) or (h, ROW, 3), at the pixels of `mask` (H, W), 0 elsewhere."""
    whole = np.zeros((*mask.shape, *values.shape[2:]), np.float32)
    whole[mask] = values.reshape(-1, *values.shape[2:])[: int(mask.sum())]
    return whole


@lru_cache(maxsize=8)
def _pyramid(kind: str) -> tuple[Plane, ...]:
    """Periodic tiles of zero mean and unit deviation, each half as large as the one before."""
    rng = np.random.default_rng({"fractal": 1, "blobs": 2}[kind])
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    fy, fx = np.meshgrid(np.fft.fftfreq(TILE, 1 / TILE), np.fft.rfftfreq(TILE, 1 / TILE), indexing="ij")
    frequency = np.hypot(fx, fy)
    if kind == "fractal":
        weight = np.where(frequency >= FRACTAL_CYCLES, np.maximum(frequency, 1) ** -1.75, 0)
    else:
        weight = np.exp(-((np.log2(np.maximum(frequency, 0.5) / BLOB_CYCLES) / 0.8) ** 2))
        weight /= np.maximum(frequency, 1) ** 0.5
    tile = np.fft.irfft2(spectrum * weight, (TILE, TILE))
    levels = [((tile - tile.mean()) / tile.std()).astype(np.float32)]
    while levels[-1].shape[0] > 64:
        half = levels[-1].shape[0] // 2
        levels.append(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def _sample(kind: str, cycles: int, frame: Frame, size: float | tuple[float, float], rng: np.random.Generator) -> Plane:
    size_u, size_v = size if isinstance(size, tuple) else (size, size)
    levels = _pyramid(kind)
    texels = TILE / cycles / max(size_u, size_v)  # a millimetre, along the longer side: the shorter may alias a little
    level = int(np.clip(round(np.log2(max(texels * frame.pixel, 1))), 0, len(levels) - 1))
    tile = levels[level]
    side = tile.shape[0]
    du, dv = rng.uniform(0, side, 2)
    map_u = _wrapped(frame.u * np.float32(side / cycles / size_u) + np.float32(du), side)
    map_v = _wrapped(frame.v * np.float32(side / cycles / size_v) + np.float32(dv), side)
    return cv2.remap(tile, map_u, map_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).astype(np.float32)


def _wrapped(x: Plane, side: int) -> Plane:
    """x modulo side, several times as fast as %."""
    turns = x * np.float32(1 / side)
    np.floor(turns, out=turns)
    turns *= np.float32(side)
    return np.asarray(x - turns)


def fractal(frame: Frame, size: float | tuple[float, float], rng: np.random.Generator) -> Plane:
    """Cloudy noise (zero mean, unit deviation) with all scales below `size` millimetres."""
    return _sample("fractal", FRACTAL_CYCLES, frame, size, rng)


def blobs(frame: Frame, size: float | tuple[float, float], rng: np.random.Generator) -> Plane:
    """Noise of one scale: spots about `size` millimetres apart (zero mean, unit deviation)."""
    return _sample("blobs", BLOB_CYCLES, frame, size, rng)


def step(low: float, high: float, x: Plane) -> Plane:
    """Smooth step from 0 at `low` to 1 at `high` (either may be the larger)."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def colour(code: str) -> Rgb:
    """Linear RGB of an sRGB code such as "#a0522d"."""
    srgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def mix(a: Rgb, b: Rgb, t: Plane) -> Rgb:
    """Colours (H, W, 3) from `a` where `t` is 0 to `b` where it is 1; either may be one colour."""
    t = np.asarray(t, np.float32)
    if a.ndim == 1 and b.ndim == 1:
        return _coloured(t, np.stack([b - a, a], axis=1))
    a, b = (c if c.ndim == 3 else _coloured(t, np.stack([0 * c, c], axis=1)) for c in (a, b))
    return cv2.blendLinear(a.astype(np.float32, copy=False), b.astype(np.float32, copy=False), 1 - t, t).astype(
        np.float32, copy=False
    )


def scaled(rgb: Rgb, factor: Plane) -> Rgb:
    """One colour or (H, W, 3) times a plane."""
    factor = np.asarray(factor, np.float32)
    if rgb.ndim == 1:
        return _coloured(factor, rgb[:, None])
    return np.asarray(rgb * cv2.merge([factor, factor, factor]), np.float32)


def _coloured(plane: Plane, matrix: NDArray[np.floating[Any]]) -> Rgb:
    """A plane times one colour, plus another where `matrix` (3, 2) has one: numpy is slow along an axis of three."""
    return cv2.transform(plane, matrix.astype(np.float64)).astype(np.float32, copy=False)
