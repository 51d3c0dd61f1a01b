"""Light: one window or lamp with soft shadows, the room around it, and what both do to a surface."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .noise import Frame, Plane, Rgb, fractal, mix, scaled, step
from .surface import Surface

MAP = 256  # texels of the room as a sphere reflects it
BLURS = 12


@dataclass(frozen=True)
class Light:
    """Direction and `size` of the lamp in radians, linear colours; `pattern` shades the whole table."""

    azimuth: float
    elevation: float
    size: float
    key: Rgb
    sky: Rgb
    pattern: str = "none"  # none, foliage, window

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector towards the light: x right, y down, z to the camera."""
        flat = float(np.cos(self.elevation))
        return (
            flat * float(np.cos(self.azimuth)),
            flat * float(np.sin(self.azimuth)),
            float(np.sin(self.elevation)),
        )


def shade(surface: Surface, light: Light, ground: Frame, rng: np.random.Generator) -> Rgb:
    """The light (H, W, 3) that the surface sends to the camera (Lambert, and mirrors of a drawn room)."""
    x, y, z = (np.float32(c) for c in light.direction)
    up = 1 / np.sqrt(1 + surface.slope_x**2 + surface.slope_y**2)
    normal_x, normal_y = -surface.slope_x * up, -surface.slope_y * up
    lit = _unshadowed(surface, light) * _pattern(light, ground, rng)
    open_sky = _openness(surface)
    facing = np.maximum(normal_x * x + normal_y * y + up * z, 0)

    direct = scaled(light.key, facing * lit)
    fill = scaled(light.sky, open_sky * (0.62 + 0.38 * up - 0.16 * normal_y))
    matt = scaled(surface.albedo, 1 - surface.metal)
    colour = matt * (direct + fill)
    colour += matt * _bounced(colour, open_sky)

    mirrored = _mirrored(light, normal_x, normal_y, surface)
    fresnel = 0.04 + 0.5 * (1 - up) ** 4 * (1 - surface.rough)
    gloss = fresnel * (1 - 0.75 * surface.rough)
    tint = mix(scaled(np.ones(3), gloss), surface.albedo, surface.metal)
    return colour + scaled(mirrored * tint, open_sky * (0.35 + 0.65 * lit))


def _half(plane: Plane) -> Plane:
    return cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32)


