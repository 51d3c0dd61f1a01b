"""Engines: a backbone made ready for one device. Heads run in torch, so a new head costs no compilation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from core_model.engines.cuda_engine import CudaEngine
from core_model.engines.engine import Engine, EngineError
from core_model.engines.folding import folded
from core_model.engines.openvino_engine import OpenVinoEngine
from core_model.engines.torch_engine import TorchEngine
from core_model.xception import Backbone

ENGINES: dict[str, type[Engine]] = {
    CudaEngine.name: CudaEngine,
    OpenVinoEngine.name: OpenVinoEngine,
    TorchEngine.name: TorchEngine,
}
"""Every engine by its name; `auto` takes the first that serves the device and works."""

__all__ = ["ENGINES", "Engine", "EngineError", "TorchEngine", "best_engine", "folded", "make"]


def best_engine(device: torch.device) -> tuple[str, tuple[str, ...]]:
    """Name the engine that `auto` takes on the device, and say what the faster ones before it lack."""
    lacking: list[str] = []
    for name, kind in ENGINES.items():
        if device.type in kind.serves:
            if not (lack := kind.lacks()):
                return name, tuple(lacking)
            lacking.append(lack)
    raise EngineError(f"no engine computes on {device}")


def make(
    name: str,
    backbone: Backbone,
    device: torch.device,
    taps: Sequence[str],
    *,
    exact: bool = False,
    cache: Path | None = None,
) -> tuple[Engine, list[str]]:
    """Make the engine of that name, or by `auto` the first in the table that works; with it, why others did not.

    The rest is as `Engine` takes it. EngineError when there is none, of that name or for that device.
    """
    if name != "auto" and name not in ENGINES:
        raise EngineError(f"there is no engine called {name!r}; it can be auto, {', '.join(ENGINES)}")
    kinds = [kind for kind in ENGINES.values() if name == kind.name or (name == "auto" and device.type in kind.serves)]
    failures: list[str] = []
    for kind in kinds:
        if device.type not in kind.serves:
            raise EngineError(f"the engine {name} computes on {' and '.join(kind.serves)}, not on {device}")
        try:
            return kind(backbone, device, taps, exact=exact, cache=cache), failures
        except EngineError as error:
            if kind is kinds[-1]:
                raise
            failures.append(str(error))
    raise EngineError(f"no engine computes on {device}")
