"""What looks like the pixel that was clicked: the magic wand and the bucket. 4-connected, whole pixels, exact."""

from __future__ import annotations

import cv2
import numpy as np

from app.domain.area import Area, cropped
from app.domain.arrays import UInt8
from app.domain.geometry import Rect
from app.domain.regions import reached_from, spread


def similar(
    rgb: UInt8, seed: tuple[int, int], tolerance: int, *, connected: bool = True, within: Rect | None = None
) -> Area:
    """The wand: pixels of (H, W, 3) each of whose channels is within `tolerance` (0 … 255) of that of the seed (x, y).

    Only those that hang together with the seed, or all of them; inside `within`, which must hold the seed.
    """
    place = rgb[seed[::-1]].astype(int)
    low, high = (np.clip(place + by, 0, 255).tolist() for by in (-tolerance, tolerance))
    within = Rect.of(rgb) if within is None else within.intersection(Rect.of(rgb))

    def alike(window: Rect) -> UInt8:
        marked = cv2.inRange(rgb[window.slices], tuple(low), tuple(high))
        return np.bitwise_and(marked, 1, out=marked)

    if not connected:
        return cropped(within, alike(within).view(bool))
    return spread(seed, within, lambda window, place: reached_from(alike(window), place))


def flood(rgb: UInt8, seed: tuple[int, int], tolerance: int) -> Area:
    """The bucket: spreads from the seed (x, y) to neighbours each of whose channels differs by at most `tolerance`.

    So it follows a slow gradient as far as it goes, where the wand compares with the seed alone.
    """

    def poured(window: Rect, place: tuple[int, int]) -> UInt8:
        # A copy of the window: opencv takes no read-only picture here, although it would not write to it.
        copy = rgb[window.slices].copy()
        reached = np.zeros((window.height + 2, window.width + 2), np.uint8)
        step = (tolerance,) * 3
        cv2.floodFill(copy, reached, place, 0, step, step, 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8))
        return reached[1:-1, 1:-1]

    return spread(seed, Rect.of(rgb), poured)
