"""From pixels to the network's input and from its logits to a size: padding, scaling, resizing."""

from __future__ import annotations

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
    return F.interpolate(logits, size, mode="bilinear", align_corners=True)


def margin_of(logits: Tensor, working: tuple[int, int]) -> Tensor:
    """Give the confidence at stride 4: the margin of the two best softmax values x 255, (h, w) uint8.

    logits (C, h', w') of the padded picture; working = (H, W) of the picture before it was padded.
    """
    h, w = ((length - 1) // 4 + 1 for length in working)
    best = torch.softmax(logits[:, :h, :w].float(), 0).topk(min(2, len(logits)), dim=0).values  # (2, h, w)
    return ((best[0] - best[1:].sum(0)) * 255).round().to(torch.uint8)


def labels_of(logits: Tensor, working: tuple[int, int], size: tuple[int, int], budget: int = 1 << 26) -> Tensor:
    """Give the best class of each pixel of a picture of size (H, W), uint8, in strips of about `budget` bytes.

    logits (C, h', w') at stride 4 of the padded picture, whose upper left part is the picture at size `working`. Pixels
    of the full size lie in the working size by their centres, as an area-reduced picture has them; there the logits are
    bilinear with aligned corners, and bilinear maps on nested grids compose exactly: each pixel is interpolated once.
    Where four neighbouring cells agree on the winner no pixel between them can differ: only the others are computed.
    """
    cells = logits.float().permute(1, 2, 0).contiguous()  # (h', w', C)
    top, bottom, dy = _places(size[0], working[0], cells.shape[0], cells.device)
    left, right, dx = _places(size[1], working[1], cells.shape[1], cells.device)
    winner = cells.argmax(2).to(torch.uint8)  # (h', w')
    mixed = torch.zeros_like(winner, dtype=torch.bool)
    mixed[:, :-1] |= winner[:, :-1] != winner[:, 1:]
    mixed[:-1] |= (winner[:-1] != winner[1:]) | mixed[1:]
    labels = torch.empty(size, dtype=torch.uint8, device=cells.device)
    rows = max(1, budget // (size[1] * cells.shape[2] * 12))
    for y in range(0, size[0], rows):
        part = slice(y, y + rows)
        labels[part] = winner[top[part]][:, left]
        row, column = mixed[top[part]][:, left].nonzero(as_tuple=True)
        lines = torch.lerp(cells[top[part]], cells[bottom[part]], dy[part, None, None])  # (rows, w', C)
        pixels = torch.lerp(lines[row, left[column]], lines[row, right[column]], dx[column, None])  # (mixed pixels, C)
        labels[row + y, column] = pixels.argmax(1).to(torch.uint8)
    return labels


def _places(full: int, working: int, cells: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Say between which two cells of stride 4 each of `full` pixels lies, and how far from the first (0 … 1)."""
    centre = (torch.arange(full, device=device) + 0.5) * (working / full) - 0.5
    place = centre.clamp(0, working - 1) / 4
    first = place.floor().long().clamp(max=cells - 1)
    return first, (first + 1).clamp(max=cells - 1), place - first
