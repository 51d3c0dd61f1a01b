"""Shapes given by points → pixels, exactly as labelme's own converter painted them.

labelme draws with Pillow. Ellipses, rectangles and wide lines come out the same in every Pillow since 9.4 and are
drawn by it. Polygons do not: Pillow 11.1 began to treat corners differently, so masks would depend on the version that
happens to be installed. `polygon` is the rule of Pillow 10.0 … 11.0, the one that made the datasets that exist.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Point = tuple[float, float]
Pixels = NDArray[np.bool_]

LINE_WIDTH = 10
POINT_RADIUS = 5


@dataclass(frozen=True)
class _Edge:
    """A side that is not horizontal, from row `top` to row `bottom`, both included; float32 like its source."""

    top: int
    bottom: int
    x: np.float32
    y: int
    slope: np.float32

    def at(self, row: int) -> np.float32:
        return np.float32(np.float32(row - self.y) * self.slope) + self.x


def polygon(height: int, width: int, points: Sequence[Point]) -> Pixels:
    """The pixels of a filled polygon with its outline, (H, W) bool; corners are cut to whole pixels, even-odd rule."""
    corners = [(int(x), int(y)) for x, y in points]
    ends = corners[1:] if corners[0] == corners[-1] else [*corners[1:], corners[0]]
    pixels = np.zeros((height, width), np.bool_)
    edges: list[_Edge] = []
    for (x0, y0), (x1, y1) in zip(corners, ends, strict=False):
        if y0 == y1:
            _fill(pixels, y0, min(x0, x1), max(x0, x1))
        else:
            slope = np.float32(x1 - x0) / np.float32(y1 - y0)
            edges.append(_Edge(min(y0, y1), max(y0, y1), np.float32(x0), y0, slope))
    if edges:
        tops, bottoms = np.array([(edge.top, edge.bottom) for edge in edges]).T
        last = min(int(bottoms.max()), height)
        for row in range(max(0, int(tops.min())), last + 1):
            active = np.flatnonzero((tops <= row) & (row <= bottoms)).tolist()
            crossings = sorted(_crossings(edges, active, row, last))
            for left, right in zip(crossings[::2], crossings[1::2], strict=False):
                _fill(pixels, row, _half_up(left), _half_down(right))
    return pixels


def _crossings(edges: list[_Edge], active: list[int], row: int, last: int) -> list[np.float32]:
    """Where the active edges cross a row.

    A side that ends here counts twice, except in the last row, so that spans stay paired; where two sides of the same
    direction meet in a corner, the corner reaches to the row beside it.
    """
    found: list[np.float32] = []
    for index in active:
        edge = edges[index]
        x = edge.at(row)
        found.append(x)
        if row == edge.bottom and row < last:
            found.append(x)
        elif edge.slope != 0 and x == np.round(x):
            corner = _corner(edges[:index], edge, row, x)
            # the source puts the widened corner where the other *edge* stands in its list, not its crossing
            if corner is not None and corner < len(found):
                found[corner] = _reach(edge, edges[corner], row, last)
    return found


def _corner(before: list[_Edge], edge: _Edge, row: int, x: np.float32) -> int | None:
    """The index of the first earlier side that starts or ends with this one at x and leans the same way."""
    for index, other in enumerate(before):
        same_end = row == edge.top == other.top or row == edge.bottom == other.bottom
        if same_end and edge.slope * other.slope > 0 and x == other.at(row):
            return index
    return None


def _reach(edge: _Edge, other: _Edge, row: int, last: int) -> np.float32:
    """How far a corner is widened so that it touches what the neighbouring row shows of the same two sides."""
    beside = row - 1 if row == last else row + 1
    low, high = sorted((edge.at(beside), other.at(beside)))
    if row == edge.bottom:
        return high + np.float32(1) if edge.slope > 0 else low - np.float32(1)
    return low if edge.slope > 0 else high + np.float32(1)


def _half_up(x: np.float32) -> int:
    return int(math.copysign(np.floor(np.abs(x) + np.float32(0.5)), x))


def _half_down(x: np.float32) -> int:
    return int(math.copysign(np.ceil(np.abs(x) - np.float32(0.5)), x))


def _fill(pixels: Pixels, row: int, left: int, right: int) -> None:
    """One run of pixels, both ends included, cut to the picture."""
    if 0 <= row < pixels.shape[0] and right >= 0:
        pixels[row, max(left, 0) : right + 1] = True


def rectangle(height: int, width: int, points: Sequence[Point]) -> Pixels:
    """The box between two opposite corners."""
    (x0, y0), (x1, y1) = points
    image, draw = _canvas(height, width)
    draw.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), outline=1, fill=1)
    return np.asarray(image, np.bool_)


def circle(height: int, width: int, points: Sequence[Point]) -> Pixels:
    """The disc round the first point through the second."""
    centre, rim = points
    return disc(height, width, centre, math.dist(centre, rim))


def point(height: int, width: int, points: Sequence[Point]) -> Pixels:
    """A single point: a disc of radius 5."""
    (centre,) = points
    return disc(height, width, centre, POINT_RADIUS)


def disc(height: int, width: int, centre: Point, radius: float) -> Pixels:
    """The disc as Pillow's ellipse draws it."""
    x, y = centre
    image, draw = _canvas(height, width)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=1, fill=1)
    return np.asarray(image, np.bool_)


def line(height: int, width: int, points: Sequence[Point]) -> Pixels:
    """A line through the points, 10 pixels wide, without joints."""
    image, draw = _canvas(height, width)
    draw.line([(x, y) for x, y in points], fill=1, width=LINE_WIDTH)
    return np.asarray(image, np.bool_)


def _canvas(height: int, width: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (width, height))
    return image, ImageDraw.Draw(image)
