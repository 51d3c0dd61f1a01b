"""Superpixels: small cells that keep to the edges of a picture, for a brush that takes one at a touch.

Watershed from a grid of seeds. The picture is cut into fixed tiles, so that a place has the same cells in every view.
"""

from __future__ import annotations

from collections import OrderedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.area import Area, cropped, joined
from app.domain.arrays import UInt8
from app.domain.geometry import Rect

_TILE = 512
_KEPT_TILES = 64
_LEVELS = 12  # grey levels taken as one: within a surface cells then grow evenly, by distance, and stay compact


def cells(rgb: UInt8, size: int) -> NDArray[np.int32]:
    """4-connected cells of about size x size pixels (size from 2): (H, W) int32, 0 … n-1, of (H, W, 3)."""
    # A frame of one pixel, because opencv's watershed gives the outermost pixels to nobody.
    framed = cv2.copyMakeBorder(rgb, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    calm = cv2.GaussianBlur(framed, (0, 0), 1.5)
    calm = calm // _LEVELS * _LEVELS
    marks = np.zeros(calm.shape[:2], np.int32)
    y, x = _seeds(rgb, size)
    marks[y + 1, x + 1] = np.arange(1, len(y) + 1)
    cv2.watershed(calm, marks)
    inner = marks[1:-1, 1:-1].copy()
    _without_gaps(inner, rgb)
    return inner - 1


def _seeds(rgb: UInt8, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of a seed for each square of a grid: the flattest pixel near its centre, so never on an edge."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    steep = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    rows, columns = (_middles(side, size) for side in grey.shape)
    y, x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    reach = range(-(size // 4), size // 4 + 1)
    lowest, best_y, best_x = steep[y, x], y, x
    for dy, dx in sorted(((dy, dx) for dy in reach for dx in reach), key=lambda d: d[0] ** 2 + d[1] ** 2):
        v, u = np.clip(y + dy, 0, grey.shape[0] - 1), np.clip(x + dx, 0, grey.shape[1] - 1)
        lower = steep[v, u] < lowest
        lowest = np.where(lower, steep[v, u], lowest)
        best_y, best_x = np.where(lower, v, best_y), np.where(lower, u, best_x)
    return best_y, best_x


def _middles(side: int, size: int) -> NDArray[np.intp]:
    """The middles of about `size` long parts of a side."""
    count = max(1, round(side / size))
    return ((np.arange(count) + 0.5) * side / count).astype(np.intp)


def _without_gaps(marks: NDArray[np.int32], rgb: UInt8) -> None:
    """Gives each pixel of a watershed line (-1, or 0 behind one) to the neighbour that looks most like it."""
    height, width = marks.shape
    y, x = np.nonzero(marks <= 0)
    while y.size:
        best, cell = np.full(len(y), 1 << 20), np.zeros(len(y), np.int32)
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            v, u = np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)
            unlike = np.abs(rgb[y, x].astype(int) - rgb[v, u]).sum(axis=1)
            better = (marks[v, u] > 0) & (unlike < best)
            best[better], cell[better] = unlike[better], marks[v, u][better]
        marks[y, x] = cell
        y, x = y[cell == 0], x[cell == 0]


class Superpixels:
    """The cells of one picture, made a tile at a time when they are first touched. For one thread."""

    def __init__(self, rgb: UInt8, size: int) -> None:
        self._rgb, self._size = rgb, size
        self._tiles: OrderedDict[Rect, NDArray[np.int32]] = OrderedDict()

    def touched(self, way: Area) -> Area:
        """All cells of which a pixel is marked. A cell ends where its tile ends."""
        rect, marked = way
        parts = []
        for tile in _tiles_of(rect, Rect.of(self._rgb)):
            common = rect.intersection(tile)
            numbers = self._cells(tile)
            here = numbers[common.shifted(-tile.x, -tile.y).slices][marked[common.shifted(-rect.x, -rect.y).slices]]
            chosen = np.zeros(int(numbers.max()) + 1, bool)
            chosen[here] = True
            parts.append(cropped(tile, chosen[numbers]))
        return joined(parts)

    def _cells(self, tile: Rect) -> NDArray[np.int32]:
        if tile not in self._tiles:
            self._tiles[tile] = cells(self._rgb[tile.slices], self._size)
            if len(self._tiles) > _KEPT_TILES:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(tile)
        return self._tiles[tile]


def _tiles_of(rect: Rect, picture: Rect) -> list[Rect]:
    """The fixed tiles of a picture that a rectangle touches."""
    rect = rect.intersection(picture)
    return [
        Rect(x * _TILE, y * _TILE, _TILE, _TILE).intersection(picture)
        for y in range(rect.y // _TILE, -(-rect.bottom // _TILE))
        for x in range(rect.x // _TILE, -(-rect.right // _TILE))
        if not rect.empty
    ]
