"""The cells that the linear head has learnt from and learns from again: on disk, a file a picture, within a budget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from core_model.cells import Cells
from core_model.checkpoint import write_whole

_NO_CLASS = 255
_AFTER_THINNING = 0.75  # of the budget: so that not every picture that comes in rewrites all others


@dataclass(frozen=True)
class Held:
    """What the reservoir holds of one picture, without the cells themselves."""

    image_id: str
    revision: int
    classes: tuple[str | None, ...]  # the name of each label; None: a class that is no more
    count: int  # cells


class Reservoir:
    """Labelled cells by the picture's id: what comes in again replaces what there was, and can be forgotten.

    When all of it grows over `budget` bytes, the pictures with the most cells are thinned, all to the same number; the
    order of `Cells` says which go, so that rare classes stay. What another backbone saw, what other heads read and
    what is damaged is deleted when the folder is opened. One process writes at a time.
    """

    def __init__(self, folder: Path, backbone: str, reads: Sequence[str], budget: int = 128 << 20) -> None:
        self._folder, self._key, self._budget = folder, json.dumps([backbone, *reads]), budget
        self._held: dict[str, Held] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.safetensors")):
            held = self._header(path)
            if held is None:
                path.unlink(missing_ok=True)
            else:
                self._held[held.image_id] = held

    @property
    def revisions(self) -> dict[str, int]:
        """The revision that is held of each picture, by its id."""
        return {image_id: held.revision for image_id, held in self._held.items()}

    def __len__(self) -> int:
        return sum(held.count for held in self._held.values())

    def put(self, image_id: str, revision: int, cells: Cells, classes: Sequence[str]) -> None:
        """Take a picture's cells in, in place of older ones; without a cell it is forgotten.

        OSError when the disk is full; the older ones are still there, or the new ones, whole.
        """
        if not len(cells):
            self.forget(image_id)
            return
        self._write(Held(image_id, revision, tuple(classes), len(cells)), cells)
        width = 2 * cells.values.shape[1] + 1  # bytes a cell
        room = self._budget // width
        if len(self) <= room:
            return
        quota = _quota([held.count for held in self._held.values()], int(room * _AFTER_THINNING))
        for held in [held for held in self._held.values() if held.count > quota]:
            self._write(replace(held, count=quota), self._read(held)[:quota])

    def forget(self, image_id: str) -> None:
        """Drop a picture, if it is there."""
        if self._held.pop(image_id, None) is not None:
            self._path(image_id).unlink(missing_ok=True)

    def rename(self, names: Mapping[str, str | None]) -> None:
        """Call classes by their new names; two with one name are merged, None removes one. Others stay as they are."""
        for held in list(self._held.values()):
            classes = tuple(name if name is None else names.get(name, name) for name in held.classes)
            if classes != held.classes:
                self._write(replace(held, classes=classes), self._read(held))

    def cells(self, classes: Sequence[str], at_most: Mapping[str, int] | None = None) -> Cells:
        """All cells of these classes, labelled by their place in `classes`; ValueError when there is none.

        `at_most`: how many cells of which picture, those first that are kept longest; None: all.
        """
        parts = []
        for held in self._held.values():
            table = [classes.index(name) if name in classes else _NO_CLASS for name in held.classes]
            cells = self._read(held)
            if at_most is not None:
                cells = cells[: at_most.get(held.image_id, 0)]
            labels = torch.tensor(table)[cells.labels]
            known = labels != _NO_CLASS
            parts.append(Cells(cells.values[known], labels[known]))
        if not any(len(part) for part in parts):
            raise ValueError("no cell to learn from")
        return Cells(torch.cat([part.values for part in parts]), torch.cat([part.labels for part in parts]))

    def _path(self, image_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(image_id.encode()).hexdigest()[:32]}.safetensors"

    def _write(self, held: Held, cells: Cells) -> None:
        tensors = {"values": cells.values.contiguous(), "labels": cells.labels.to(torch.uint8)}
        said = {"image": held.image_id, "revision": held.revision, "classes": held.classes, "key": self._key}
        data = safetensors.torch.save(tensors, {"cells": json.dumps(said)})
        write_whole(self._path(held.image_id), data)
        self._held[held.image_id] = held

    def _read(self, held: Held) -> Cells:
        tensors = safetensors.torch.load_file(self._path(held.image_id))
        return Cells(tensors["values"], tensors["labels"].long())

    def _header(self, path: Path) -> Held | None:
        try:
            with safe_open(path, framework="pt") as file:
                said = json.loads((file.metadata() or {})["cells"])
                count = int(file.get_slice("labels").get_shape()[0])
                held = Held(said["image"], int(said["revision"]), tuple(said["classes"]), count)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            return None
        return held if said["key"] == self._key and path == self._path(held.image_id) else None


def _quota(counts: Sequence[int], room: int) -> int:
    """The largest number such that pictures cut to it fit into `room` together."""
    left, quota = room, max(counts, default=0)
    for rank, count in enumerate(sorted(counts)):
        share = left // (len(counts) - rank)
        if count > share:
            return max(1, share)
        left -= count
    return quota
