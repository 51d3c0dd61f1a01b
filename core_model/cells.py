"""Cells: the places of stride 4 that somebody has labelled, and what the backbone saw there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.dataset import IGNORE
from core_model.features import Features
from core_model.reading import Reading

_SPARSE = 1 << 20  # labelled pixels: fewer are looked at one by one, so that no thin stroke is missed
_SURE = 4  # cells of each class that are drawn before all others; 16 of few hundred cost 3 % of the pixels


@dataclass(frozen=True, eq=False)
class Cells:
    """Labelled cells of one or more pictures, those first that are kept longest when there must be fewer."""

    values: Tensor  # (n, D) fp16: what the head reads, side by side
    labels: Tensor  # (n,) int64

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> Cells:
        return Cells(self.values[part], self.labels[part])


def grid(features: Features) -> tuple[int, int]:
    """Count the cells of stride 4 of a padded picture: (rows, columns). Cell (i, j) sits on pixel (4 i, 4 j)."""
    return (features.padded[0] - 1) // 4 + 1, (features.padded[1] - 1) // 4 + 1


def labelled(labels: NDArray[np.uint8], features: Features) -> NDArray[np.uint8]:
    """Give each cell the label of the labelled pixel next to it, at most two pixels away; `grid`, 255 = none.

    labels: (H, W) of the picture in any size, 255 = unknown. No labelled pixel is without a cell.
    """
    rows, columns = grid(features)
    around = np.full((4 * rows + 2, 4 * columns + 2), IGNORE, np.uint8)
    around[2 : features.height + 2, 2 : features.width + 2] = _shrunk(labels, (features.height, features.width))
    cells = np.full((rows, columns), IGNORE, np.uint8)
    steps = sorted(((dy, dx) for dy in range(-2, 2) for dx in range(-2, 2)), key=lambda at: -(at[0] ** 2 + at[1] ** 2))
    for dy, dx in steps:  # nearer ones last
        near = around[2 + dy : 2 + dy + 4 * rows : 4, 2 + dx : 2 + dx + 4 * columns : 4]
        np.copyto(cells, near, where=near != IGNORE)
    return cells


def purity(cells: NDArray[np.uint8], labels: NDArray[np.uint8], features: Features) -> NDArray[np.float32]:
    """Say how much of what lies around each cell has the cell's label: `grid`, a share of 16 pixels; 0 where it is 255.

    cells: what `labelled` says of `labels`. Pixels beyond the edge of the picture are as those on it.
    """
    rows, columns = grid(features)
    small = _shrunk(labels, (features.height, features.width))
    around = np.pad(small, ((2, 4 * rows - features.height), (2, 4 * columns - features.width)), mode="edge")
    same = np.zeros((rows, columns), np.float32)
    for dy in range(4):
        for dx in range(4):
            same += around[dy : dy + 4 * rows : 4, dx : dx + 4 * columns : 4] == cells
    same[cells == IGNORE] = 0
    same /= 16
    return same


def _shrunk(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a mask to a size without losing a stroke that is thinner than the new pixels."""
    if labels.shape == size:
        return labels
    y, x = (((np.arange(new) + 0.5) * old / new).astype(np.intp) for old, new in zip(labels.shape, size, strict=True))
    small: NDArray[np.uint8] = labels[y][:, x]
    known = labels != IGNORE
    if np.count_nonzero(known) < _SPARSE:
        ys, xs = np.nonzero(known)
        places = ys * size[0] // labels.shape[0], xs * size[1] // labels.shape[1]
        thin = small[places] == IGNORE
        small[places[0][thin], places[1][thin]] = labels[ys[thin], xs[thin]]
    return small


def drawn(labels: NDArray[np.uint8], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw at most `count` of the known labels (flat indices), each with a chance of one over the root of its class's
    frequency, in an order of which every beginning is such a draw; some of each class come first.

    Weighted sampling without replacement by exponential keys (Efraimidis and Spirakis 2006).
    """
    flat = labels.ravel()
    known = np.flatnonzero(flat != IGNORE)
    classes = flat[known]
    frequency = np.bincount(classes, minlength=IGNORE)
    keys = rng.exponential(size=known.size) * np.sqrt(frequency[classes])
    order = np.argsort(keys, kind="stable")
    rank = np.empty(known.size, np.intp)  # among the cells of its own class
    for label in np.flatnonzero(frequency):
        own = order[classes[order] == label]
        rank[own] = np.arange(own.size)
    order = order[np.argsort(rank[order] >= _SURE, kind="stable")]
    return known.take(order[:count])


def values_at(features: Features, reads: Sequence[str], cells: NDArray[np.intp]) -> Tensor:
    """What the backbone saw at cells (flat indices into `grid`): (n, D) float32, as `upsample` to stride 4 says."""
    rows, columns = np.divmod(cells, grid(features)[1])
    parts = []
    for reading in map(Reading.of, reads):
        tap = features.taps[reading.tap]
        seen = tap if reading.window == 1 else reading.see(tap.float()[None])[0]
        parts.append(_at(seen, rows, columns, *grid(features)))
    return torch.cat(parts, 1)


def _at(tap: Tensor, rows: NDArray[np.intp], columns: NDArray[np.intp], height: int, width: int) -> Tensor:
    """Read a tap (C, h, w) at cells of a grid of height x width, bilinear with aligned corners."""
    channels, h, w = tap.shape
    points = tap.permute(1, 2, 0).reshape(h * w, channels)  # no copy where the engine computed channels last
    top, bottom, down = _between(rows, height, h)
    left, right, along = _between(columns, width, w)
    if (h, w) == (height, width):
        return points[top * w + left].float()
    upper = torch.lerp(points[top * w + left].float(), points[top * w + right].float(), along)
    lower = torch.lerp(points[bottom * w + left].float(), points[bottom * w + right].float(), along)
    return torch.lerp(upper, lower, down)


def _between(places: NDArray[np.intp], fine: int, coarse: int) -> tuple[Tensor, Tensor, Tensor]:
    """Say between which two of `coarse` points each of `fine` lies, and how far from the first: (n, 1) in 0 … 1."""
    at = torch.from_numpy(places).double() * ((coarse - 1) / max(1, fine - 1))
    first = at.long()
    return first, (first + 1).clamp(max=coarse - 1), (at - first).float()[:, None]
