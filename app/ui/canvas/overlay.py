"""All that lies above the photo."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from app.domain.arrays import Bool
from app.domain.classes import Classes
from app.domain.document import Document
from app.domain.geometry import Rect
from app.ui.canvas.codes import (
    CLEAR,
    ERASED,
    ERASED_STRIPE,
    PROPOSED,
    PROPOSED_STRIPE,
    Codes,
    colour_table,
)
from app.ui.canvas.layers import Layer, MaskLayer
from app.ui.canvas.pixels import Pixels, pick
from app.ui.canvas.viewport import Indices, Viewport

OUTLINE = 2
"""Device pixels: how wide a region's outline is, on its inside."""

OUTLINE_STRENGTH = 2
"""How much stronger outlines are than fills: they cover little."""

STRIPE = 6
"""Device pixels along a row: how wide a proposal's stripes are."""

STRIPES = 3
"""One of so many is bright."""


@dataclass(frozen=True)
class Style:
    """How labels are shown, whatever the picture."""

    classes: Classes = field(default_factory=Classes)
    opacity: float = 0.5
    """Of a person's pixels, 0 … 1; a model's are fainter."""
    hidden: frozenset[int] = frozenset()
    """Classes that are not shown."""
    outlined: bool = False
    """Regions are shown by their outlines alone."""
    visible: bool = True
    """Otherwise the photo is bare."""


@dataclass(frozen=True, eq=False)
class Proposed:
    """Pixels as they would be."""

    rect: Rect
    """Of the picture, within it."""
    marked: Bool
    """(height, width) of the rectangle."""
    label: int | None
    """What they would become: a label, 255 for void, None for empty."""


class Overlay:
    """A layer, or the mask and a layer side by side, filled or outlined, and above them what a tool proposes.

    First as codes, then as colours: other colours draw nothing again.
    """

    def __init__(self, document: Document, style: Style) -> None:
        self._mask = MaskLayer(document)
        self.layer: Layer | None = None
        """What is shown instead of the mask; right of `swipe` where that is set, with the mask left of it."""
        self.swipe: int | None = None
        """Column of the view."""
        self.proposed: Proposed | None = None
        self.style = style

    @property
    def style(self) -> Style:
        """Another one holds from the next colouring on; where its `outlined` differs, from the next drawing."""
        return self._style

    @style.setter
    def style(self, style: Style) -> None:
        self._style = style
        opacity = style.opacity * (OUTLINE_STRENGTH if style.outlined else 1)
        table = colour_table(style.classes.palette(), opacity, style.hidden)
        self._table = table if style.visible else np.zeros_like(table)

    def affected(self, viewport: Viewport, rect: Rect) -> Rect:
        """The part of the view that looks different when a rectangle of the picture does."""
        seen = viewport.view_rect(rect)
        return _grown(seen, OUTLINE).intersection(viewport.rect) if self._style.outlined and not seen.empty else seen

    def draw(self, viewport: Viewport, rect: Rect, out: Codes) -> None:
        """Draws a part of the view into all of `out`, codes (height, width)."""
        middle = rect.x if self.swipe is None else min(max(self.swipe, rect.x), rect.right)
        for layer, start, end in ((self._mask, rect.x, middle), (self.layer or self._mask, middle, rect.right)):
            if start < end:
                side = Rect.bounding(start, rect.y, end, rect.bottom)
                self._draw_layer(layer, viewport, side, out[:, start - rect.x : end - rect.x])
        if self.proposed is not None:
            _draw_proposed(self.proposed, viewport, rect, out)

    def colour(self, codes: Codes, out: Pixels) -> None:
        """The colours of codes (height, width) into `out`: ARGB32 premultiplied, 0 where nobody has said anything."""
        cv2.LUT(codes, self._table, dst=out.view(np.int32))

    def _draw_layer(self, layer: Layer, viewport: Viewport, rect: Rect, out: Codes) -> None:
        if not self._style.outlined:
            layer.draw(viewport, rect, out)
            return
        around = _grown(rect, OUTLINE)
        codes: Codes = np.empty((around.height, around.width), np.uint16)
        layer.draw(viewport, around, codes)
        out[:] = _outlines(codes)[OUTLINE:-OUTLINE, OUTLINE:-OUTLINE]


def _outlines(codes: Codes) -> Codes:
    """Codes (h, w) with everything cleared that is farther than an outline's width from another label or from none."""
    square = np.ones((2 * OUTLINE + 1, 2 * OUTLINE + 1), np.uint8)
    spoken = (codes >= 256).astype(np.uint16)
    labels = (codes & 255) + 256 * spoken
    inner = cv2.erode(labels, square) == cv2.dilate(labels, square)
    return np.where(inner, np.uint16(CLEAR), codes)


def _draw_proposed(proposed: Proposed, viewport: Viewport, rect: Rect, out: Codes) -> None:
    """Puts a proposal's codes over those of a part of the view, in diagonal stripes that go with the picture."""
    part = rect.intersection(viewport.view_rect(proposed.rect))
    if part.empty:
        return
    inside, rows, columns = viewport.samples(part)
    rows, below = _between(rows, proposed.rect.y, proposed.rect.bottom)
    columns, beside = _between(columns, proposed.rect.x, proposed.rect.right)
    if not rows.size or not columns.size:
        return
    marked = np.empty((len(rows), len(columns)), bool)
    pick(proposed.marked, rows, columns, marked)
    y, x = inside.y + below, inside.x + beside
    kinds = (ERASED, ERASED_STRIPE) if proposed.label is None else (PROPOSED, PROPOSED_STRIPE)
    plain, stripe = ((proposed.label or 0) + 256 * kind for kind in kinds)
    start = x + y + sum(viewport.origin)
    diagonals = np.arange(start, start + len(rows) + len(columns) - 1) // STRIPE % STRIPES == 0
    codes = np.where(diagonals, np.uint16(stripe), np.uint16(plain))
    target = out[y - rect.y : y - rect.y + len(rows), x - rect.x : x - rect.x + len(columns)]
    np.copyto(target, sliding_window_view(codes, len(columns)), where=marked)


def _between(indices: Indices, start: int, end: int) -> tuple[Indices, int]:
    """The ascending indices that lie in [start, end), counted from there, and how many come before them."""
    first, last = np.searchsorted(indices, (start, end))
    return indices[first:last] - start, int(first)


def _grown(rect: Rect, by: int) -> Rect:
    return Rect(rect.x - by, rect.y - by, rect.width + 2 * by, rect.height + 2 * by)
