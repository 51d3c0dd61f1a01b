"""The Xception backbones in atrous form: the original (Chollet 2017), the modified aligned one (Chen et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from core_model.blocks import BACKBONE_EPSILON, ConvNorm, SeparableConv, initialise
from core_model.card import Card
from core_model.variants import Variant


@dataclass(frozen=True)
class UnitPlan:
    """A unit in numbers: what goes in, the channels of its separable convolutions, and how it reaches."""

    flow: Literal["entry", "middle", "exit"]
    channels: int
    out: tuple[int, ...]
    stride: int = 1  # of the last convolution, or of the pool of the original network
    rate: int = 1
    skip: Literal["conv", "identity", "none"] = "identity"
    inner_tap: str = ""  # the name of the second convolution's output, where it has one
    tap: str = ""  # the name of the unit's output


def plan(variant: Variant, output_stride: int) -> Iterator[UnitPlan]:
    """List the units of a variant in order.

    Once the output stride is reached, a unit's stride becomes 1 and the rate of the units after it is multiplied by it.
    """
    original, wide = variant.family == "original", variant.channels
    depth = 2 if original else 3
    rows: list[tuple[Literal["entry", "middle", "exit"], tuple[int, ...], int]] = []  # flow, channels, stride
    rows += [("entry", (channels,) * depth, stride) for channels, stride in variant.entry]
    deepest = variant.entry[-1][0]
    rows += [("middle", (deepest,) * 3, 1)] * variant.middle_units
    rows.append(("exit", (deepest, 1024) if original else (deepest, 1024, 1024), 2))
    rows.append(("exit", (1536, 2048) if original else (1536, 1536, 2048), 1))
    channels, nominal, current, rate = wide(64), 2, 2, 1
    ends = {len(variant.entry) + variant.middle_units - 1: "middle", len(rows) - 1: "exit"}
    firsts = {"entry": 0, "middle": len(variant.entry), "exit": len(rows) - 2}
    for i, (flow, out, stride) in enumerate(rows):
        effective = stride if current < output_stride else 1
        inner = {4: "low_level", 8: "mid_level"}.get(nominal, "") if stride == 2 else ""
        tap = ends.get(i, f"{flow}{i - firsts[flow] + 1}")
        skip: Literal["conv", "identity", "none"] = "identity" if flow == "middle" else "conv"
        skip = "none" if i == len(rows) - 1 else skip
        yield UnitPlan(flow, channels, tuple(map(wide, out)), effective, rate, skip, inner, tap)
        channels, nominal, current, rate = (
            wide(out[-1]),
            nominal * stride,
            current * effective,
            rate * stride // effective,
        )


def tap_channels(variant: Variant) -> dict[str, int]:
    """Name every tap of a variant in the order of computation, with its channels; at every output stride the same."""
    channels = {"stem": variant.channels(64)}
    for row in plan(variant, 16):
        if row.inner_tap:
            channels[row.inner_tap] = row.out[1]
        channels[row.tap] = row.out[-1]
    return channels


class Unit(nn.Module):
    """Two or three separable convolutions and a skip: (N, C, H, W) → (N, out[-1], H/stride, W/stride).

    The last unit of a network, the one without a skip, has its ReLUs after the convolutions, every other before them.
    """

    def __init__(self, row: UnitPlan, *, original: bool, relu_inside: bool) -> None:
        super().__init__()
        widths = (row.channels, *row.out)
        self.relu_after = row.skip == "none"
        pooled = original and row.skip == "conv"
        self.separable = nn.ModuleList(
            SeparableConv(
                channels,
                out,
                stride=row.stride if i == len(row.out) - 1 and not pooled else 1,
                rate=row.rate,
                epsilon=BACKBONE_EPSILON,
                norm_inside=not original,
                relu_inside=relu_inside or (self.relu_after and not original),
                relu=self.relu_after,
            )
            for i, (channels, out) in enumerate(zip(widths, row.out, strict=False))
        )
        self.pool_stride, self.pool_rate = (row.stride, row.rate) if pooled else (0, 1)
        self.identity = row.skip == "identity"
        self.skip = (
            ConvNorm(row.channels, row.out[-1], stride=row.stride, epsilon=BACKBONE_EPSILON)
            if row.skip == "conv"
            else None
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the unit's output, and the normalised output of its second separable convolution."""
        y = inner = x
        for i, separable in enumerate(self.separable):
            y = separable(y if self.relu_after else F.relu(y))
            if i == 1:
                inner = y  # (N, out[1], H, W)
        if self.pool_stride:
            y = _max_pool(y, self.pool_stride, self.pool_rate)  # (N, out[-1], H/stride, W/stride)
        if self.skip is not None:
            y = y + self.skip(x)  # the unit's input before any ReLU
        elif self.identity:
            y = y + x
        return y, inner


