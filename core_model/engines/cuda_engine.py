"""NVIDIA GPUs: half precision, channels last, and what the CPU would have to ask for again and again in one graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from core_model.device import fp32_products, multiplies_bf16
from core_model.engines.engine import EngineError
from core_model.engines.folding import folded
from core_model.engines.replay import Replays, Run
from core_model.xception import Backbone


class CudaEngine:
    """A backbone with BN folded in bf16 (fp16 before Ampere), replayed as a CUDA graph for sizes that come again."""

    name: ClassVar[str] = "cuda"
    serves: ClassVar[tuple[str, ...]] = ("cuda",)

    def __init__(
        self,
        backbone: Backbone,
        device: torch.device,
        taps: Sequence[str],
        *,
        exact: bool = False,
        cache: Path | None = None,
    ) -> None:
        if device.type != "cuda" or not torch.cuda.is_available():
            raise EngineError(self.lacks() or f"cuda does not compute on {device}")
        self.device, self.taps = device, tuple(taps)
        self._backbone, self._exact = backbone, exact
        self._prepare(torch.float32 if exact else torch.bfloat16 if multiplies_bf16(device) else torch.float16)

    @classmethod
    def lacks(cls) -> str:
        """Say that torch finds no CUDA device, where that is so."""
        return "" if torch.cuda.is_available() else "torch finds no CUDA device here"

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the taps of (N, 3, H, W) float32 in [-1, 1], in `dtype`, on the GPU."""
        with torch.cuda.device(self.device), fp32_products(self.device, self._exact):
            found = self._replays(self._given(x))
            if self.dtype == torch.float16 and not all(bool(tap.isfinite().all()) for tap in found):
                self._prepare(torch.float32)  # these weights leave fp16's range
                found = self._replays(self._given(x))
        return dict(zip(self.taps, found, strict=True))

    def _prepare(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        network = folded(self._backbone).to(self.device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

        def run(x: Tensor) -> tuple[Tensor, ...]:
            found = network.features(x, self.taps)
            return tuple(found[tap] for tap in self.taps)

        pool = torch.cuda.graph_pool_handle()
        self._replays = Replays(run, lambda x: _capture(run, x, pool))

    def _given(self, x: Tensor) -> Tensor:
        return x.to(self.device, self.dtype, memory_format=torch.channels_last)


def _capture(run: Run, x: Tensor, pool: Any) -> Run:
    """Record `run` for inputs like x; the graphs of one pool share their memory, so what is given is a copy."""
    still = x.clone()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run(still)  # cuDNN chooses its algorithms, which must not happen while recording
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
        found = run(still)

    def replay(x: Tensor) -> tuple[Tensor, ...]:
        still.copy_(x)
        graph.replay()
        return tuple(tap.clone() for tap in found)

    return replay
