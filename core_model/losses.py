"""Losses that leave out pixels nobody has spoken for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

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


def lovasz_softmax(logits: Tensor, truth: Tensor) -> Tensor:
    """A surrogate of 1 - mIoU (Berman et al. 2018) of logits (N, C, H, W) and truth (N, H, W) int64, in 0 … 1.

    All pixels that are not 255 count as one set; the mean is over the classes that occur there. Zero, with a gradient
    of zero, where every pixel is 255.
    """
    classes = logits.shape[1]
    known = truth != IGNORE
    shares = torch.softmax(logits, 1).movedim(1, -1)[known]  # (P, C)
    if not len(shares):
        return logits.sum() * 0.0
    own = functional.one_hot(truth[known], classes).to(shares.dtype)  # (P, C)
    errors, order = (own - shares).abs().sort(0, descending=True)  # (P, C): each class by itself
    right = own.gather(0, order)
    intersection = right.sum(0) - right.cumsum(0)
    union = right.sum(0) + (1 - right).cumsum(0)
    jaccard = 1 - intersection / union  # of the worst 1, 2, … P pixels
    gain = torch.diff(jaccard, dim=0, prepend=torch.zeros_like(jaccard[:1]))
    return (errors * gain).sum(0)[own.any(0)].mean()


def dice(logits: Tensor, truth: Tensor) -> Tensor:
    """1 - the mean Dice coefficient of the softmax (Milletari et al. 2016), in 0 … 1; arguments as `lovasz_softmax`."""
    known = truth != IGNORE
    shares = torch.softmax(logits, 1).movedim(1, -1)[known]  # (P, C)
    if not len(shares):
        return logits.sum() * 0.0
    own = functional.one_hot(truth[known], logits.shape[1]).to(shares.dtype)  # (P, C)
    occurs = own.any(0)  # of the others both sums can be 0
    own, shares = own[:, occurs], shares[:, occurs]
    return 1 - (2 * (own * shares).sum(0) / (own + shares).sum(0)).mean()


Overlap = Literal["lovasz", "dice"]
OVERLAPS: dict[Overlap, Callable[[Tensor, Tensor], Tensor]] = {"lovasz": lovasz_softmax, "dice": dice}
