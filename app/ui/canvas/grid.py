"""Lines between the picture's pixels, where these are large."""

from __future__ import annotations

import numpy as np

from app.domain.geometry import Rect
from app.ui.canvas.pixels import Pixels
from app.ui.canvas.viewport import Indices, Viewport

GRID_FROM = 8.0
"""Zoom: below so many device pixels a picture pixel, the lines would be most of what is seen."""


def draw_grid(viewport: Viewport, rect: Rect, out: Pixels) -> None:
    """Draws lines over `out` (height, width) RGB32, which is a part of the view.

    A line is the first row or column of device pixels of a pixel of the picture, brought half way to mid-grey (and
    once more where two cross).
    """
    inside, rows, columns = viewport.samples(Rect.bounding(rect.x - 1, rect.y - 1, rect.right, rect.bottom))
    part = inside.intersection(rect)
    across, down = _firsts(columns, inside.x, part.x), _firsts(rows, inside.y, part.y)
    seen = out[part.shifted(-rect.x, -rect.y).slices]
    seen[down] = _softened(seen[down])
    seen[:, across] = _softened(seen[:, across])


def _firsts(indices: Indices, start: int, origin: int) -> Indices:
    """Places, counted from `origin`, at which ascending indices change; the first of them lies at `start`."""
    places = np.flatnonzero(np.diff(indices)) + 1 + start - origin
    return places[places >= 0]


def _softened(pixels: Pixels) -> Pixels:
    return (pixels >> np.uint32(1) & np.uint32(0x7F7F7F)) + np.uint32(0xFF404040)
