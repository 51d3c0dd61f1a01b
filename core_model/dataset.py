"""Pictures and truths of a job, read from its folder and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core_model.job import Job, JobError

IGNORE = 255


@dataclass(frozen=True)
class Sample:
    """One picture with its truth, on disk."""

    name: str
    picture: Path
    truth: Path

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """RGB (H, W, 3) and class indices (H, W), 255 = ignore; JobError when unreadable or of different sizes."""
        rgb = cv2.cvtColor(_decode(self.picture, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        truth = _decode(self.truth, cv2.IMREAD_UNCHANGED)
        if truth.ndim != 2:
            raise JobError(f"the truth of {self.name} is not an 8-bit grey PNG")
        if truth.shape != rgb.shape[:2]:
            sizes = f"{rgb.shape[1]} x {rgb.shape[0]} and {truth.shape[1]} x {truth.shape[0]}"
            raise JobError(f"picture and truth of {self.name} differ in size: {sizes}")
        return np.asarray(rgb, np.uint8), truth


@dataclass(frozen=True)
class Dataset:
    """What there is to learn from and to score on; samples without a single labelled pixel are left out."""

    train: tuple[Sample, ...]
    held_out: tuple[Sample, ...]
    pixels: NDArray[np.int64]  # (classes,): labelled pixels of each class in `train`

    @classmethod
    def of(cls, job: Job) -> Dataset:
        """Read every truth of the job once; JobError when there is nothing to learn, or a truth is wrong."""
        train, pixels = _labelled(job, "train.txt")
        held_out, _ = _labelled(job, "val.txt")
        if not train:
            names = _names(job.folder / "train.txt")
            raise JobError("no labelled pixel in any picture to learn from" if names else "no pictures to learn from")
        return cls(train, held_out, pixels)


def _labelled(job: Job, list_name: str) -> tuple[tuple[Sample, ...], NDArray[np.int64]]:
    samples = []
    total = np.zeros(len(job.classes), np.int64)
    for name in _names(job.folder / list_name):
        sample = Sample(name, job.folder / "pictures" / f"{name}.png", job.folder / "truth" / f"{name}.png")
        pixels = _census(sample, len(job.classes))
        if pixels.any():
            samples.append(sample)
            total += pixels
    return tuple(samples), total


def _names(path: Path) -> Sequence[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return ()


def _census(sample: Sample, classes: int) -> NDArray[np.int64]:
    _, truth = sample.read()
    counts = np.bincount(truth.ravel(), minlength=256)[:IGNORE]
    strange = np.flatnonzero(counts[classes:]) + classes
    if strange.size:
        raise JobError(f"the truth of {sample.name} holds class {strange[0]}, and there are only {classes} classes")
    return counts[:classes].astype(np.int64)


def _decode(path: Path, flags: int) -> NDArray[np.uint8]:
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), flags)  # not imread: paths may hold any character
    except (OSError, cv2.error) as error:
        raise JobError(f"{path} cannot be read: {error}") from error
    if pixels is None:
        raise JobError(f"{path} is not a picture, or is damaged")
    if pixels.dtype != np.uint8:
        raise JobError(f"{path} does not have 8 bits a value")
    return np.asarray(pixels, np.uint8)
