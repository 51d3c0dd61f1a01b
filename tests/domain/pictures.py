"""Small masks and predictions for the tests of the domain, and the plainest way to say what a stroke covers."""

from __future__ import annotations

import numpy as np

from app.domain.arrays import Bool
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.prediction import Prediction


def within(height: int, width: int, start: tuple[int, int], end: tuple[int, int], radius: float) -> Bool:
    """(H, W): pixels whose centre is at most `radius` from the line, by the distance of each, in floating point."""
    y, x = np.mgrid[:height, :width].astype(float)
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    along = np.zeros_like(x) if square == 0 else np.clip(((x - ax) * dx + (y - ay) * dy) / square, 0, 1)
    return np.hypot(x - ax - along * dx, y - ay - along * dy) <= radius + 1e-9


def patchwork(height: int, width: int, seed: int) -> Mask:
    """A mask in which everything occurs: empty, model, human and void pixels, in patches and alone."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (height // 5 + 1, width // 5 + 1))
    kind = np.kron(coarse, np.ones((5, 5), int))[:height, :width]
    kind = np.where(rng.random((height, width)) < 0.05, rng.integers(0, 4, (height, width)), kind)
    labels = np.where(kind % 2 == 1, rng.integers(0, 3, (height, width)), 255).astype(np.uint8)
    provenance = np.choose(kind, [EMPTY, MODEL, HUMAN, HUMAN]).astype(np.uint8)
    return Mask(labels, provenance)


def prediction(height: int, width: int, seed: int) -> Prediction:
    """Classes 0 … 3 in patches, and 255 in some; confidence as of a picture that is not reduced."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 5, (height // 4 + 1, width // 4 + 1))
    labels = np.kron(coarse, np.ones((4, 4), int))[:height, :width]
    confidence = rng.integers(0, 256, ((height - 1) // 4 + 1, (width - 1) // 4 + 1), dtype=np.uint8)
    return Prediction(np.where(labels == 4, 255, labels).astype(np.uint8), confidence, "a version")


def copy(mask: Mask) -> Mask:
    return Mask(mask.labels.copy(), mask.provenance.copy())


def same(one: Mask, other: Mask) -> bool:
    return np.array_equal(one.labels, other.labels) and np.array_equal(one.provenance, other.provenance)
