"""Heads: from a backbone's features to logits at stride 4. One class a head, registered in HEADS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from core_model.aspp import ASPP
from core_model.blocks import HEAD_EPSILON, ConvNorm, SeparableConv, initialise
from core_model.card import Card
from core_model.reading import Reading, taps_read, widths
from core_model.transforms import upsample
from core_model.variants import VARIANTS, Variant
from core_model.xception import tap_channels

_ROWS = 4


class Decoder(nn.Module):
    """Sharpen ASPP's map with the low level: (N, 256, h, w) and (N, C, H/4, W/4) → (N, 256, H/4, W/4)."""

    def __init__(self, low_channels: int, channels: int = 256, reduced: int = 48) -> None:
        super().__init__()
        self.low_level = ConvNorm(low_channels, reduced, epsilon=HEAD_EPSILON, relu=True)
        self.refine = nn.Sequential(
            SeparableConv(channels + reduced, channels, epsilon=HEAD_EPSILON, relu_inside=True, relu=True),
            SeparableConv(channels, channels, epsilon=HEAD_EPSILON, relu_inside=True, relu=True),
        )

    def forward(self, x: Tensor, low_level: Tensor) -> Tensor:
        """Bring x to the low level's size, put both together and refine."""
        low = self.low_level(low_level)  # (N, 48, H/4, W/4)
        up = upsample(x, (low.shape[-2], low.shape[-1]))  # (N, 256, H/4, W/4)
        return self.refine(torch.cat([up, low], 1))  # type: ignore[no-any-return]  # (N, 256, H/4, W/4)


