"""CamVid, as the benchmarks use it: its pictures, draws of few of them, and the pictures to be judged by.

Its 11 classes at 480 x 360; research data, beside the checkout and not part of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CAMVID = Path(__file__).resolve().parents[3] / "shared" / "data" / "camvid"
CLASSES = tuple((CAMVID / "class_names.txt").read_text().split()) if CAMVID.exists() else ()
DRAWS = {1: 5, 5: 5, 20: 3, 60: 1}

Mask = NDArray[np.uint8]


def names(split: str) -> list[str]:
    """The ids of one of CamVid's lists."""
    return (CAMVID / "ImageSets" / "Segmentation" / f"{split}.txt").read_text().split()


def picture(name: str) -> Mask:
    """RGB (360, 480, 3)."""
    return np.asarray(Image.open(CAMVID / "JPEGImages" / f"{name}.jpg").convert("RGB"))


def truth(name: str) -> Mask:
    """Class indices (360, 480), 255 = unlabelled."""
    return np.asarray(Image.open(CAMVID / "SegmentationClass" / f"{name}.png"))


def draw(pool: Sequence[str], count: int, number: int) -> list[str]:
    """The ids of a draw, by the rule that `learning` gives."""
    return sorted(random.Random(f"{count} {number}").sample(sorted(pool), count))


@dataclass(frozen=True)
class Test:
    """Pictures to learn from and pictures to be judged by."""

    title: str
    pool: tuple[str, ...]
    judged: tuple[str, ...]


def both_tests() -> tuple[Test, Test]:
    """The validation pictures, and another drive."""
    train, val = names("train"), names("val")
    other = [name for name in train if name.startswith("0006R0")]
    rest = [name for name in train if not name.startswith("0006R0")]
    return Test("validation", tuple(train), tuple(val)), Test("across drives", tuple(rest), tuple(other))
