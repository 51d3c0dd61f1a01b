"""Heads: from a backbone's features to logits at stride 4. One class a head, registered in HEADS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from core_model.aspp import ASPP
from core_model.blocks import HEAD_EPSILON, ConvNorm, SeparableConv, initialise
from core_model.card import Card
from core_model.transforms import upsample
from core_model.variants import Variant


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
        self.taps = variant.taps
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

    def forward(self, taps: Mapping[str, Tensor]) -> Tensor:
        """Classify every cell of stride 4."""
        low = taps["low_level"]  # (N, 256, H/4, W/4)
        x = self.aspp(taps[self.variant.aspp_feature])  # (N, 256, H/16, W/16)
        if self.decoder is not None:
            return self.classifier(self.decoder(x, low))  # type: ignore[no-any-return]  # (N, classes, H/4, W/4)
        return upsample(self.classifier(x), (low.shape[-2], low.shape[-1]))  # (N, classes, H/4, W/4)


Head: TypeAlias = AsppDecoderHead
"""What a head is: the class to annotate with."""

HEADS: dict[str, type[Head]] = {AsppDecoderHead.kind: AsppDecoderHead}
"""Every head by the word in a card."""
