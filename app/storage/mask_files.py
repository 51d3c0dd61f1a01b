"""The two PNGs of every image: labels for everybody, provenance for Atrous."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID, Classes
from app.domain.mask import EMPTY, HUMAN, Mask
from app.storage import atomic, planes
from app.storage.errors import MaskProblem, UnreadableMask

Plane = NDArray[np.uint8]

VOC_PALETTE = Classes().palette()
"""Of every mask on disk, whatever colours the window shows: other programs know the classes by these."""


@dataclass(frozen=True)
class Found:
    """What lies on disk of one image's mask, as it is."""

    labels: Plane | None
    """None: there is no file."""

    labels_sequence: int
    """Journal entry that the file holds; 0: none, or another program wrote it."""

    provenance: Plane | None
    """None: there is no usable file."""

    provenance_sequence: int

    def mask(self, height: int, width: int) -> Mask:
        """Both planes as far as they are there; labels without provenance are a person's, and their 255 is void."""
        labels = np.full((height, width), VOID, np.uint8) if self.labels is None else self.labels
        origin = EMPTY if self.labels is None else HUMAN
        provenance = np.full((height, width), origin, np.uint8) if self.provenance is None else self.provenance
        return Mask(labels, provenance)


class MaskFiles:
    """`SegmentationClass/<id>.png` and `.atrous/provenance/<id>.png`."""

    def __init__(self, labels: Path, provenance: Path, aside: Path) -> None:
        self._labels, self._provenance, self._aside = labels, provenance, aside
        self._known: dict[Path, tuple[int, int, int]] = {}

    def labels_path(self, image_id: str) -> Path:
        """The VOC mask."""
        return self._labels / f"{image_id}.png"

    def provenance_path(self, image_id: str) -> Path:
        """Who said what, 8-bit grey: 0 empty, 1 model, 2 human."""
        return self._provenance / f"{image_id}.png"

    def read(self, image_id: str, width: int, height: int, classes: Classes) -> Found:
        """Both files, checked against their picture and the project's classes.

        A provenance file that is damaged, of another size or with other values counts as absent: it is Atrous's own
        and can be done without. Raises UnreadableMask and MaskProblem for the labels; the file stays as it is.
        """
        labels, labels_sequence = None, 0
        path = self.labels_path(image_id)
        if path.exists():
            labels, number = planes.read(path)
            labels_sequence = number or 0
            if labels.shape != (height, width):
                raise MaskProblem(
                    f"{path}: the mask is {labels.shape[1]} x {labels.shape[0]} pixels, "
                    f"its picture {width} x {height}; the file is left untouched"
                )
            check_classes(path, labels, classes)
        provenance, provenance_sequence = None, 0
        if self.provenance_path(image_id).exists():
            try:
                provenance, number = planes.read(self.provenance_path(image_id))
                provenance_sequence = number or 0
            except UnreadableMask:
                provenance = None
            if provenance is not None and (provenance.shape != (height, width) or int(provenance.max()) > HUMAN):
                provenance, provenance_sequence = None, 0
        return Found(labels, labels_sequence, provenance, provenance_sequence)

    def write(self, image_id: str, mask: Mask, sequence: int) -> None:
        """Both planes, each atomically. Raises OSError.

        Provenance first: while it is newer than the labels, what the labels were before is known (the file that is
        there, or empty); the other way round it would not be.
        """
        for path, plane, colors in (
            (self.provenance_path(image_id), mask.provenance, None),
            (self.labels_path(image_id), mask.labels, VOC_PALETTE),
        ):
            planes.write(path, plane, colors, sequence)
            self._known[path] = _signature(path)

    def foreign(self, image_id: str) -> bool:
        """Whether another program has changed the labels since this one wrote them or set them aside."""
        path = self.labels_path(image_id)
        known = self._known.get(path)
        return known is not None and path.exists() and _signature(path) != known

    def set_aside(self, image_id: str) -> list[Path]:
        """Copy what is there to `.atrous/set_aside/<id>.png.set-aside-N`; the copies. Raises OSError."""
        copies = []
        for path, kind in ((self.labels_path(image_id), ""), (self.provenance_path(image_id), ".provenance")):
            if path.exists():
                number = 1
                while (copy := self._aside / f"{image_id}{kind}.png.set-aside-{number}").exists():
                    number += 1
                atomic.write(copy, path.read_bytes())
                self._known[path] = _signature(path)
                copies.append(copy)
        return copies

    def drop_provenance_of_others(self, image_id: str, sequence: int) -> None:
        """Remove a provenance file that is not of the labels with this number (set it aside before). Raises OSError."""
        path = self.provenance_path(image_id)
        try:
            of_others = path.exists() and (planes.read(path)[1] or 0) != sequence
        except UnreadableMask:
            of_others = True
        if of_others:
            path.unlink()

    def existing(self) -> set[str]:
        """Ids of all labels files on disk."""
        found = set()
        for parent, folders, files in os.walk(self._labels):
            folders[:] = [name for name in folders if not name.startswith(".")]
            prefix = "" if parent == str(self._labels) else Path(parent).relative_to(self._labels).as_posix() + "/"
            found |= {prefix + name[:-4] for name in files if name.endswith(".png") and not name.startswith(".")}
        return found


def check_classes(path: Path, labels: Plane, classes: Classes) -> None:
    """Raise MaskProblem where labels (H, W) hold an index that is neither a class nor 255."""
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
    known = {VOID, *(label.index for label in classes)}
    unknown = [index for index in np.flatnonzero(counts).tolist() if index not in known]
    if unknown:
        many = f"{unknown[0]}" if len(unknown) == 1 else f"{unknown[0]} and {len(unknown) - 1} more"
        raise MaskProblem(
            f"{path}: the mask holds class {many}, which this project does not have; "
            "add the class, or correct the mask; the file is left untouched"
        )


def _signature(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