def _whole(plane: Plane, like: Plane) -> Plane:
    return cv2.resize(plane, like.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _unshadowed(surface: Surface, light: Light) -> Plane:
    """The part of the lamp that each pixel sees, 0..1: a march over the height field, softer with distance."""
    height = _half(surface.height / np.float32(surface.pixel)) * np.float32(0.5)
    x, y, _ = light.direction
    flat = float(np.hypot(x, y))
    rise = float(np.tan(light.elevation))
    furthest = min(float(height.max()) / rise + 2, 260.0)
    shadow = np.zeros_like(height)
    distance = 1.0
    while distance < furthest:
        shift = np.array([[1, 0, -distance * x / flat], [0, 1, -distance * y / flat]], np.float32)
        seen = cv2.warpAffine(height, shift, height.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        penumbra = light.size * distance + 0.7
        over = (seen - height - np.float32(distance * rise + 0.3)) / np.float32(penumbra)
        np.maximum(shadow, over, out=shadow)
        distance *= 1.07
        distance += 0.6
    soft = cv2.GaussianBlur(shadow, (0, 0), 0.8).astype(np.float32)
    return 1 - _whole(step(0.0, 1.0, soft), surface.height)


def _openness(surface: Surface) -> Plane:
    """How much of the sky each pixel sees, 0..1, from how far its surroundings rise above it."""
    height = _half(surface.height / np.float32(surface.pixel)) * np.float32(0.5)
    hidden = np.zeros_like(height)
    for radius, weight in ((2.0, 0.55), (6.0, 0.5), (18.0, 0.45)):
        around = cv2.GaussianBlur(height, (0, 0), radius)
        hidden += weight * np.clip((around - height) / np.float32(1.6 * radius), 0, 0.8)
    return _whole(1 / (1 + 1.8 * hidden), surface.height)


def _bounced(colour: Rgb, open_sky: Plane) -> Rgb:
    """Light that the surroundings throw back into what the sky does not reach."""
    small = cv2.resize(colour, None, fx=0.0625, fy=0.0625, interpolation=cv2.INTER_AREA)
    spread = cv2.resize(cv2.GaussianBlur(small, (0, 0), 2), colour.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return scaled(spread.astype(np.float32, copy=False), 1.1 * (1 - open_sky))


def _pattern(light: Light, ground: Frame, rng: np.random.Generator) -> Plane:
    """Shade of what stands outside the picture: leaves before the window, or its bars."""
    angle = rng.uniform(0, np.pi)
    across = ground.u * np.float32(np.cos(angle)) + ground.v * np.float32(np.sin(angle))
    along = ground.v * np.float32(np.cos(angle)) - ground.u * np.float32(np.sin(angle))
    if light.pattern == "foliage":
        field = fractal(ground.moved(across, along), (150.0, 90.0), rng)
        return 0.12 + 0.88 * step(-0.55, 0.35, cv2.GaussianBlur(field, (0, 0), 9).astype(np.float32))
    if light.pattern == "window":
        pitch = rng.uniform(95, 150)
        bar = np.minimum(np.abs((across / pitch) % 1 - 0.5), np.abs((along / (1.4 * pitch)) % 1 - 0.5)) * pitch
        return 0.1 + 0.9 * step(5.0, 16.0, bar.astype(np.float32))
    return np.ones_like(ground.u)


def _mirrored(light: Light, normal_x: Plane, normal_y: Plane, surface: Surface) -> Rgb:
    """What a mirror with these normals shows of the room, more blurred the rougher it is."""
    room = _room(light)
    looks = np.vstack([cv2.GaussianBlur(room, (0, 0), 1.5 * 22 ** (i / (BLURS - 1))) for i in range(BLURS)])
    level = np.floor(np.clip(surface.rough, 0, 1) * (BLURS - 0.01))
    map_x, map_y = (normal_x + 1) * (MAP / 2 - 0.5), (normal_y + 1) * (MAP / 2 - 0.5) + level * MAP
    return cv2.remap(looks, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def _room(light: Light) -> Rgb:
    """The room (MAP, MAP, 3) over the normal's x and y: dark walls, a pale ceiling, the lamp as a soft square."""
    axis = np.linspace(-1, 1, MAP, dtype=np.float32)
    nx, ny = np.meshgrid(axis, axis)
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
    ray_x, ray_y, ray_z = 2 * nz * nx, 2 * nz * ny, 2 * nz * nz - 1
    ceiling = 0.10 + 0.75 * step(-0.1, 0.9, ray_z) + 0.25 * step(0.2, -0.9, ray_y) * step(-0.4, 0.2, ray_z)
    ceiling *= 1 - 0.45 * step(0.12, 0.03, np.abs(ray_x - 0.35 * ray_y - 0.15)) * step(0.3, 0.7, ray_z)
    x, y, z = light.direction
    side = np.hypot(x, y)
    offset_a = (-ray_x * y + ray_y * x) / side
    offset_b = ray_z * side - (ray_x * x + ray_y * y) / side * z
    ahead = ray_x * x + ray_y * y + ray_z * z > 0
    half = 0.16 + light.size
    lamp = step(half + 0.07, half, np.abs(offset_a)) * step(half + 0.07, half, np.abs(offset_b)) * ahead
    opposite = 0.35 * step(0.3, 0.95, -(ray_x * x + ray_y * y) / side)
    return scaled(light.sky, 1.25 * (ceiling + opposite)) + scaled(light.key, 3.2 * lamp)
