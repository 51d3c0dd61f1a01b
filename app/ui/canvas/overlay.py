"""The mask as colours above the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import UInt8
from app.domain.classes import VOID, Classes
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.mask import HUMAN, MODEL
from app.ui.canvas.pixels import BLOCK, Codes, Pixels, pick
from app.ui.canvas.viewport import Indices, Viewport

MODEL_TONE = 0.5
"""How much fainter a model's pixels are than a person's."""


class Overlay:
    """A document's mask in a view: first as codes, label + 256 * provenance, then as colours.

    Each device pixel is one of the mask's own, never a mixture. It is picked from the mask itself: half sizes of the
    mask would save 2 ms of a whole view, and cost every dab, every prediction and every opening more than that.
    """

    def __init__(self, document: Document, classes: Classes, opacity: float) -> None:
        self._document = document
        self._table: NDArray[np.int32]
        self.recolour(classes, opacity)

    def recolour(self, classes: Classes, opacity: float) -> None:
        """Other colours, or another opacity (0 … 1), from the next colouring on."""
        self._table = colour_table(classes.palette(), opacity)

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Draws a part of the view into all of `out`, codes (height, width)."""
        inside, rows, columns = viewport.samples(rect)
        if inside != rect:
            out[:] = VOID
        if inside.empty:
            return
        y, x = int(rows[0]), int(columns[0])
        part = Rect.bounding(x, y, int(columns[-1]) + 1, int(rows[-1]) + 1).slices
        planes = [self._document.mask.labels[part], self._document.mask.provenance[part]]
        target = out[inside.shifted(-rect.x, -rect.y).slices]
        if viewport.zoom > 1:
            pick(_joined(planes), rows - y, columns - x, target)
        elif viewport.zoom == 1:
            target[:] = _joined(planes)
        else:
            _reduce(planes, rows - y, columns - x, target)

    def colour(self, codes: Codes, out: Pixels) -> None:
        """The colours of codes (height, width) into `out`: ARGB32 premultiplied, 0 where nobody has said anything."""
        cv2.LUT(codes, self._table, dst=out.view(np.int32))


def colour_table(palette: UInt8, opacity: float) -> NDArray[np.int32]:
    """ARGB32 premultiplied of every code: (65536,) int32.

    `palette` is (256, 3) uint8 RGB. A person's pixels have the full opacity, a model's less; all others are 0: clear.
    """
    table = np.zeros((256, 256), np.uint32)
    for provenance, tone in ((MODEL, MODEL_TONE), (HUMAN, 1.0)):
        alpha = round(255 * min(max(opacity, 0.0), 1.0) * tone)
        red, green, blue = ((palette.astype(np.uint32) * alpha + 127) // 255).T
        table[provenance] = alpha << 24 | red << 16 | green << 8 | blue
    return table.reshape(-1).view(np.int32)


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
