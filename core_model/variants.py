"""The table of architectures: one row of plain values a variant, so that every claim of the papers is one column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Variant:
    """What tells one DeepLab V3+ from another.

    Sources: Chollet 2017 (`original`), Chen et al. 2018 (`aligned`: the modified aligned Xception).
    """

    name: str
    family: Literal["original", "aligned"]  # original: two separable convolutions a unit, then a max pool
    entry: tuple[tuple[int, int], ...]  # (channels, stride) of each unit of the entry flow
    middle_units: int
    width: float = 1.0  # multiplies the channels of the backbone
    relu_inside: bool = False  # an activation between depthwise and pointwise, all over the backbone
    aspp_feature: Literal["middle", "exit"] = "exit"  # the tap that feeds ASPP
    decoder: bool = True
    aspp_rates: tuple[int, ...] = (6, 12, 18)  # at output stride 16; twice as much at 8
    aspp_separable: bool = True
    linear_reads: tuple[str, ...] = ("low_level", "mid_level", "middle", "middle_mean9")  # of the linear head
    pooling_norm: bool = True  # BN in ASPP's image pooling; batches of a few pictures cannot train it

    @property
    def taps(self) -> tuple[str, ...]:
        """The taps that this variant's ASPP and decoder read."""
        return ("low_level", self.aspp_feature)

    def channels(self, nominal: int) -> int:
        """The nominal number of channels times the width, as a multiple of 8."""
        return nominal if self.width == 1.0 else max(8, round(nominal * self.width / 8) * 8)


_ENTRY = ((128, 2), (256, 2), (728, 2))
_ENTRY_71 = ((128, 2), (256, 1), (256, 2), (728, 1), (728, 2))

VARIANTS: dict[str, Variant] = {
    row.name: row
    for row in (
        Variant("xception", "original", _ENTRY, 8, aspp_feature="middle", pooling_norm=False),
        Variant("xception_slim", "aligned", _ENTRY, 8, width=0.375),
        Variant("xception_41", "aligned", _ENTRY, 8),
        Variant("xception_65", "aligned", _ENTRY, 16),
        Variant("xception_71", "aligned", _ENTRY_71, 16),
    )
}
"""Every variant by its name."""
