"""What a learning would learn from, counted from the masks on disk: pixels and pictures of each class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID, Classes
from app.domain.mask import HUMAN
from app.jobs.job import Job, Progress
from app.storage.catalogue import ImageRecord
from app.storage.errors import StorageError
from app.storage.project import Project

RARE_PIXELS = 1024
"""At working size: four cells of the network's coarsest map (16 x 16 pixels each). Less is next to nothing."""

RARE_PICTURES = 2
"""In fewer pictures a class is rare, where there are PICTURES or more: one shows but one kind of light and place."""

PICTURES = 5


@dataclass(frozen=True)
class ClassMaterial:
    """What there is of one class."""

    name: str
    pixels: int
    """Of the pictures as they are."""

    pictures: int
    rare: str
    """Why it may be learnt badly, in words; "" where there is enough."""


@dataclass(frozen=True)
class Material:
    """All that a learning started now would learn from."""

    reviewed: int
    """Reviewed pictures, those held out left aside."""

    corrected: int
    human_pixels: int
    """Of the corrected ones, void left aside."""

    held_out: int
    classes: tuple[ClassMaterial, ...]

    @property
    def rare(self) -> tuple[ClassMaterial, ...]:
        """The classes that may be learnt badly."""
        return tuple(one for one in self.classes if one.rare)


@dataclass(frozen=True)
class _Counted:
    signature: object
    pixels: NDArray[np.int64]
    """(256,), of each label that would be learnt."""

    scale: float
    """Pixels at working size for each pixel of the picture."""


@dataclass
class Counts:
    """What has been counted, image by image, so that only what has changed is read again. Belongs to one thread."""

    images: dict[str, _Counted] = field(default_factory=dict)


def count(project: Project, counts: Counts) -> Job[Material]:
    """Counts what is on disk; what was counted before and has not changed since is taken from `counts`.

    Can be closed at any moment: what was counted stays in `counts`. An image that cannot be read counts as empty, as
    learning leaves it out. Raises CatalogueError.
    """
    records = [*project.catalogue.images("reviewed"), *project.catalogue.images("corrected")]
    learnt = [record for record in records if record.split != "val"]
    for number, record in enumerate(learnt):
        signature = (record.status, project.settings.working_size, *_state(project, record.id))
        known = counts.images.get(record.id)
        if known is None or known.signature != signature:
            yield Progress(number, len(learnt), record.id)
            counts.images[record.id] = _Counted(signature, *_counted(project, record))
    for gone in counts.images.keys() - {record.id for record in learnt}:
        del counts.images[gone]
    of_status = {
        status: [counts.images[record.id] for record in learnt if record.status == status]
        for status in ("reviewed", "corrected")
    }
    return Material(
        reviewed=len(of_status["reviewed"]),
        corrected=len(of_status["corrected"]),
        human_pixels=int(sum(one.pixels[:VOID].sum() for one in of_status["corrected"])),
        held_out=sum(record.split == "val" and record.status == "reviewed" for record in records),
        classes=tuple(_of_classes(counts.images, project.settings.classes)),
    )


def _of_classes(images: Mapping[str, _Counted], classes: Classes) -> Iterator[ClassMaterial]:
    for label in classes:
        each = [(int(one.pixels[label.index]), one.scale) for one in images.values()]
        pictures, seen = sum(pixels > 0 for pixels, _ in each), sum(pixels * scale for pixels, scale in each)
        if not images:
            rare = ""
        elif not pictures:
            rare = "nothing yet"
        elif seen < RARE_PIXELS:
            rare = f"{round(seen):,} pixels"
        elif pictures < RARE_PICTURES and len(images) >= PICTURES:
            rare = "one picture"
        else:
            rare = ""
        yield ClassMaterial(label.name, sum(pixels for pixels, _ in each), pictures, rare)


def _counted(project: Project, record: ImageRecord) -> tuple[NDArray[np.int64], float]:
    nothing = np.zeros(256, np.int64), 1.0
    if record.width is None or record.height is None:
        return nothing
    try:
        found = project.files.read(record.id, record.width, record.height, project.settings.classes)
    except StorageError:
        return nothing
    mask = found.mask(record.height, record.width)
    labels = mask.labels if record.status == "reviewed" else mask.labels[mask.provenance == HUMAN]
    scale = min(1.0, project.settings.working_size / max(record.width, record.height)) ** 2
    return np.bincount(labels.ravel(), minlength=256), scale


def _state(project: Project, image_id: str) -> tuple[object, ...]:
    return tuple(_stamp(path) for path in (project.mask_path(image_id), project.provenance_path(image_id)))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
