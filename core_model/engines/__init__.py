"""Engines: a backbone made ready for one device. Heads run in torch, so a new head costs no compilation."""

from __future__ import annotations

from core_model.engines.folding import folded
from core_model.engines.torch_engine import TorchEngine

__all__ = ["TorchEngine", "folded"]
