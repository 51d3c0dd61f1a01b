"""Plain torch: the engine that works everywhere and that the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from core_model.device import fp32_products, multiplies_bf16
from core_model.engines.folding import folded
from core_model.xception import Backbone


class TorchEngine:
    """A backbone with BN folded, channels last; bf16 where the device multiplies it natively, else fp32."""

    name: ClassVar[str] = "torch"
    serves: ClassVar[tuple[str, ...]] = ("cpu", "cuda", "mps")

    def __init__(
        self,
        backbone: Backbone,
        device: torch.device,
        taps: Sequence[str],
        *,
        exact: bool = False,
        cache: Path | None = None,
    ) -> None:
        self.device, self.taps = device, tuple(taps)
        self.dtype = torch.bfloat16 if not exact and multiplies_bf16(device) else torch.float32
        self._exact = exact
        self._network = folded(backbone).to(device, self.dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def lacks(cls) -> str:
        """Nothing: it is there whenever this package is."""
        return ""

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the taps of (N, 3, H, W) float32 in [-1, 1], in `dtype`, on the engine's device."""
        x = x.to(self.device, self.dtype, memory_format=torch.channels_last)
        with fp32_products(self.device, self._exact):
            return self._network.features(x, self.taps)  # type: ignore[no-any-return]
