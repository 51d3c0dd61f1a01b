"""Views: the same picture as another day, another camera or another distance would have shown it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core_model.dataset import IGNORE


@dataclass(frozen=True)
class View:
    """One way to look at a picture. The default is the plain picture."""

    scale: float = 1.0
    flip: bool = False
    brightness: float = 0.0  # added, in shares of the full range
    contrast: float = 1.0  # about mid-grey
    saturation: float = 1.0  # about each pixel's grey
    gamma: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether the picture stays as it is."""
        return self == View()

    def geometry(self, rgb: NDArray[np.uint8], truth: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Scale and flip picture and truth; the truth by nearest, so that no class is invented."""
        height, width = max(1, round(truth.shape[0] * self.scale)), max(1, round(truth.shape[1] * self.scale))
        if (height, width) != truth.shape:
            way = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
            rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=way), np.uint8)
            truth = truth[_nearest(truth.shape[0], height)][:, _nearest(truth.shape[1], width)]
        if self.flip:
            rgb, truth = rgb[:, ::-1], truth[:, ::-1]
        return np.ascontiguousarray(rgb), np.ascontiguousarray(truth)

    def light(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Change colours only; uint8 (H, W, 3) to the same."""
        if (self.brightness, self.contrast, self.saturation, self.gamma) == (0.0, 1.0, 1.0, 1.0):
            return rgb
        value = np.power(rgb.astype(np.float32) / 255, np.float32(self.gamma))
        grey = value @ np.array([0.299, 0.587, 0.114], np.float32)
        value = grey[..., None] + (value - grey[..., None]) * np.float32(self.saturation)
        value = (value - 0.5) * np.float32(self.contrast) + np.float32(0.5 + self.brightness)
        return np.asarray(np.clip(value * 255 + 0.5, 0, 255), np.uint8)

    def of(self, rgb: NDArray[np.uint8], truth: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture uint8 (H, W, 3) and truth uint8 (H, W) as this view shows them."""
        rgb, truth = self.geometry(rgb, truth)
        return self.light(rgb), truth


def lit(rng: np.random.Generator, scale: float, flip: bool) -> View:
    """A view of this geometry in a light drawn by `rng`."""
    return View(
        scale=scale,
        flip=flip,
        brightness=rng.uniform(-0.1, 0.1),
        contrast=rng.uniform(0.8, 1.25),
        saturation=rng.uniform(0.6, 1.4),
        gamma=float(np.exp(rng.uniform(-0.25, 0.25))),
    )


def around(
    rng: np.random.Generator, truth: NDArray[np.uint8], height: int, width: int, *, evenly: bool
) -> tuple[int, int]:
    """Draw the (top, left) of a window of height x width that holds a pixel of the truth (H, W) that is not 255.

    Any such pixel is as likely as another; `evenly`: any class is, so that rare ones are met as often as common ones.
    The window stays within the truth where it can. Where all is 255, any place is as likely.
    """
    known = np.flatnonzero(truth != IGNORE)
    if evenly and known.size:
        classes = truth.ravel()[known]
        known = known[classes == rng.choice(np.unique(classes))]
    pixel = int(known[rng.integers(known.size)]) if known.size else int(rng.integers(truth.size))
    at = divmod(pixel, truth.shape[1])
    place = []
    for position, length, side in zip(at, truth.shape, (height, width), strict=True):
        first, last = max(0, position - side + 1), min(position, max(0, length - side))
        place.append(int(rng.integers(first, last + 1)))
    return place[0], place[1]


def cropped(
    rgb: NDArray[np.uint8], truth: NDArray[np.uint8], top: int, left: int, height: int, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The window of height x width pixels from (top, left); what lies outside is mid-grey, and 255 in the truth."""
    window = rgb[top : top + height, left : left + width]
    labels = truth[top : top + height, left : left + width]
    below, right = height - labels.shape[0], width - labels.shape[1]
    return (
        np.pad(window, ((0, below), (0, right), (0, 0)), constant_values=127),
        np.pad(labels, ((0, below), (0, right)), constant_values=IGNORE),
    )


def _nearest(old: int, new: int) -> NDArray[np.intp]:
    return np.minimum(((np.arange(new) + 0.5) * old / new).astype(np.intp), old - 1)
