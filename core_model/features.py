"""What the backbone saw in one picture: kept, so that a new head costs milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Features:
    """Named taps of one padded picture in the CPU's memory, and where the picture lies in them."""

    taps: dict[str, Tensor]  # each (C, h, w) fp16
    height: int  # of the picture at working size, pixels
    width: int
    padded: tuple[int, int]  # (height, width) that the network saw, 16 k + 1
    backbone: str  # sha256 of the backbone's file, "" when it came from none

    @property
    def bytes(self) -> int:
        """Memory that the taps take."""
        return sum(tap.numel() * tap.element_size() for tap in self.taps.values())
