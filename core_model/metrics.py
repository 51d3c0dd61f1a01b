"""VOC's scores from a confusion matrix over a whole dataset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IGNORED = 255


class Confusion:
    """Counts pixels by truth and prediction. Truth 255 is ignored; a prediction of 255, or of no class, is wrong."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.counts = np.zeros((num_classes, num_classes + 1), np.int64)  # (truth, prediction; the last: none)

    def add(self, truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> None:
        """Count one image: two masks of one shape, values 0 … num_classes-1 or 255. ValueError for anything else."""
        if truth.shape != prediction.shape:
            raise ValueError(f"the prediction is {prediction.shape}, the truth {truth.shape}")
        n = self.num_classes
        codes = truth.astype(np.uint16).ravel() * 256 + prediction.ravel()
        pairs = np.bincount(codes, minlength=65536).reshape(256, 256)
        if strange := [int(v) for v in np.flatnonzero(pairs[:IGNORED].any(axis=1)) if v >= n]:
            raise ValueError(f"the truth has the class {strange[0]}, but there are only {n} classes")
        self.counts[:, :n] += pairs[:n, :n]
        self.counts[:, n] += pairs[:n, n:].sum(axis=1)

    @property
    def pixels(self) -> int:
        """Pixels that count."""
        return int(self.counts.sum())

    @property
    def pixel_accuracy(self) -> float:
        """Share of right pixels, 0 … 1; nan when nothing was counted."""
        return float(np.trace(self.counts)) / self.pixels if self.pixels else float("nan")

    @property
    def ious(self) -> NDArray[np.float64]:
        """Intersection over union of each class (num_classes,), nan for a class that the truth does not have."""
        right = np.diagonal(self.counts).astype(np.float64)
        truth = self.counts.sum(axis=1)
        union = truth + self.counts[:, : self.num_classes].sum(axis=0) - right
        return np.where(truth > 0, right / np.maximum(union, 1), np.nan)

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that occur in the truth; nan when nothing was counted."""
        ious = self.ious
        return float(np.nanmean(ious)) if np.isfinite(ious).any() else float("nan")