class AsppDecoderHead(nn.Module):
    """The paper's head: ASPP on one tap, decoder with the low level, 1x1 to the classes.

    `forward(taps)`: `low_level` (N, C, H/4, W/4) and the variant's ASPP feature → logits (N, classes, H/4, W/4).
    `pooling_norm`: BN in the image pooling; None means as the variant's column says.
    """

    kind = "aspp_decoder"

    def __init__(
        self, variant: Variant, num_classes: int, output_stride: int = 16, pooling_norm: bool | None = None
    ) -> None:
        super().__init__()
        self.variant, self.num_classes, self.output_stride = variant, num_classes, output_stride
        self.pooling_norm = variant.pooling_norm if pooling_norm is None else pooling_norm
        self.card: Card | None = None
        self.taps = self.reads = variant.taps
        wide = variant.channels
        self.aspp = ASPP(
            wide(2048) if variant.aspp_feature == "exit" else wide(variant.entry[-1][0]),
            tuple(rate * 16 // output_stride for rate in variant.aspp_rates),
            separable=variant.aspp_separable,
            pooling_norm=self.pooling_norm,
        )
        self.decoder = Decoder(wide(256)) if variant.decoder else None
        self.classifier = nn.Conv2d(256, num_classes, 1)
        initialise(self, self.classifier)

    @classmethod
    def of(cls, card: Card) -> AsppDecoderHead:
        """Make the head that a card speaks of, with fresh weights."""
        row = replace(VARIANTS[card.variant], decoder=card.decoder)
        return cls(row, len(card.classes), card.output_stride, card.pooling_norm)

    @staticmethod
    def prepared(tap: Tensor) -> Tensor:
        """Bring (N, C, h, w) into the form in which prediction is fastest."""
        return tap.float().contiguous(memory_format=torch.channels_last)

    def own(self, taps: Mapping[str, Tensor]) -> Tensor:
        """Classify every cell of stride 4 by ASPP and decoder."""
        return self.forward(taps)

    def forward(self, taps: Mapping[str, Tensor]) -> Tensor:
        """Classify every cell of stride 4."""
        low = taps["low_level"]  # (N, 256, H/4, W/4)
        x = self.aspp(taps[self.variant.aspp_feature])  # (N, 256, H/16, W/16)
        if self.decoder is not None:
            return self.classifier(self.decoder(x, low))  # type: ignore[no-any-return]  # (N, classes, H/4, W/4)
        return upsample(self.classifier(x), (low.shape[-2], low.shape[-1]))  # (N, classes, H/4, W/4)


class LinearClassifier(nn.Module):
    """The weights of a linear head: a row a class; `weight.<reading>` (classes, C) each, `bias` (classes,)."""

    def __init__(self, channels: Mapping[str, int], num_classes: int) -> None:
        super().__init__()
        self.weight = nn.ParameterDict({name: torch.zeros(num_classes, count) for name, count in channels.items()})
        self.bias = nn.Parameter(torch.zeros(num_classes))


class LinearHead(nn.Module):
    """A 1x1 over several taps and their neighbourhoods: fits in seconds, and is the best up to about ten pictures.

    `forward(taps)`: each (N, C, h, w) → logits (N, classes, H/4, W/4). A 1x1 commutes with means and with bilinear
    resizing, so each tap is classified where it is, and only maps of classes are pooled and brought to stride 4.
    `reads`: see `Reading`; None means as the variant's column says. Before it learns, all classes are as likely.
    """

    kind = "linear"
    pooling_norm = True  # it has no such layer: what a card says by default

    def __init__(
        self, variant: Variant, num_classes: int, output_stride: int = 16, reads: tuple[str, ...] | None = None
    ) -> None:
        super().__init__()
        self.variant, self.num_classes, self.output_stride = variant, num_classes, output_stride
        self.card: Card | None = None
        self.reads = reads or variant.linear_reads
        self.taps = taps_read(self.reads)
        self.classifier = LinearClassifier(widths(self.reads, tap_channels(variant)), num_classes)

    @classmethod
    def of(cls, card: Card) -> LinearHead:
        """Make the head that a card speaks of, with fresh weights."""
        return cls(VARIANTS[card.variant], len(card.classes), card.output_stride, card.reads or None)

    @staticmethod
    def prepared(tap: Tensor) -> Tensor:
        """Leave (N, C, h, w) as it is: half precision is widened where it is multiplied."""
        return tap

    @property
    def weights(self) -> tuple[Tensor, Tensor]:
        """Copies of the weights (classes, D), with what it reads side by side, and of the bias (classes,)."""
        weight = torch.cat([self.classifier.weight[name].detach() for name in self.reads], 1)
        return weight, self.classifier.bias.detach().clone()

    @torch.no_grad()
    def put(self, weight: Tensor, bias: Tensor) -> None:
        """Take what `weights` gives."""
        own = [self.classifier.weight[name] for name in self.reads]
        for part, given in zip(own, torch.split(weight, [part.shape[1] for part in own], 1), strict=True):
            part.copy_(given)
        self.classifier.bias.copy_(bias)

    def forward(self, taps: Mapping[str, Tensor]) -> Tensor:
        """Classify every cell of stride 4, the grid of the finest tap."""
        maps = []
        for name in self.reads:
            reading = Reading.of(name)
            maps.append(reading.see(_product(self.classifier.weight[name], taps[reading.tap])))  # (N, classes, h, w)
        finest = max((y.shape[-2], y.shape[-1]) for y in maps)  # (H/4, W/4)
        logits = torch.stack([upsample(y, finest) for y in maps]).sum(0)
        return logits + self.classifier.bias[:, None, None]  # (N, classes, H/4, W/4)


def _product(weight: Tensor, x: Tensor) -> Tensor:
    """Multiply (K, C) and (N, C, h, w) to (N, K, h, w) in float32.

    A few rows at a time: to widen a whole map to float32 would take longer than the product (measured).
    """
    return torch.cat([torch.einsum("kc,nchw->nkhw", weight, rows.float()) for rows in torch.split(x, _ROWS, 2)], 2)


class VotingHead(AsppDecoderHead):
    """The paper's head and a linear one: their logits add up, so that the product of both opinions decides.

    `forward(taps)` as both; `own(taps)` is the paper's part alone. The two learn apart: they err in different places,
    and the linear one errs less in a place that looks like none that was learnt. A linear part that has learnt nothing
    changes nothing.
    """

    kind = "aspp_linear"

    def __init__(
        self, variant: Variant, num_classes: int, output_stride: int = 16, pooling_norm: bool | None = None
    ) -> None:
        super().__init__(variant, num_classes, output_stride, pooling_norm)
        self.linear = LinearHead(variant, num_classes, output_stride)
        self.reads = self.linear.reads
        self.taps = tuple(dict.fromkeys((*variant.taps, *self.linear.taps)))

    def own(self, taps: Mapping[str, Tensor]) -> Tensor:
        """Classify every cell of stride 4 without the linear part."""
        return super().forward(taps)

    def forward(self, taps: Mapping[str, Tensor]) -> Tensor:
        """Classify every cell of stride 4."""
        return self.own(taps) + self.linear(taps)  # type: ignore[no-any-return]  # (N, classes, H/4, W/4)


Head: TypeAlias = AsppDecoderHead | LinearHead
"""What a head is: the class to annotate with."""

HEADS: dict[str, type[AsppDecoderHead] | type[LinearHead]] = {
    AsppDecoderHead.kind: AsppDecoderHead,
    VotingHead.kind: VotingHead,
    LinearHead.kind: LinearHead,
}
"""Every head by the word in a card."""


def taps_of(variant: Variant) -> tuple[str, ...]:
    """What the heads of this variant read, all of them together."""
    return tuple(dict.fromkeys((*variant.taps, *taps_read(variant.linear_reads))))
