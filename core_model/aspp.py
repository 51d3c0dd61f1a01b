"""Atrous spatial pyramid pooling (Chen et al. 2018): one map seen at several reaches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core_model.blocks import HEAD_EPSILON, ConvNorm, SeparableConv


class ASPP(nn.Module):
    """(N, C, h, w) → (N, 256, h, w): image pooling, 1x1 and atrous 3x3, concatenated in this order and projected."""

    def __init__(
        self, channels: int, rates: tuple[int, ...], *, separable: bool, pooling_norm: bool, out: int = 256
    ) -> None:
        super().__init__()
        eps = HEAD_EPSILON
        self.pooling = ConvNorm(channels, out, epsilon=eps if pooling_norm else None, relu=True)
        self.point = ConvNorm(channels, out, epsilon=eps, relu=True)
        self.atrous = nn.ModuleList(
            SeparableConv(channels, out, rate=rate, epsilon=eps, relu_inside=True, relu=True)
            if separable
            else ConvNorm(channels, out, 3, rate=rate, epsilon=eps, relu=True)
            for rate in rates
        )
        self.projection = ConvNorm(out * (2 + len(rates)), out, epsilon=eps, relu=True)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Look at every reach, and put the answers together."""
        pooled = self.pooling(F.adaptive_avg_pool2d(x, 1)).expand(-1, -1, *x.shape[-2:])  # (N, 256, h, w)
        branches = [pooled, self.point(x), *(branch(x) for branch in self.atrous)]
        return self.dropout(self.projection(torch.cat(branches, 1)))  # type: ignore[no-any-return]  # (N, 256, h, w)
