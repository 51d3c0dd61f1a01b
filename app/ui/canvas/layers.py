"""The sources of what lies above the photo: each draws a part of a view as codes, nearest to the device pixel."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from app.domain.arrays import UInt8
from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.mask import HUMAN
from app.ui.canvas.codes import CLEAR, UNSURE, Codes
from app.ui.canvas.pixels import BLOCK, pick
from app.ui.canvas.viewport import Indices, Viewport

_SAID = np.where(np.arange(256) == VOID, CLEAR, np.arange(256) + 256 * HUMAN).astype(np.uint16)
"""Codes of labels that nobody's provenance goes with."""

_STRIDE = 4
"""Of a prediction's confidence, in pixels of the working size."""


class Layer(Protocol):
    """A source of codes. Others than these can be shown as well."""

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Draws a part of the view, which may reach beyond it, into all of `out` (height, width)."""


class MaskLayer:
    """A document's mask: labels with who said them.

    Each device pixel is one of the mask's own, never a mixture. It is picked from the mask itself: half sizes of the
    mask would save 2 ms of a whole view, and cost every dab, every prediction and every opening more than that.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Codes of the mask as it is now."""
        mask = self._document.mask
        part = Part.of(viewport, rect, out)
        if part is None:
            return
        planes = [part.cut(mask.labels), part.cut(mask.provenance)]
        if viewport.zoom > 1:
            pick(_joined(planes), part.rows, part.columns, part.out)
        elif viewport.zoom == 1:
            part.out[:] = _joined(planes)
        else:
            _reduce(planes, part.rows, part.columns, part.out)


class LabelLayer:
    """Labels (H, W) uint8, a prediction's or another mask's, as strong as a person's; 255 is clear."""

    def __init__(self, labels: UInt8) -> None:
        self._labels = labels

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Their codes."""
        if (part := Part.of(viewport, rect, out)) is not None:
            cv2.LUT(part.picked(self._labels), _SAID, dst=part.out)


class DifferenceLayer:
    """Where a document's mask and other labels (H, W) uint8 contradict each other: the others' class. Else clear.

    Where either says nothing, 255, there is no contradiction.
    """

    def __init__(self, document: Document, labels: UInt8) -> None:
        self._document = document
        self._labels = labels

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Codes of the difference as it is now."""
        if (part := Part.of(viewport, rect, out)) is None:
            return
        mine, theirs = part.picked(self._document.mask.labels), part.picked(self._labels)
        theirs[(mine == theirs) | (mine == VOID)] = VOID
        cv2.LUT(theirs, _SAID, dst=part.out)


class UncertaintyLayer:
    """How unsure a model is of a picture: its confidence (h, w) uint8 at stride 4 of the working size, linear between.

    Where its values sit is told at `Prediction.confidence` and `Prediction.accepted`.
    """

    def __init__(self, confidence: UInt8) -> None:
        self._confidence = confidence

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Its codes."""
        inside, _, _ = viewport.samples(rect)
        if inside != rect:
            out[:] = CLEAR
        if inside.empty:
            return
        cells = self._confidence
        left, top = viewport.origin
        across, x = _cell_at(inside.x + left, viewport.zoom, viewport.picture_width, cells.shape[1])
        down, y = _cell_at(inside.y + top, viewport.zoom, viewport.picture_height, cells.shape[0])
        sure = cv2.warpAffine(
            cells,
            np.array([[across, 0, x], [0, down, y]]),
            (inside.width, inside.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        np.add(sure, np.uint16(256 * UNSURE), out=out[inside.shifted(-rect.x, -rect.y).slices], dtype=np.uint16)


class Part:
    """What a part of a view shows of a picture's planes."""

    def __init__(self, rect: Rect, rows: Indices, columns: Indices, out: Codes) -> None:
        self._rect = rect
        self.rows = rows
        """In the part of the planes that `cut` gives: one a row of `out`."""
        self.columns = columns
        self.out = out
        """Where to draw."""

    @classmethod
    def of(cls, viewport: Viewport, rect: Rect, out: Codes) -> Part | None:
        """Clears what the picture does not cover; None where that is everything."""
        inside, rows, columns = viewport.samples(rect)
        if inside != rect:
            out[:] = CLEAR
        if inside.empty:
            return None
        y, x = int(rows[0]), int(columns[0])
        source = Rect.bounding(x, y, int(columns[-1]) + 1, int(rows[-1]) + 1)
        return cls(source, rows - y, columns - x, out[inside.shifted(-rect.x, -rect.y).slices])

    def cut(self, plane: UInt8) -> UInt8:
        """The part of a plane of the picture that is seen."""
        return plane[self._rect.slices]

    def picked(self, plane: UInt8) -> UInt8:
        """A plane's values under the device pixels, of the shape of `out`."""
        values = np.empty(self.out.shape, np.uint8)
        pick(self.cut(plane), self.rows, self.columns, values)
        return values


def _joined(planes: list[UInt8]) -> Codes:
    """Labels and provenance side by side are the two bytes of a code."""
    return np.asarray(cv2.merge(planes)).view(np.uint16)[..., 0]


def _reduce(planes: list[UInt8], rows: Indices, columns: Indices, out: Codes) -> None:
    """The codes of some rows and columns; joined before or after picking columns, whichever is fewer bytes to touch."""
    few = planes[0].shape[1] > 4 * len(columns)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        parts = [plane[rows[block]] for plane in planes]
        if few:
            out[block] = _joined([part.take(columns, axis=1, mode="clip") for part in parts])
        else:
            np.take(_joined(parts), columns, axis=1, out=out[block], mode="clip")


def _cell_at(place: int, zoom: float, size: int, cells: int) -> tuple[float, float]:
    """Cells a device pixel, and the cell under the centre of device pixel `place`, counted from the picture's edge."""
    scale = min(size, _STRIDE * cells) / size / zoom
    return scale / _STRIDE, ((place + 0.5) * scale - 0.5) / _STRIDE