def _max_pool(x: Tensor, stride: int, rate: int) -> Tensor:
    """Take the maximum of 3x3 values that are `rate` apart, padded by `rate` with minus infinity."""
    if rate == 1:
        return F.max_pool2d(x, 3, stride, 1)
    return F.max_pool2d(F.pad(x, (rate,) * 4, value=float("-inf")), 3, stride, 0, rate)


class Xception(nn.Module):
    """A backbone: RGB in [-1, 1] → named features.

    Taps (the keys of `channels`, in the order of computation): `stem`, `entry1`, `entry2`, …; `low_level` (stride 4)
    and `mid_level` (stride 8), the BN output of the second separable convolution in the unit that leaves that stride;
    `middle1`, …, `middle`; `exit1`, `exit`. Value (i, j) at stride s sits on pixel (s i, s j); a map of stride s has
    (H-1)//s + 1 rows.

    `stem_padding`: added on every side of a picture for the original network; 0 gives Keras's own, smaller maps.
    """

    def __init__(self, variant: Variant, output_stride: int = 16, stem_padding: int = 3) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output stride {output_stride}: it can be 8, 16 or 32")
        self.variant = variant
        self.output_stride = output_stride
        self.card: Card | None = None
        self.sha256 = ""  # of the file that it was read from
        original, wide = variant.family == "original", variant.channels
        self.stem_padding = stem_padding if original else 0
        valid = 0 if original else None
        self.stem = nn.Sequential(
            ConvNorm(3, wide(32), 3, stride=2, epsilon=BACKBONE_EPSILON, relu=True, padding=valid),
            ConvNorm(wide(32), wide(64), 3, epsilon=BACKBONE_EPSILON, relu=True, padding=valid),
        )
        self.entry, self.middle, self.exit = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.channels = tap_channels(variant)
        self._taps: list[tuple[str, str]] = []  # of each unit: of its second convolution ("" for none), of its output
        for row in plan(variant, output_stride):
            flow = {"entry": self.entry, "middle": self.middle, "exit": self.exit}[row.flow]
            flow.append(Unit(row, original=original, relu_inside=variant.relu_inside))
            self._taps.append((row.inner_tap, row.tap))
        initialise(self)

    def features(self, x: Tensor, taps: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Compute the named taps (by default those of the variant's head) and nothing after the last of them.

        x: (N, 3, H, W) float in [-1, 1].
        """
        wanted = set(self.variant.taps if taps is None else taps)
        if unknown := wanted - set(self.channels):
            raise ValueError(f"{self.variant.name} has no tap {sorted(unknown)}; it has {', '.join(self.channels)}")
        if self.stem_padding:
            x = F.pad(x, (self.stem_padding,) * 4)  # 0 is mid-grey
        x = self.stem(x)  # (N, 64, H/2, W/2)
        found = {"stem": x} if "stem" in wanted else {}
        units = (*self.entry, *self.middle, *self.exit)
        for unit, (inner_tap, tap) in zip(units, self._taps, strict=True):
            if len(found) == len(wanted):
                break
            x, inner = unit(x)  # (N, 128, H/4, W/4) … (N, 728, H/16, W/16) … (N, 2048, H/16, W/16)
            found |= {name: value for name, value in ((inner_tap, inner), (tap, x)) if name in wanted}
        return found

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Give the taps that the variant's head reads."""
        return self.features(x)


Backbone = Xception
"""What a backbone is: the class to annotate with."""
