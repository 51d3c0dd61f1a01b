"""Flat artwork that is pressed or printed on things: rings of letters, numerals, stars."""

from __future__ import annotations

import cv2
import numpy as np

from ..noise import Frame, Plane

STRIP = (64, 2048)
PLATE = 384


def lettering(frame: Frame, text: str, inner: float, outer: float, repeat: int = 1) -> Plane:
    """`text` around the middle between two radii (millimetres), 0..1."""
    strip = np.zeros(STRIP, np.uint8)
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.5, 4)
    line = np.zeros((STRIP[0], wide + 40), np.uint8)
    cv2.putText(line, text, (20, 50), cv2.FONT_HERSHEY_DUPLEX, 1.5, 255, 4, cv2.LINE_AA)
    room = STRIP[1] // repeat
    for i in range(repeat):
        strip[:, i * room : (i + 1) * room] = cv2.resize(line, (room, STRIP[0]), interpolation=cv2.INTER_AREA)
    radius = np.hypot(frame.u, frame.v)
    turn = (np.arctan2(frame.v, frame.u) / (2 * np.pi)) % 1
    row = (outer - radius) / (outer - inner) * STRIP[0]
    return _looked_up(strip, turn * STRIP[1], row, frame.pixel * STRIP[0] / (outer - inner))


def numeral(frame: Frame, text: str, size: float) -> Plane:
    """`text` upright in a square of `size` millimetres, 0..1."""
    plate = np.zeros((PLATE, PLATE), np.uint8)
    font, scale, thick = cv2.FONT_HERSHEY_TRIPLEX, 11.0 / max(len(text), 1) ** 0.75, 22
    (wide, high), _ = cv2.getTextSize(text, font, scale, thick)
    cv2.putText(plate, text, ((PLATE - wide) // 2, (PLATE + high) // 2), font, scale, 255, thick, cv2.LINE_AA)
    return _plate(frame, plate, size)


def star(frame: Frame, points: int, size: float, sharp: float = 0.45) -> Plane:
    """A star that fills a square of `size` millimetres, 0..1."""
    angle = np.arange(2 * points) * np.pi / points - np.pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, 0.48, 0.48 * sharp) * PLATE
    corners = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1) + PLATE / 2
    plate = np.zeros((PLATE, PLATE), np.uint8)
    cv2.fillPoly(plate, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    return _plate(frame, plate, size)


def line_of_text(frame: Frame, text: str, start: float, high: float) -> Plane:
    """`text` along u from `start`, `high` millimetres tall, centred on v = 0, 0..1."""
    strip = np.zeros(STRIP, np.uint8)
    cv2.putText(strip, text, (10, 50), cv2.FONT_HERSHEY_DUPLEX, 1.5, 255, 3, cv2.LINE_AA)
    texels = STRIP[0] / high
    return _looked_up(strip, (frame.u - start) * texels, frame.v * texels + STRIP[0] / 2, frame.pixel * texels)


def _plate(frame: Frame, plate: np.ndarray, size: float) -> Plane:
    texels = PLATE / size
    return _looked_up(plate, frame.u * texels + PLATE / 2, frame.v * texels + PLATE / 2, frame.pixel * texels)


def _looked_up(art: np.ndarray, x: Plane, y: Plane, texels_a_pixel: float) -> Plane:
    soft = cv2.GaussianBlur(art.astype(np.float32) / 255, (0, 0), max(0.8, 0.45 * texels_a_pixel))
    return cv2.remap(soft, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
