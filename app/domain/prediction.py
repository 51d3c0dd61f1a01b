"""What a model says of one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool, UInt8
from app.domain.classes import VOID
from app.domain.geometry import Rect

_STRIDE = 4  # of the confidence, in pixels of the working size
_ROWS = 32  # a strip at a time: the passes over it stay in the processor's cache, and 96 megapixels in bounded memory


@dataclass(frozen=True)
class Prediction:
    """Classes at full size, and how sure the model is on a coarser grid."""

    labels: UInt8
    """(H, W) uint8: class index of the project; 255 where nothing is predicted."""

    confidence: UInt8
    """(h, w) uint8: margin between the two best softmax values, times 255. Value (i, j) sits on pixel (4 i, 4 j) of the
    picture at working size, so h is (working height - 1) // 4 + 1."""

    version: str
    """The model version that said it."""

    stays: Bool | None = None
    """(h, w) on the confidence's grid: where a fill leaves what a model has said before as it is; None: nowhere."""

    def confidence_at(self, x: int, y: int) -> float:
        """How sure the model is (0 … 1) of a pixel of the picture, as `accepted` takes it."""
        height, width = self.labels.shape
        left, right, share = (each[0] for each in _neighbours(width, self.confidence.shape[1], np.array([x])))
        above, below, weight = (each[0] for each in _neighbours(height, self.confidence.shape[0], np.array([y])))
        rows = self.confidence[[above, below]].astype(np.float32)
        top, bottom = rows[:, left] + (rows[:, right] - rows[:, left]) * share
        return float(top + (bottom - top) * weight) / 255

    def accepted(self, min_confidence: float) -> Iterator[tuple[Rect, Bool]]:
        """Strip by strip, from the top: which pixels hold a class that is at least so sure (0 … 1; 0 takes all).

        The confidence is brought to full size linearly. A picture's pixel x lies at (x + 1/2) w'/W - 1/2 of the working
        size; w' is taken as min(W, 4 w), exact for pictures that are not reduced and else at most 3 pixels too large.
        """
        height, width = self.labels.shape
        if min_confidence > 0:
            left, right, share = _neighbours(width, self.confidence.shape[1], np.arange(width))
            rows = self.confidence.astype(np.float32)
            rows = rows[:, left] + (rows[:, right] - rows[:, left]) * share
            above, below, weight = _neighbours(height, self.confidence.shape[0], np.arange(height))
        for strip in Rect(0, 0, width, height).strips(_ROWS):
            sure = self.labels[strip.slices] != VOID
            if min_confidence > 0:
                y = strip.slices[0]
                top, bottom = rows[above[y]], rows[below[y]]
                sure &= top + (bottom - top) * weight[y, None] >= np.float32(min_confidence * 255)
            yield strip, sure

    def staying(self, strip: Rect) -> Bool:
        """Which pixels of a rectangle are nearest to a cell that stays, (height, width) bool."""
        if self.stays is None:
            return np.zeros((strip.height, strip.width), bool)
        rows, columns = self.stays.shape
        near_y = _nearest(self.labels.shape[0], rows, np.arange(strip.y, strip.bottom))
        near_x = _nearest(self.labels.shape[1], columns, np.arange(strip.x, strip.right))
        return np.asarray(self.stays[near_y[:, None], near_x])


def _nearest(size: int, cells: int, pixels: NDArray[np.int_]) -> NDArray[np.intp]:
    """For these pixels of a side: the cell that is nearest."""
    before, after, share = _neighbours(size, cells, pixels)
    return np.where(share < 0.5, before, after)


def _neighbours(
    size: int, cells: int, pixels: NDArray[np.int_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For these pixels of a side: the cell before each, the cell after it, and how far (0 … 1) it is on the way."""
    working = min(size, _STRIDE * cells)
    at = ((pixels + 0.5) * working / size - 0.5) / _STRIDE
    at = np.clip(at, 0, cells - 1)
    before = at.astype(np.intp)
    return before, np.minimum(before + 1, cells - 1), (at - before).astype(np.float32)
