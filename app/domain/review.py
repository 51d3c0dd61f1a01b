"""What a review does to the pixels of which nobody has said anything, and how that is taken back."""

from __future__ import annotations

import numpy as np

from app.domain.classes import VOID
from app.domain.edit import Edit
from app.domain.geometry import Rect
from app.domain.history import Step
from app.domain.mask import EMPTY, HUMAN

_ROWS = 256


def fill(edit: Edit, label: int) -> None:
    """Every empty pixel becomes the label (a class, or 255: void), as a person's word."""
    mask = edit.mask
    for strip in Rect.of(mask.labels).strips(_ROWS):
        empty = mask.provenance[strip.slices] == EMPTY
        if empty.any():
            edit.touch(strip)
            np.copyto(mask.labels[strip.slices], np.uint8(label), where=empty)
            np.copyto(mask.provenance[strip.slices], np.uint8(HUMAN), where=empty)


def unfill(edit: Edit, review: Step) -> None:
    """The pixels that this step filled become empty again, except those that have been changed since."""
    mask = edit.mask
    for patch in review.patches:
        # It turned 255 and EMPTY into one label and HUMAN, nothing else: so the XOR tells which pixels, and the label.
        label = VOID ^ max((int(xor.max()) for _, xor in patch.labels.changes()), default=0)
        for block, xor in patch.provenance.changes():
            edit.touch(block)
            labels, provenance = mask.labels[block.slices], mask.provenance[block.slices]
            filled = (xor != 0) & (labels == label) & (provenance == HUMAN)
            labels[filled] = VOID
            provenance[filled] = EMPTY
