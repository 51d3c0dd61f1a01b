"""Intelligent scissors (Mortensen and Barrett 1995): the cheapest way along edges from an anchor to the pointer."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import UInt8
from app.domain.geometry import Rect


class LiveWire:
    """The map of one anchor: made in a worker in some 60 ms, asked in the GUI's thread in well under one."""

    def __init__(self, window: Rect, scissors: cv2.segmentation.IntelligentScissorsMB) -> None:
        self._window, self._scissors = window, scissors

    @classmethod
    def around(cls, rgb: UInt8, anchor: tuple[int, int], reach: int = 256) -> LiveWire:
        """The map of all pixels of (H, W, 3) that are at most `reach` columns and rows from the anchor (x, y)."""
        window = Rect(*anchor, 1, 1).grown(reach).intersection(Rect.of(rgb))
        scissors = cv2.segmentation.IntelligentScissorsMB()
        scissors.setEdgeFeatureCannyParameters(16, 60)
        scissors.setGradientMagnitudeMaxLimit(200)
        scissors.applyImage(np.ascontiguousarray(rgb[window.slices]))
        scissors.buildMap((anchor[0] - window.x, anchor[1] - window.y))
        return cls(window, scissors)

    def path(self, target: tuple[int, int]) -> NDArray[np.int32]:
        """Pixels (N, 2) as (x, y), each next to the one before, from the anchor to the target, both included.

        Out of the window the way goes on in a straight line from the window's pixel nearest to the target.
        """
        window = self._window
        nearest = min(max(target[0], window.x), window.right - 1), min(max(target[1], window.y), window.bottom - 1)
        contour = self._scissors.getContour((nearest[0] - window.x, nearest[1] - window.y))
        way = np.asarray(contour, np.int32).reshape(-1, 2) + np.array([window.x, window.y], np.int32)
        return way if nearest == target else np.concatenate([way, straight(nearest, target)[1:]])


def straight(start: tuple[int, int], end: tuple[int, int]) -> NDArray[np.int32]:
    """Pixels (N, 2) as (x, y) of a line between two pixels, both included, without gaps."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    return np.rint(np.linspace(start, end, steps + 1)).astype(np.int32)
