"""What an engine is: a backbone made ready for one device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from core_model.xception import Backbone


class EngineError(RuntimeError):
    """An engine that is not there, cannot take this network, or has failed at work; the message says which and why."""


class Engine(Protocol):
    """Computes taps of a backbone. It belongs to one thread, and keeps nothing of what it gave."""

    name: ClassVar[str]
    serves: ClassVar[tuple[str, ...]]
    """The types of device that it computes on."""
    device: torch.device
    taps: tuple[str, ...]
    dtype: torch.dtype
    """What it multiplies in."""

    def __init__(
        self,
        backbone: Backbone,
        device: torch.device,
        taps: Sequence[str],
        *,
        exact: bool = False,
        cache: Path | None = None,
    ) -> None:
        """Make the backbone ready; it stays as it is.

        exact: multiply in fp32 where half precision would be faster. cache: a folder where what took long to prepare is
        kept for the next time, by the backbone's sha256: so not for one that was changed after it was read. EngineError
        when it cannot be done here.
        """

    @classmethod
    def lacks(cls) -> str:
        """Say why it cannot be used on this machine, "" when nothing is known against it."""

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the taps (N, C, h, w) of (N, 3, H, W) float32 in [-1, 1], any size, on the engine's device.

        They come in fp32 or in `dtype`, and stay the caller's. EngineError, or torch's own for lack of memory.
        """
