"""What things lie on: wood, linen, concrete, slate, marble, a cutting mat, kraft paper."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .noise import Frame, Plane, Rgb, blobs, colour, fractal, mix, scaled, step
from .surface import Sprite

Rng = np.random.Generator


def _table(height: Plane, albedo: Rgb, rough: Plane | float) -> Sprite:
    return Sprite(np.ones_like(height), height, albedo, 0.0, rough)


def wood(frame: Frame, rng: Rng) -> Sprite:
    """Planks along u, with rings, knots and pores."""
    tones = (
        ("#c49a6c", "#8f6238"),
        ("#8d5f3c", "#56351f"),
        ("#d8bd93", "#b08a5c"),
        ("#6b5645", "#3f3128"),
        ("#a8a093", "#6e675c"),
    )
    light, dark = (colour(code) for code in tones[int(rng.integers(len(tones)))])
    width = rng.uniform(70, 140)
    shifted = frame.v + np.float32(rng.uniform(0, width))
    plank = np.floor(shifted / width)
    inside = shifted - plank * np.float32(width)
    odd = np.sin(plank * 12.9898 + 4.1) * 43758.5453 % 1
    own = frame.moved(frame.u + odd * np.float32(900), frame.v + odd * np.float32(300))
    rings = own.v / np.float32(rng.uniform(7, 13)) + fractal(own, (420.0, 60.0), rng) * np.float32(1.1)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(-200, 200), rng.uniform(-130, 130)
        radius = rng.uniform(7, 16)
        square = ((frame.u - x) / (2.6 * radius)) ** 2 + ((frame.v - y) / radius) ** 2
        rings = rings + np.float32(rng.uniform(2, 4)) * np.exp(-square)
    phase = rings % 1
    late = step(0.25, 0.9, phase) * step(1.0, 0.93, phase)
    fibre = fractal(own, (60.0, 2.2), rng)
    pores = step(1.5, 2.6, blobs(own, (16.0, 0.9), rng))
    t = np.clip(0.15 + 0.62 * late + 0.10 * fibre + 0.22 * (odd - 0.5) + 0.1 * fractal(own, 160.0, rng), 0, 1)
    gap = step(0.9, 0.2, np.minimum(inside, np.float32(width) - inside))
    albedo = scaled(mix(light, dark, t), 1 - 0.4 * pores - 0.85 * gap * (1 - 0.5 * pores))
    height = 0.02 * fibre - 0.05 * pores - 0.03 * late - 0.8 * gap
    varnish = rng.uniform(0.25, 0.8)
    return _table(height, albedo, np.clip(varnish + 0.08 * fibre + 0.2 * pores, 0.1, 1))


def linen(frame: Frame, rng: Rng) -> Sprite:
    """Plain weave; natural, dyed, striped or checked."""
    pitch = max(rng.uniform(1.0, 1.5), 3.6 * frame.pixel)
    waves = frame.moved(
        frame.u + 0.5 * fractal(frame, 90.0, rng) + 0.12 * fractal(frame, (4.0, 60.0), rng),
        frame.v + 0.5 * fractal(frame, 90.0, rng) + 0.12 * fractal(frame, (60.0, 4.0), rng),
    )
    a, b = waves.u / np.float32(pitch), waves.v / np.float32(pitch)
    over = np.where((np.floor(a) + np.floor(b)) % 2 > 0, np.float32(1), np.float32(0))
    round_a, round_b = np.abs(np.sin(np.pi * a)), np.abs(np.sin(np.pi * b))
    height = np.maximum(round_a * (0.55 + 0.45 * over * round_b), round_b * (0.55 + 0.45 * (1 - over) * round_a))
    slub = 0.5 * blobs(waves, (1.2, 30.0), rng) * over + 0.5 * blobs(waves, (30.0, 1.2), rng) * (1 - over)
    yarns = ("#cbbfa6", "#3b4c66", "#e4dfd3", "#7d8672", "#8e3f38", "#56585c")
    base = colour(yarns[int(rng.integers(len(yarns)))])
    albedo = np.broadcast_to(base, (*a.shape, 3))
    style = rng.integers(4)
    if style:
        other = colour("#ece6da" if base.mean() < 0.4 else "#49617f")
        wide = rng.uniform(14, 30)
        stripe_u = ((waves.u / wide) % 1 < 0.5).astype(np.float32)
        stripe_v = ((waves.v / wide) % 1 < 0.5).astype(np.float32)
        share = stripe_u if style == 1 else over * stripe_u + (1 - over) * stripe_v
        albedo = mix(base, other, share * np.float32(0.85 if style < 3 else 0.35))
    albedo = scaled(albedo, np.clip(0.45 + 0.6 * height + 0.09 * slub, 0.1, 1.15))
    folds = 0.9 * fractal(frame, 220.0, rng)
    return _table((0.22 * height * pitch + 0.6 * folds).astype(np.float32), albedo.astype(np.float32), 0.95)


def concrete(frame: Frame, rng: Rng) -> Sprite:
    """Trowelled concrete with stains and pores."""
    stain, fine = fractal(frame, 170.0, rng), fractal(frame, 9.0, rng)
    pores = step(1.7, 2.2, blobs(frame, 6.0, rng)) * step(0.0, 1.0, fractal(frame, 120.0, rng))
    grains = step(1.2, 2.0, blobs(frame, 1.1, rng))
    base = colour(("#a6a49e", "#8b8c8b", "#b5aea2", "#77787a")[int(rng.integers(4))])
    value = 1 + 0.13 * stain + 0.06 * fine - 0.55 * pores - 0.18 * grains
    albedo = scaled(base, np.clip(value, 0.15, 1.6))
    albedo = mix(albedo, 0.6 * albedo, step(0.2, 1.8, fractal(frame, 240.0, rng)))
    height = 0.05 * fine + 0.15 * stain - 0.7 * pores + 0.02 * blobs(frame, 0.9, rng)
    return _table(height, albedo, np.clip(0.75 + 0.05 * fine, 0, 1))


def slate(frame: Frame, rng: Rng) -> Sprite:
    """Split slate: dark layers with rims."""
    field = fractal(frame, (160.0, 110.0), rng) * 1.4 + 0.12 * fractal(frame, 20.0, rng)
    layer = np.floor(field * 0.8)
    rim = step(0.0, 0.16, field * 0.8 - layer)
    fine = fractal(frame, (24.0, 8.0), rng)
    odd = np.sin(layer * 7.13) * 0.5
    base = colour(("#3a3f45", "#46443f", "#4c5257")[int(rng.integers(3))])
    rust = step(0.9, 2.2, fractal(frame, 130.0, rng))
    albedo = scaled(base, np.clip(1 + 0.16 * odd + 0.13 * fine + 0.35 * (1 - rim), 0.3, 2))
    albedo = mix(albedo, colour("#6e5339"), 0.45 * rust)
    return _table(
        (0.6 * (layer + rim) / 0.8 * 0.7 + 0.1 * fine).astype(np.float32), albedo, np.clip(0.55 + 0.1 * fine, 0.2, 1)
    )


def marble(frame: Frame, rng: Rng) -> Sprite:
    """Polished pale stone with veins."""
    bend = frame.moved(frame.u + 14 * fractal(frame, 150.0, rng), frame.v + 14 * fractal(frame, 150.0, rng))
    veins = np.zeros_like(frame.u)
    for size, width, depth in ((210.0, 0.10, 0.55), (90.0, 0.07, 0.3), (40.0, 0.05, 0.14)):
        line = np.abs(fractal(bend, (size, 0.45 * size), rng))
        gate = step(-0.6, 1.0, fractal(frame, 200.0, rng))
        veins += depth * np.exp(-line / width).astype(np.float32) * gate
    cloud = fractal(frame, 180.0, rng)
    pale, vein = (("#e6e3de", "#77797d"), ("#d9cfc0", "#8a6a4c"), ("#33383a", "#b9bcb8"))[int(rng.integers(3))]
    albedo = mix(colour(pale), colour(vein), np.clip(veins + 0.06 * cloud + 0.06, 0, 0.9))
    return _table(0.004 * cloud, albedo, 0.14 + 0.1 * np.clip(veins, 0, 1))


def cutting_mat(frame: Frame, rng: Rng) -> Sprite:
    """A workshop mat with a centimetre grid and old cuts."""
    base = colour(("#2d5f4c", "#33485c", "#4b4b4d")[int(rng.integers(3))])
    line = np.zeros_like(frame.u)
    for pitch, width, strength in ((10.0, 0.18, 0.45), (50.0, 0.35, 0.8)):
        near = np.minimum(np.abs((frame.u / pitch + 0.5) % 1 - 0.5), np.abs((frame.v / pitch + 0.5) % 1 - 0.5)) * pitch
        line = np.maximum(line, strength * step(width + frame.pixel, width - 0.1, near.astype(np.float32)))
    worn = np.clip(0.8 + 0.25 * fractal(frame, 60.0, rng), 0.25, 1)
    cuts = np.zeros_like(frame.u)
    for _ in range(int(rng.integers(8, 18))):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-150, 150)
        along = frame.u * np.float32(np.cos(angle)) + frame.v * np.float32(np.sin(angle))
        across = frame.v * np.float32(np.cos(angle)) - frame.u * np.float32(np.sin(angle))
        middle, half = rng.uniform(-150, 150), rng.uniform(15, 70)
        cut = step(0.25 + frame.pixel / 2, 0.05, np.abs(across - np.float32(offset))) * (np.abs(along - middle) < half)
        cuts = np.maximum(cuts, cut)
    dust = step(1.9, 2.6, blobs(frame, 1.3, rng))
    fine = blobs(frame, 0.8, rng)
    albedo = mix(scaled(base, 1 + 0.05 * fractal(frame, 90.0, rng)), colour("#cfd0a4"), line * worn)
    albedo = mix(albedo, colour("#b9c2ba"), 0.3 * cuts + 0.2 * dust)
    return _table((0.012 * fine - 0.12 * cuts).astype(np.float32), albedo, 0.6)


def kraft(frame: Frame, rng: Rng) -> Sprite:
    """Wrapping paper: fibres, creases, a little sheen."""
    fibre = np.zeros_like(frame.u)
    for _ in range(4):
        angle = rng.uniform(0, np.pi)
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        turned = frame.moved(cos * frame.u + sin * frame.v, cos * frame.v - sin * frame.u)
        fibre += blobs(turned, (7.0, 0.9), rng) / 2
    base = colour(("#b5895c", "#c9a77c", "#d6d2c8", "#58708a")[int(rng.integers(4))])
    crease = np.abs(cv2.GaussianBlur(fractal(frame, 420.0, rng), (0, 0), 3))
    value = 1 + 0.07 * fibre + 0.05 * fractal(frame, 140.0, rng)
    albedo = scaled(base, np.clip(value, 0.4, 1.5))
    height = 1.0 * np.sqrt(crease + 0.01) + 0.012 * fibre
    return _table(height.astype(np.float32), albedo, 0.72)


BACKDROPS: dict[str, Callable[[Frame, Rng], Sprite]] = {
    "wood": wood,
    "linen": linen,
    "concrete": concrete,
    "slate": slate,
    "marble": marble,
    "cutting mat": cutting_mat,
    "kraft": kraft,
}
