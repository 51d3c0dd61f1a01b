"""Which pixels a hand may change: locked classes, "only over", "never over"."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.domain.arrays import Bool, UInt8
from app.domain.classes import UNPAINTED, VOID
from app.domain.mask import EMPTY


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule over what a pixel holds now."""

    never: frozenset[int] = frozenset()
    """What is not painted over."""

    only: frozenset[int] | None = None
    """What alone is painted over; None: everything."""

    def admits(self, labels: UInt8, provenance: UInt8) -> Bool | None:
        """Which pixels of a part of a mask may be changed: bool of the planes' shape; None when all of them may."""
        if not self.never and self.only is None:
            return None
        allowed = [kind not in self.never and (self.only is None or kind in self.only) for kind in range(UNPAINTED + 1)]
        table = np.array(allowed[:UNPAINTED], np.uint8)
        admitted = np.asarray(cv2.LUT(np.ascontiguousarray(labels), table)).view(bool)
        if allowed[UNPAINTED] != allowed[VOID]:
            np.copyto(admitted, allowed[UNPAINTED], where=provenance == EMPTY)
        return admitted


FREE = Guard()
"""Everything may be changed."""
