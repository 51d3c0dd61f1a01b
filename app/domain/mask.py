"""What is known of every pixel of one picture: its class, and who said so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.domain.arrays import UInt8
from app.domain.classes import VOID

EMPTY, MODEL, HUMAN = 0, 1, 2
"""Provenance: nobody has said anything; a model has; a person has."""


@dataclass
class Mask:
    """Class and origin of each pixel. Empty: 255 and EMPTY. Void: 255 and HUMAN. A model says only real classes."""

    labels: UInt8
    """(H, W) uint8: class index 0 … 254, or 255."""

    provenance: UInt8
    """(H, W) uint8: EMPTY, MODEL or HUMAN."""

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.shape != self.provenance.shape:
            raise ValueError(f"labels {self.labels.shape} and provenance {self.provenance.shape} are not one picture")
        self.labels = np.require(self.labels, np.uint8, ["C", "W"])
        self.provenance = np.require(self.provenance, np.uint8, ["C", "W"])

    @classmethod
    def empty(cls, height: int, width: int) -> Mask:
        """A mask of which nobody has said anything."""
        return cls(np.full((height, width), VOID, np.uint8), np.zeros((height, width), np.uint8))

    @classmethod
    def from_labels(cls, labels: UInt8, provenance: int = HUMAN) -> Mask:
        """A mask that came with a dataset: all of it is a person's word, 255 means void. A model's 255 is empty."""
        origin = np.full(labels.shape, provenance, np.uint8)
        if provenance != HUMAN:
            origin[labels == VOID] = EMPTY
        return cls(labels, origin)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.labels.shape[1])
