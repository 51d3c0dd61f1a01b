"""What people have painted of a mask, small: for a network that looks at the picture at its working size."""

from __future__ import annotations

import cv2
import numpy as np

from app.domain.arrays import UInt8
from app.domain.classes import VOID
from app.domain.geometry import Rect
from app.domain.mask import HUMAN, MODEL, Mask

_ROWS = 16  # blocks at a time: what is worked on stays in the processor's cache


class Painted:
    """The human pixels of a mask in blocks, brought forward by the rectangles that change.

    A block holds the lowest class that a person has painted in it, so the thinnest stroke is still there. 24 megapixels
    take about 20 ms at first, a stroke a fraction of one.
    """

    def __init__(self, mask: Mask, working_size: int) -> None:
        """See all of a mask. `working_size`: pixels; the longest side in blocks is that at least, where it can be."""
        self._mask = mask
        self._step = max(1, max(mask.labels.shape) // working_size)
        self._block = np.ones((self._step, self._step), np.uint8)
        rows, columns = (-(-length // self._step) for length in mask.labels.shape)
        self._labels = np.full((rows, columns), VOID, np.uint8)
        self.update(Rect.of(mask.labels))

    @property
    def labels(self) -> UInt8:
        """A copy, (h, w) uint8: class index where a person has painted a class; 255 elsewhere, and where void."""
        return self._labels.copy()

    @property
    def shown(self) -> UInt8:
        """What a model says now in a corner of each block, (h, w) uint8: class index; 255 where that is no model's."""
        every = slice(None, None, self._step)
        labels, provenance = self._mask.labels[every, every], self._mask.provenance[every, every]
        return np.where(provenance == MODEL, labels, np.uint8(VOID))

    def update(self, rect: Rect) -> bool:
        """See a rectangle of the mask again; says whether anything in it is painted otherwise than before."""
        step, changed = self._step, False
        blocks = Rect.bounding(rect.x // step, rect.y // step, -(-rect.right // step), -(-rect.bottom // step))
        for strip in blocks.strips(_ROWS):
            part = Rect(strip.x * step, strip.y * step, strip.width * step, strip.height * step).slices
            provenance = self._mask.provenance[part]
            if provenance.max() == HUMAN:
                said = (provenance == HUMAN).view(np.uint8) - np.uint8(1)  # 0 where a person has spoken, else 255
                said |= self._mask.labels[part]
                if step > 1:
                    said = np.asarray(cv2.erode(said, self._block, anchor=(0, 0)), np.uint8)[::step, ::step]
            else:
                said = np.full((strip.height, strip.width), VOID, np.uint8)
            changed = changed or not np.array_equal(self._labels[strip.slices], said)
            self._labels[strip.slices] = said
        return changed
