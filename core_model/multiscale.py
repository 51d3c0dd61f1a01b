"""Evaluation at several scales and mirrored (Chen et al. 2018): slower, and right a little more often."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from core_model.heads import Head
from core_model.predictor import Prediction, Predictor
from core_model.transforms import margin_of

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""As published, with output stride 8 and mirrored views."""

_BUDGET = 1 << 23  # values of a strip, classes times pixels


def predict_at_scales(
    predictor: Predictor,
    rgb: NDArray[np.uint8],
    head: Head,
    size: tuple[int, int],
    scales: Sequence[float] = SCALES,
    *,
    flip: bool = False,
    version: str = "",
) -> Generator[tuple[int, int], None, Prediction]:
    """Classify a picture by the mean of the softmax over its scales and, with `flip`, over their mirror images.

    rgb: (H, W, 3) uint8 at working size, which is scale 1; a scaled picture has (H - 1) s + 1 rows, and its corners on
    the picture's. size = (H, W) of the labels to give back; the mean is taken at that size. Yields (views done, of how
    many) after each view, and returns the prediction; closing it cancels. ValueError for no scale, or one that is not
    above 0; WeightsError as from `Predictor.predict`.
    """
    if not scales or not all(0 < scale < math.inf for scale in scales):
        raise ValueError(f"scales are numbers above 0, at least one, not {list(scales)}")
    if tuple(scales) == (1.0,) and not flip:
        prediction = predictor.predict(predictor.features(rgb), head, size, version)
        yield 1, 1
        return prediction
    views: list[_View] = []
    for scale in scales:
        scaled = _scaled(rgb, scale)
        for mirrored in (False, True)[: 1 + flip]:
            seen = np.ascontiguousarray(scaled[:, ::-1]) if mirrored else scaled
            views.append(_View(torch.from_numpy(predictor.logits(seen, head)), scaled.shape[:2], mirrored))
            yield len(views), len(scales) * (1 + flip)
    return _mean(views, (rgb.shape[0], rgb.shape[1]), size, version)


@dataclass(frozen=True, eq=False)
class _View:
    """What the network said of one scaled and perhaps mirrored picture."""

    logits: Tensor  # (C, h, w) at stride 4 of the padded view
    size: tuple[int, ...]  # (height, width) before it was padded
    mirrored: bool

    def softmax(self, ys: Tensor, xs: Tensor) -> Tensor:
        """Give the probabilities (C, n, m) at rows and columns that are shares, 0 … 1, of the way across a picture."""
        top, dy = self._cells(ys, 0)
        left, dx = self._cells(1 - xs if self.mirrored else xs, 1)
        first = int(top.min())
        rows = self.logits[:, first : int(top.max()) + 2]
        right = (left + 1).clamp(max=rows.shape[2] - 1)
        lines = torch.lerp(rows.index_select(2, left), rows.index_select(2, right), dx)  # (C, h', m)
        bottom = (top - first + 1).clamp(max=lines.shape[1] - 1)
        values = torch.lerp(lines.index_select(1, top - first), lines.index_select(1, bottom), dy[:, None])
        return torch.softmax(values, 0)

    def _cells(self, shares: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        place = shares * (self.size[axis] - 1) / 4
        cell = place.long()
        return cell, (place - cell).float()


def _scaled(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (int((length - 1) * scale + 1) for length in rgb.shape[:2])
    if (height, width) == rgb.shape[:2]:
        return rgb
    x = torch.from_numpy(rgb.astype(np.float32)).permute(2, 0, 1)[None]
    x = F.interpolate(x, (height, width), mode="bilinear", align_corners=True)
    return x[0].round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()


@torch.inference_mode()
def _mean(views: Sequence[_View], working: tuple[int, int], size: tuple[int, int], version: str) -> Prediction:
    """Average the views' probabilities at each pixel of `size`, and at stride 4 of `working`, in strips."""
    ys, xs = (_shares(full, length) for full, length in zip(size, working, strict=True))
    labels = np.empty(size, np.uint8)
    rows = max(1, _BUDGET // (views[0].logits.shape[0] * size[1]))
    for y in range(0, size[0], rows):
        part = slice(y, y + rows)
        labels[part] = _sum(views, ys[part], xs).numpy().argmax(0)
    ys, xs = (torch.arange(0, length, 4, dtype=torch.float64) / max(1, length - 1) for length in working)
    mean = _sum(views, ys, xs) / len(views)
    return Prediction(labels, margin_of(mean.log(), working).numpy(), version)  # softmax takes the logarithm back


def _sum(views: Sequence[_View], ys: Tensor, xs: Tensor) -> Tensor:
    total = views[0].softmax(ys, xs)  # (C, n, m)
    for view in views[1:]:
        total += view.softmax(ys, xs)
    return total


def _shares(full: int, working: int) -> Tensor:
    """Say how far across the working size each of `full` pixels lies by its centre, 0 … 1."""
    centre = (torch.arange(full, dtype=torch.float64) + 0.5) * (working / full) - 0.5
    return centre.clamp(0, working - 1) / max(1, working - 1)
