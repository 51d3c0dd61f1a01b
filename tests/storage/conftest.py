"""Small pictures and projects that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Label, Nothing
from app.storage.project import Project

WIDTH, HEIGHT = 48, 32
NAMES = ("background", "leaf", "stem")


def picture(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A smooth picture, different in every corner."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def labels(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A mask of the three classes and some void."""
    coarse = np.random.default_rng(seed).choice(np.array([0, 1, 2, 255], np.uint8), (4, 6))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three pictures, one of them in a subfolder with a space and an umlaut."""
    folder = tmp_path / "pictures"
    (folder / "zweite Wä").mkdir(parents=True)
    for number, name in enumerate(("a1.png", "a2.jpg", "zweite Wä/b 3.png")):
        Image.fromarray(picture(number)).save(folder / name)
    return folder


@pytest.fixture
def project(pictures: Path) -> Iterator[Project]:
    """A new project of these pictures."""
    made = Project.create(pictures.parent / "project", pictures, NAMES)
    yield made
    made.close()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A VOC dataset: c0 … c5 with masks, c0 … c2 in train, c3 in val, c4 in no list, c6 in train without a mask."""
    root = tmp_path / "dataset"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for number in range(7):
        Image.fromarray(picture(number)).save(root / "JPEGImages" / f"c{number}.jpg")
        if number < 6:
            Image.fromarray(labels(number)).save(root / "SegmentationClass" / f"c{number}.png")
    (root / "ImageSets/Segmentation/train.txt").write_text("c2\nc0\nc1\nc6\nelsewhere\n")
    (root / "ImageSets/Segmentation/val.txt").write_text("c3\nc5\n")
    (root / "class_names.txt").write_text("\n".join(NAMES) + "\n")
    return root


def opened(project: Project, image_id: str) -> Document:
    """An image at work, wired to journal and saver as the program does it."""
    loaded = project.load(image_id)
    reviewed = project.catalogue.image(image_id).status == "reviewed"
    document = Document(image_id, loaded.mask, history=loaded.history, reviewed=reviewed, sequence=loaded.sequence)

    def record(entry: object) -> None:
        status = "reviewed" if document.reviewed else "corrected"
        try:
            project.journal.append(image_id, entry, status)  # type: ignore[arg-type]
        finally:
            project.saver.feed(image_id, entry)  # type: ignore[arg-type]

    document.on_entry.append(record)
    return document


def stroke(document: Document, x: int, y: int, size: int = 5, label: int | None = 1) -> None:
    """One square dab."""
    document.begin("Brush")
    document.paint(Rect(x, y, size, size), np.ones((size, size), bool), Nothing() if label is None else Label(label))
    document.commit()


@pytest.fixture
def break_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Call it with True: from then on no file can be replaced (disk full), until it is called with False."""
    import errno
    import os

    real = os.replace

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    return lambda broken: monkeypatch.setattr(os, "replace", full if broken else real)
