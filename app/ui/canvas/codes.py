"""What lies above the photo, as numbers: every layer draws codes, and one table gives them their colours.

A code is a value (0 … 255) and a kind: value + 256 * kind. The first kinds are a mask's provenances, their values its
labels. Colours, opacity and hidden classes are matters of the table alone, so that nothing is drawn again for them.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import UInt8
from app.domain.classes import VOID
from app.domain.mask import EMPTY, HUMAN, MODEL

Codes = NDArray[np.uint16]
"""(height, width) of value + 256 * kind."""

PROPOSED, PROPOSED_STRIPE = 3, 4
"""Kinds of what a tool proposes: labels; two, for a pattern."""

ERASED, ERASED_STRIPE = 5, 6
"""Kinds of what a tool proposes to erase; the value says nothing."""

UNSURE = 7
"""Kind of the uncertainty map; the value is how sure the model is, 0 … 255."""

CLEAR = VOID + 256 * EMPTY
"""Nothing there."""

MODEL_TONE = 0.5
"""How much fainter a model's pixels are than a person's."""

STRIPE_TONE = 0.45
"""How far a proposal's stripes are on the way from the class's colour to white."""


def colour_table(palette: UInt8, opacity: float, hidden: frozenset[int] = frozenset()) -> NDArray[np.int32]:
    """ARGB32 premultiplied of every code: (65536,) int32.

    `palette` is (256, 3) uint8 RGB. A person's pixels have the full opacity, a model's less; empty and hidden ones are
    0: clear. A proposal is opaque, and shown even in hidden classes.
    """
    opacity = min(max(opacity, 0.0), 1.0)
    table = np.zeros((256, 256), np.uint32)
    seen = np.ones(256)
    seen[list(hidden)] = 0
    for kind, tone in ((MODEL, MODEL_TONE), (HUMAN, 1.0)):
        table[kind] = _premultiplied(palette, seen * (opacity * tone))
    bright = palette + (255.0 - palette) * STRIPE_TONE
    table[PROPOSED] = _premultiplied(palette, np.ones(256))
    table[PROPOSED_STRIPE] = _premultiplied(bright.round().astype(np.uint8), np.ones(256))
    table[ERASED_STRIPE] = _premultiplied(np.full((256, 3), 255, np.uint8), np.full(256, 0.5))
    table[UNSURE] = _premultiplied(_heat(), opacity * np.linspace(1, 0, 256))
    return table.reshape(-1).view(np.int32)


def _premultiplied(rgb: UInt8, opacity: NDArray[np.float64]) -> NDArray[np.uint32]:
    alpha = np.rint(255 * opacity).astype(np.uint32)
    red, green, blue = ((rgb.astype(np.uint32) * alpha[:, None] + 127) // 255).T
    return np.asarray(alpha << 24 | red << 16 | green << 8 | blue, np.uint32)


@cache
def _heat() -> UInt8:
    """(256, 3) RGB from unsure, white-hot, to sure, dark."""
    unsure = np.arange(255, -1, -1).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(unsure[:, None], cv2.COLORMAP_INFERNO)[:, 0, ::-1], np.uint8)
