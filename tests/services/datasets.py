"""Small datasets, models and learning children that services are tried on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.services import create_project
from app.storage.project import Project

CLASSES = ("background", "box", "disc")
WIDTH, HEIGHT = 64, 48


def scene(number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture (H, W, 3) with a box and a disc somewhere, and its truth (H, W)."""
    random = np.random.default_rng(number)
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    left, top = random.integers(2, 20, 2)
    truth[top : top + 14, left : left + 18] = 1
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    truth[(y - 34) ** 2 + (x - random.integers(40, 52)) ** 2 < 81] = 2
    colors = np.array([(70, 90, 60), (190, 60, 50), (60, 80, 200)], np.uint8)
    noise = random.integers(0, 30, (HEIGHT, WIDTH, 3), np.uint8)
    return colors[truth] + noise, truth


def write_picture(folder: Path, number: int) -> NDArray[np.uint8]:
    """Writes `folder/pNN.png`; gives its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    rgb, truth = scene(number)
    Image.fromarray(rgb).save(folder / f"p{number:02}.png")
    return truth


def write_voc(root: Path, pictures: int, masks: int, lists: dict[str, list[int]] | None = None) -> Path:
    """A VOC dataset: the first `masks` pictures have one; by default train.txt names those."""
    for number in range(pictures):
        truth = write_picture(root / "JPEGImages", number)
        if number < masks:
            (root / "SegmentationClass").mkdir(exist_ok=True)
            Image.fromarray(truth).save(root / "SegmentationClass" / f"p{number:02}.png")
    (root / "class_names.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    folder = root / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True)
    for name, numbers in (lists or {"train": list(range(masks))}).items():
        (folder / f"{name}.txt").write_text("".join(f"p{number:02}\n" for number in numbers), encoding="utf-8")
    return root


def new_project(root: Path, pictures: int = 3) -> Project:
    """A project over plain pictures, without masks."""
    for number in range(pictures):
        write_picture(root.parent / f"{root.name} pictures", number)
    return create_project(root, root.parent / f"{root.name} pictures", CLASSES)
