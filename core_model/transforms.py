"""From pixels to the network's input and from its logits to a size: padding, scaling, resizing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def padded_length(length: int) -> int:
    """Give the smallest 16 k + 1 that holds `length` pixels: there corners lie on corners at every stride."""
    return -(-(length - 1) // 16) * 16 + 1


def to_input(rgb: NDArray[np.uint8], height: int | None = None, width: int | None = None) -> Tensor:
    """Scale a picture to [-1, 1] and pad it right and below with mid-grey to (height, width).

    rgb (H, W, 3) uint8 → (1, 3, height, width) float32; by default to 16 k + 1. x * 2/255 - 1, so mid-grey is 0.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ValueError(f"a picture is (H, W, 3) uint8 with at least one pixel, not {rgb.shape} {rgb.dtype}")
    h, w = rgb.shape[:2]
    x = torch.zeros(1, 3, height or padded_length(h), width or padded_length(w))
    pixels = torch.from_numpy(np.array(rgb.transpose(2, 0, 1), dtype=np.float32))  # (3, H, W)
    x[0, :, :h, :w] = pixels.mul_(2 / 255).sub_(1)
    return x


def upsample(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring (N, C, h, w) to (N, C, H, W), bilinear with aligned corners as everywhere in DeepLab; size = (H, W)."""
    if logits.shape[-2:] == size:
        return logits
    if logits.requires_grad and torch.is_grad_enabled():
        return _resized(logits, size)
    return F.interpolate(logits, size, mode="bilinear", align_corners=True)


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Do the same as two products with small matrices, (N, C, H, W) channels last.

    Forward and backward take a tenth of the time of torch's own on a CPU, stay in autocast's half precision, and give
    the same sums at every run on a GPU, where torch's own backward does not.
    """
    count, channels, height, width = x.shape
    rows = _bilinear(height, size[0], x.device)  # (H, h)
    columns = _bilinear(width, size[1], x.device)  # (W, w)
    wide = torch.matmul(columns, x.permute(0, 2, 3, 1))  # (N, h, W, C)
    full = torch.matmul(rows, wide.reshape(count, height, size[1] * channels))  # (N, H, W * C)
    return full.view(count, *size, channels).permute(0, 3, 1, 2)


def _bilinear(old: int, new: int, device: torch.device) -> Tensor:
    """Give the shares (new, old) that `old` points on a line have in each of `new`; the first and last points agree."""
    at = torch.arange(new, dtype=torch.float64, device=device) * ((old - 1) / max(1, new - 1))
    away = (at[:, None] - torch.arange(old, device=device)).abs()
    return (1 - away).clamp(min=0).float()


def margin_of(logits: Tensor, working: tuple[int, int]) -> Tensor:
    """Give the confidence at stride 4: the margin of the two best softmax values x 255, (h, w) uint8.

    logits (C, h', w') of the padded picture; working = (H, W) of the picture before it was padded.
    """
    h, w = ((length - 1) // 4 + 1 for length in working)
    best = torch.softmax(logits[:, :h, :w].float(), 0).topk(min(2, len(logits)), dim=0).values  # (2, h, w)
    return ((best[0] - best[1:].sum(0)) * 255).round().to(torch.uint8)


def labels_of(logits: Tensor, working: tuple[int, int], size: tuple[int, int], budget: int = 1 << 16) -> Tensor:
    """Give the best class of each pixel of a picture of size (H, W), uint8 on the CPU; of equals the first.

    logits (C, h', w') at stride 4 of the padded picture, whose upper left part is the picture at size `working`. Pixels
    of the full size lie in the working size by their centres, as an area-reduced picture has them; there the logits are
    bilinear with aligned corners, and bilinear maps on nested grids compose exactly: each pixel is interpolated once.
    Only classes that can win are computed, in squares of about `budget` pixels, which stay in a core's cache: where
    four neighbouring cells agree on the winner no other class wins between them, and elsewhere none that is lower at
    all four than another one anywhere.
    """
    cells = logits.float().cpu().numpy()
    top, dy = _places(size[0], working[0], cells.shape[1])
    left, dx = _places(size[1], working[1], cells.shape[2])
    cells = np.pad(cells, ((0, 0), (0, 1), (0, 1)), mode="edge")  # (C, h'+1, w'+1): each cell has a next one
    possible = _possible(cells)
    labels = np.empty(size, np.uint8)
    side = max(1, math.isqrt(budget))
    for y in range(0, size[0], side):
        rows, at_rows = _between(top[y : y + side])
        for x in range(0, size[1], side):
            columns, at_columns = _between(left[x : x + side])
            part = labels[y : y + side, x : x + side]
            classes = np.flatnonzero(possible[:, rows, columns].any((1, 2)))
            part[:] = classes[0]
            if len(classes) > 1:
                near = cells[classes, rows.start : rows.stop + 1, columns.start : columns.stop + 1]
                _compete(part, classes, near, at_rows, at_columns, dy[y : y + side, None], dx[x : x + side])
    return torch.from_numpy(labels)


def _compete(
    labels: NDArray[np.uint8],
    classes: NDArray[np.intp],
    cells: NDArray[np.float32],
    top: NDArray[np.intp],
    left: NDArray[np.intp],
    dy: NDArray[np.float32],
    dx: NDArray[np.float32],
) -> None:
    """Write the best of `classes` (k,) into labels (H, W), which hold the first; cells (k, h, w) are their logits."""
    best: NDArray[np.float32] | None = None
    for label, cell in zip(classes.astype(np.uint8), cells, strict=True):
        near, far = np.take(cell, left, 1), np.take(cell, left + 1, 1)  # (h, W)
        lines = near + (far - near) * dx
        value = np.take(lines[1:] - lines[:-1], top, 0)  # (H, W)
        value *= dy
        value += np.take(lines, top, 0)
        if best is None:
            best = value
            continue
        better = value > best
        np.maximum(best, value, out=best)
        np.maximum(labels, better.view(np.uint8) * label, out=labels)  # a later class is a larger number


def _possible(cells: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which classes can win somewhere between each cell and its next ones: (C, h+1, w+1) → (C, h, w)."""
    winner = cells.argmax(0)
    mixed = _of_four(np.minimum, winner) != _of_four(np.maximum, winner)
    least, most = _of_four(np.minimum, cells), _of_four(np.maximum, cells)
    own = winner[:-1, :-1] == np.arange(len(cells))[:, None, None]
    return ((most >= least.max(0)) & mixed) | own  # type: ignore[no-any-return]


def _of_four(choose: np.ufunc, cells: NDArray[Any]) -> NDArray[Any]:
    """Give the least or the most of each cell and its next ones: (…, h+1, w+1) → (…, h, w)."""
    rows = choose(cells[..., :-1, :], cells[..., 1:, :])
    return choose(rows[..., :-1], rows[..., 1:])  # type: ignore[no-any-return]


def _places(full: int, working: int, cells: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Say between which cell of stride 4 and its next each of `full` pixels lies, and how far from the first, 0 … 1."""
    centre = (np.arange(full) + 0.5) * (working / full) - 0.5
    place = np.clip(centre, 0, working - 1) / 4
    first = np.minimum(place.astype(np.intp), cells - 1)
    return first, (place - first).astype(np.float32)


def _between(first: NDArray[np.intp]) -> tuple[slice, NDArray[np.intp]]:
    """Give the cells that some pixels lie behind, and each pixel's place among them."""
    cells = slice(int(first[0]), int(first[-1]) + 1)
    return cells, first - cells.start
