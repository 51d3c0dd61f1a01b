"""What a hand puts on pixels: a class, void, nothing, the network's word, or its own word on the network's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.domain.arrays import Bool, UInt8
from app.domain.classes import VOID
from app.domain.geometry import Rect
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.prediction import Prediction


class Ink(Protocol):
    """Changes some pixels of a part of a mask."""

    def put(self, rect: Rect, labels: UInt8, provenance: UInt8, where: Bool) -> None:
        """Write where it says, into both planes of a rectangle of the picture: (height, width) each."""


@dataclass(frozen=True, slots=True)
class Label:
    """A person says that this is of a class."""

    label: int
    """0 … 254, or 255 for void."""

    def put(self, rect: Rect, labels: UInt8, provenance: UInt8, where: Bool) -> None:
        """The label, as a person's word."""
        np.copyto(labels, np.uint8(self.label), where=where)
        np.copyto(provenance, np.uint8(HUMAN), where=where)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Whatever was said is taken back."""

    def put(self, rect: Rect, labels: UInt8, provenance: UInt8, where: Bool) -> None:
        """Empty."""
        np.copyto(labels, np.uint8(VOID), where=where)
        np.copyto(provenance, np.uint8(EMPTY), where=where)


@dataclass(frozen=True, slots=True)
class Restored:
    """What the network had said comes back."""

    prediction: Prediction
    """Of the same picture."""

    final: bool = False
    """In a reviewed image, to which no model writes: the network's word as the person's own; where it says nothing,
    all stays as it is."""

    def put(self, rect: Rect, labels: UInt8, provenance: UInt8, where: Bool) -> None:
        """The prediction's pixels; empty where it says nothing."""
        said = self.prediction.labels[rect.slices]
        known = said != VOID
        np.copyto(labels, said, where=where & known if self.final else where)
        if self.final:
            np.copyto(provenance, np.uint8(HUMAN), where=where & known)
        else:
            np.copyto(provenance, known.view(np.uint8) * np.uint8(MODEL), where=where)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A person says that the network is right here."""

    def put(self, rect: Rect, labels: UInt8, provenance: UInt8, where: Bool) -> None:
        """A model's pixels become the person's, their class stays."""
        np.copyto(provenance, np.uint8(HUMAN), where=where & (provenance == MODEL))
