"""One marked area of a picture, and the connected region of a mask at a place.

Connected always means across an edge, not across a corner (4-connected). Nothing here writes to what it is given.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.area import Area, cropped, on
from app.domain.arrays import Bool, UInt8
from app.domain.footprint import disc
from app.domain.geometry import Rect
from app.domain.mask import EMPTY

_FIRST_WINDOW = 256


def region_at(labels: UInt8, provenance: UInt8, place: tuple[int, int]) -> Area:
    """The connected region of a mask around the pixel (x, y).

    Pixels belong together when they have the same label and are both empty or both not: a person's and a model's
    pixels of one class are one region, human void and empty are two.
    """
    label, empty = labels[place[::-1]], provenance[place[::-1]] == EMPTY

    def poured(window: Rect, place: tuple[int, int]) -> UInt8:
        same = (labels[window.slices] == label) & ((provenance[window.slices] == EMPTY) == empty)
        return reached_from(same.view(np.uint8), place)

    return spread(place, Rect.of(labels), poured)


def spread(place: tuple[int, int], within: Rect, poured: Callable[[Rect, tuple[int, int]], UInt8]) -> Area:
    """What spreads from a pixel (x, y), at the cost of what it covers: a window grows until nothing reaches its edge.

    `poured(window, place)` says which pixels of a window (height, width), 0 or 1, the window's own pixel (x, y) is
    connected to inside it.
    """
    x, y = place
    window = Rect(x, y, 1, 1).grown(_FIRST_WINDOW).intersection(within)
    while True:
        reached = poured(window, (x - window.x, y - window.y))
        longest = max(window.width, window.height)
        larger = Rect.bounding(
            window.x - longest * bool(reached[:, 0].any()),
            window.y - longest * bool(reached[0].any()),
            window.right + longest * bool(reached[:, -1].any()),
            window.bottom + longest * bool(reached[-1].any()),
        ).intersection(within)
        if larger == window:
            return cropped(window, reached.view(bool))
        window = larger


def reached_from(same: UInt8, place: tuple[int, int]) -> UInt8:
    """Which pixels of (H, W), 0 or 1, hang together with the 1 at (x, y): 0 or 1. Writes to what it is given."""
    reached = np.zeros((same.shape[0] + 2, same.shape[1] + 2), np.uint8)
    cv2.floodFill(same, reached, place, 0, 0, 0, 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8))
    return reached[1:-1, 1:-1]


def filled(area: Area) -> Area:
    """With its holes: what a bucket poured outside does not reach. Open at a side of the picture is not a hole."""
    rect, marked = area
    if rect.empty:
        return area
    around = np.pad(~marked, 1, constant_values=True)
    return rect, ~reached_from(around.view(np.uint8), (0, 0))[1:-1, 1:-1].view(bool)


def grown(area: Area, pixels: int, within: Rect) -> Area:
    """With all of `within` whose centre is at most so many pixels from that of one of its pixels; exact."""
    if area[0].empty:
        return area
    window = area[0].grown(pixels).intersection(within)
    return cropped(window, _distance(~on(window, area)) <= pixels)


def shrunk(area: Area, pixels: int, within: Rect) -> Area:
    """Without what is at most so many pixels from a pixel of `within` that is not in it; exact.

    A side of the picture eats nothing away: what an object does beyond it is not known.
    """
    window = area[0].grown(1).intersection(within)
    inside = on(window, area)
    return area if inside.all() else cropped(window, _distance(inside) > pixels)


def smoothed(area: Area, radius: int, within: Rect) -> Area:
    """Where most of a disc around a pixel is marked, in a picture `within`; a tie leaves the pixel as it was.

    A straight border stays where it is and teeth go on both sides of it alike, so that the area is kept; opening and
    closing would round convex and concave corners in turn. What is thinner than about the radius disappears.
    """
    if area[0].empty:
        return area
    window = area[0].grown(radius).intersection(within)
    inside = on(window, area)
    # Each disc is counted by those of its pixels that lie in the picture: beyond it nobody votes.
    more = 2 * counted(inside, radius) - counted(np.ones_like(inside), radius)
    return cropped(window, (more > 0) | (inside & (more == 0)))


def counted(marked: Bool, radius: int) -> NDArray[np.int16] | NDArray[np.int32]:
    """How many pixels of the disc around each pixel are marked: signed (H, W), exact; nothing is marked outside."""
    height, width = marked.shape
    short = max(width, (2 * radius + 1) ** 2) < 1 << 14  # twice a count fits too
    # How many lie left of column x - radius.
    before = np.zeros((height, width + 2 * radius + 1), np.int16 if short else np.int32)
    np.cumsum(marked, axis=1, dtype=before.dtype, out=before[:, radius + 1 : radius + 1 + width])
    before[:, radius + 1 + width :] = before[:, radius + width, None]
    total = np.zeros_like(before, shape=marked.shape)
    for dy, row in enumerate(disc(radius), -radius):
        here, there = slice(max(0, -dy), height - max(0, dy)), slice(max(0, dy), height - max(0, -dy))
        half = (int(row.sum()) - 1) // 2
        if here.start < here.stop:
            total[here] += before[there, radius + half + 1 : radius + half + 1 + width]
            total[here] -= before[there, radius - half : radius - half + width]
    return total


def _distance(marked: Bool) -> NDArray[np.float32]:
    """From the centre of each pixel to that of the nearest that is not marked."""
    distance = cv2.distanceTransform(marked.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)
