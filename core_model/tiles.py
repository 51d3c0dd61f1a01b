"""Big pictures: the network sees tiles that overlap, and what it says of them is blended, in bounded memory."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core_model.heads import Head
from core_model.memory import out_of_memory
from core_model.predictor import Prediction, Predictor
from core_model.transforms import labels_of, margin_of

LEAST_SIDE = 128
"""Pixels: a smaller tile shows the network too little to go by."""

_STEP = 16  # tiles start where the network's coarsest map has a cell, so that all of them see one grid
_ROWS = 64  # of cells that become labels at a time


@dataclass(frozen=True, eq=False)
class Span:
    """A tile along one axis."""

    start: int  # pixels, a multiple of 16
    stop: int
    weights: NDArray[np.float32]  # of its cells of stride 4; those of all spans at one cell sum up to 1

    @property
    def cells(self) -> slice:
        """Its cells of stride 4 in the whole picture."""
        return slice(self.start // 4, self.start // 4 + len(self.weights))


def spans(length: int, side: int, overlap: int) -> list[Span]:
    """Spread as few spans of `side` pixels as overlap by at least `overlap` evenly over `length` pixels.

    The weights rise and fall as sin^2 over the overlap, and stay at 1 up to the picture's own border.
    """
    side = max(side, LEAST_SIDE) // _STEP * _STEP + 1
    overlap = min(overlap, side // 2) // _STEP * _STEP
    last = -(-max(0, length - side) // _STEP) * _STEP
    count = 1 + -(-last // (side - 1 - overlap))
    starts = [round(last * i / max(1, count - 1) / _STEP) * _STEP for i in range(count)]
    cells, ramp = _cells(length), max(1, overlap // 4)
    rise = np.sin(np.pi / 2 * (np.arange(ramp) + 0.5) / ramp) ** 2
    total, weights = np.zeros(cells), []
    for start in starts:
        own = np.ones(_cells(min(side, length - start)))
        if start > 0:
            own[:ramp] *= rise[: len(own)]
        if start + side < length:
            own[-ramp:] *= rise[::-1]
        total[start // 4 : start // 4 + len(own)] += own
        weights.append(own)
    return [
        Span(start, min(start + side, length), (own / total[start // 4 : start // 4 + len(own)]).astype(np.float32))
        for start, own in zip(starts, weights, strict=True)
    ]


def _cells(length: int) -> int:
    """Give the cells of stride 4 that pixels lie between: one more than on pixels where the last one is on none."""
    return -(-(length - 1) // 4) + 1


def predict_in_tiles(
    predictor: Predictor,
    rgb: NDArray[np.uint8],
    head: Head,
    side: int = 1024,
    overlap: int | None = None,
    version: str = "",
) -> Generator[tuple[int, int], None, Prediction]:
    """Classify a picture at its own size, (H, W, 3) uint8, in tiles of about `side` pixels; labels (H, W).

    Yields (tiles done, of how many) after each tile, and returns the prediction; closing it cancels. Logits are
    blended at stride 4, a row of tiles at a time, so that memory goes with the picture's width and not with its area
    times the classes. Out of memory, it begins again with tiles of half the side down to 128 pixels, and then on the
    CPU; `predictor.notes` says so. overlap: pixels; an eighth of the side by default. WeightsError as from
    `Predictor.predict`; ValueError for what is no picture.
    """
    while True:
        predictor.falls_back = side // 2 < LEAST_SIDE
        try:
            return (yield from _tiled(predictor, rgb, head, side, side // 8 if overlap is None else overlap, version))
        except (RuntimeError, MemoryError) as error:
            if predictor.falls_back or not out_of_memory(error):
                raise
        finally:
            predictor.falls_back = True
        side //= 2
        torch.cuda.empty_cache()
        predictor.note(f"{predictor.device} ran out of memory; going on with tiles of {side} pixels")


def _tiled(
    predictor: Predictor, rgb: NDArray[np.uint8], head: Head, side: int, overlap: int, version: str
) -> Generator[tuple[int, int], None, Prediction]:
    height, width = rgb.shape[:2]
    rows, columns = spans(height, side, overlap), spans(width, side, overlap)
    plane = _Plane(head.num_classes, height, width)
    for number, row in enumerate(rows):
        plane.open(row.cells.stop)
        for place, column in enumerate(columns):
            logits = predictor.logits(rgb[row.start : row.stop, column.start : column.stop], head)
            plane.add(logits, row, column)
            yield number * len(columns) + place + 1, len(rows) * len(columns)
        plane.close(rows[number + 1].cells.start if number + 1 < len(rows) else row.cells.stop)
    return Prediction(plane.labels, plane.confidence, version)


class _Plane:
    """What is known of the whole picture: labels above, and below them the logits of a strip that is not finished."""

    def __init__(self, num_classes: int, height: int, width: int) -> None:
        self.labels = np.empty((height, width), np.uint8)
        self.confidence = np.empty(((height - 1) // 4 + 1, (width - 1) // 4 + 1), np.uint8)
        self._top = 0  # row of cells at which the strip begins
        self._strip = np.zeros((num_classes, 0, _cells(width)), np.float32)

    def open(self, stop: int) -> None:
        """Make the strip reach down to the row of cells `stop`."""
        missing = stop - self._top - self._strip.shape[1]
        self._strip = np.pad(self._strip, ((0, 0), (0, missing), (0, 0)))

    def add(self, logits: NDArray[np.float32], row: Span, column: Span) -> None:
        """Add what was said of a tile, (C, h, w) of the padded tile, by its weights."""
        weights = row.weights[:, None] * column.weights
        part = self._strip[:, row.cells.start - self._top : row.cells.stop - self._top, column.cells]
        part += logits[:, : weights.shape[0], : weights.shape[1]] * weights

    def close(self, stop: int) -> None:
        """Label what lies above the row of cells `stop`, which nothing is added to any more.

        The last of these rows stays in the strip: the pixels below it lie between it and the next one.
        """
        (height, width), last = self.labels.shape, stop - 1
        for top in range(self._top, max(last, self._top + 1), _ROWS):
            bottom = min(top + _ROWS, last)
            end = height if bottom == _cells(height) - 1 else 4 * bottom
            cells = torch.from_numpy(self._strip[:, top - self._top : bottom + 1 - self._top])
            size = (end - 4 * top, width)
            self.labels[4 * top : end] = labels_of(cells, size, size).numpy()
            self.confidence[top : -(-end // 4)] = margin_of(cells, size).numpy()
        self._strip = self._strip[:, last - self._top :]
        self._top = last
