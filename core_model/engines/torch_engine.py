"""Plain torch: the engine that works everywhere and that the others are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext

import torch
from torch import Tensor

from core_model.device import multiplies_bf16
from core_model.engines.folding import folded
from core_model.xception import Backbone


class TorchEngine:
    """A backbone with BN folded, channels last; bf16 where the device multiplies it natively, else fp32."""

    def __init__(self, backbone: Backbone, device: torch.device, taps: Iterable[str]) -> None:
        self.device = device
        self.taps = tuple(taps)
        self.bf16 = multiplies_bf16(device)
        self._network = folded(backbone).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the taps of (N, 3, H, W) float32 in [-1, 1], on the engine's device."""
        x = x.to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext():
            return self._network.features(x, self.taps)  # type: ignore[no-any-return]
