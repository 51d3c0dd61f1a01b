"""Losses that leave out pixels nobody has spoken for."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from core_model.dataset import IGNORE


def class_weights(pixels: NDArray[np.int64], power: float = 0.5) -> Tensor:
    """Weights ~ frequency^-power, so that rare classes are not drowned; (C,) float32.

    Their mean over the pixels is 1 (the loss keeps its size); a class that does not occur weighs 1. Below a thousandth
    of the pixels weights rise no further: a stray dab must not outweigh a picture.
    """
    share = pixels / max(1, pixels.sum())
    weights = np.where(share > 0, np.maximum(share, 1e-3) ** -power, 0.0)
    weights = weights / max(float((weights * share).sum()), 1e-9)
    return torch.from_numpy(np.where(share > 0, weights, 1.0).astype(np.float32))


def cross_entropy(logits: Tensor, truth: Tensor, weights: Tensor | None) -> Tensor:
    """Mean cross-entropy of logits (N, C, H, W) and truth (N, H, W) int64 over all pixels that are not 255.

    Zero, with a gradient of zero, where every pixel is 255 (torch's own mean would be NaN).
    """
    loss = functional.cross_entropy(logits, truth, weights, ignore_index=IGNORE, reduction="sum")
    known = truth[truth != IGNORE]
    total = weights[known].sum() if weights is not None else torch.tensor(known.numel(), device=truth.device)
    return loss / total.clamp(min=1e-6)
