"""The quick learner's loss on what a backbone saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model import VARIANTS, Card
from core_model.heads import AsppDecoderHead
from core_model.quick import Quick
from core_model.xception import tap_channels


@dataclass
class Seen:
    """A picture of 32 x 32 that was seen."""

    taps: dict[str, Tensor]
    truth: NDArray[np.uint8]
    size: tuple[int, int] = (32, 32)

    def load(self) -> tuple[dict[str, Tensor], NDArray[np.uint8]]:
        return self.taps, self.truth


@pytest.mark.parametrize("variant", ["xception", "xception_slim"])
def test_a_lone_picture_can_be_learnt_with_and_without_bn_in_the_pooling(variant: str, tmp_path: Path) -> None:
    row = VARIANTS[variant]
    head = AsppDecoderHead(row, 2)
    strides = {"low_level": 4, "mid_level": 8}
    random = torch.Generator().manual_seed(0)
    taps = {
        name: torch.randn(channels, *2 * [32 // strides.get(name, 16)], generator=random).half()
        for name, channels in tap_channels(row).items()
        if name in head.taps
    }
    truth = np.zeros((32, 32), np.uint8)
    truth[16:] = 1
    card = Card("head", variant, classes=("one", "other"))
    quick = Quick(head, card, tmp_path, [Seen(taps, truth)], [], np.array([512, 512]), torch.device("cpu"), 0)  # type: ignore[list-item]
    loss = quick.loss(2)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(part.grad is not None and torch.isfinite(part.grad).all() for part in head.parameters())
