"""What the backbone saw in the pictures that live learning was shown: on disk, within a budget, outliving the child."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from core_model.checkpoint import write_whole
from core_model.dataset import IGNORE
from core_model.features import Features
from core_model.live.learner import Seen
from core_model.views import Shot, padded, view_of

_CARDS = 8192  # bytes, what a file says beside its values included


@dataclass(frozen=True)
class Entry:
    """One picture of the album, without what the backbone saw."""

    id: str
    revision: int
    held_out: bool
    number: int  # newer ones have higher ones
    classes: tuple[str | None, ...]  # the name of each index of its truth; None: a class that is no more
    pixels: tuple[int, ...]  # of each of them
    height: int
    width: int
    views: Mapping[int, tuple[int, int]] = field(default_factory=dict)  # by number, 0 = plain: the padded (H, W)

    def table(self, classes: Sequence[str]) -> NDArray[np.uint8]:
        """(256,): from the indices of its truth to those in `classes`, 255 where there is none."""
        table = np.full(256, IGNORE, np.uint8)
        for index, name in enumerate(self.classes):
            if name in classes:
                table[index] = classes.index(name)
        return table

    def counts(self, classes: Sequence[str]) -> NDArray[np.int64]:
        """(len(classes),): labelled pixels of each of these classes."""
        counts = np.zeros(256, np.int64)
        np.add.at(counts, self.table(classes)[: len(self.pixels)], self.pixels)
        return counts[: len(classes)]


def pixels_of(entries: Sequence[Entry], classes: Sequence[str]) -> NDArray[np.int64]:
    """(len(classes),): labelled pixels of each of these classes in all of these pictures."""
    return sum((entry.counts(classes) for entry in entries), np.zeros(len(classes), np.int64))


@dataclass(frozen=True, eq=False)
class Page:
    """One view of a picture; a `views.Look`."""

    size: tuple[int, int]
    path: Path
    table: NDArray[np.uint8]

    def load(self) -> Shot:
        """Read it. OSError or SafetensorError where it is damaged."""
        tensors = _read(self.path, leave="rgb")
        truth = self.table[tensors.pop("truth").numpy()]
        return tensors, truth


class Album:
    """Pictures by id, the oldest first; what comes in again replaces what there was, and can be forgotten.

    Beyond `budget` bytes, or half of the disk that is free at the start, the oldest pictures lose views first, the
    plain one last. What another backbone saw and what is damaged is deleted when the folder is opened. One process
    writes at a time.
    """

    def __init__(self, folder: Path, backbone: str, budget: int) -> None:
        self._folder, self._backbone = folder, backbone
        folder.mkdir(parents=True, exist_ok=True)
        entries = [entry for path in folder.glob("*.json") if (entry := self._header(path)) is not None]
        self.entries = {entry.id: entry for entry in sorted(entries, key=lambda entry: entry.number)}
        known = {path for entry in entries for path in (self._card(entry.id), *self._files(entry))}
        for path in folder.iterdir():
            if path not in known:
                path.unlink(missing_ok=True)
        self.used = sum(path.stat().st_size for path in known)
        self._learnable: tuple[tuple[str, ...], list[Entry]] | None = None
        self.budget = min(budget, (self.used + shutil.disk_usage(folder).free) // 2)

    def learnable(self, classes: Sequence[str]) -> list[Entry]:
        """What can be learnt from, the newest first: with a view, and a pixel of these classes."""
        if self._learnable is None or self._learnable[0] != tuple(classes):
            entries = [e for e in reversed(self.entries.values()) if e.views and not e.held_out]
            self._learnable = tuple(classes), [entry for entry in entries if entry.counts(classes).any()]
        return self._learnable[1]

    def held_out(self) -> list[Entry]:
        """What is only scored, the oldest first."""
        return [entry for entry in self.entries.values() if entry.held_out and entry.views]

    def put(self, seen: Seen, taps: Sequence[str], classes: Sequence[str], *, held_out: bool = False) -> Entry | None:
        """Take a picture in, in place of what there was of it; None where there is no room. OSError."""
        self.forget(seen.id)
        pixels = np.bincount(seen.truth.ravel(), minlength=256)[: len(classes)]
        number = 1 + max((entry.number for entry in self.entries.values()), default=0)
        height, width = seen.truth.shape
        counts = tuple(int(count) for count in pixels)
        entry = Entry(seen.id, seen.revision, held_out, number, tuple(classes), counts, height, width)
        truth = padded(seen.truth, seen.features.padded)
        rgb = None if held_out else seen.rgb
        room = seen.features.bytes + truth.size + (0 if rgb is None else rgb.size) + _CARDS
        if not self._make_room(room):
            self._note(entry)  # it is known, and need not be sent again
            return None
        return self._keep(entry, 0, seen.features, taps, truth, rgb)

    def look_again(
        self, entry: Entry, number: int, extract: Callable[[NDArray[np.uint8]], Features], seed: int
    ) -> Entry | None:
        """Add another view of a picture, if there is room without losing one. OSError, SafetensorError."""
        tensors = _read(self._path(entry.id, 0))
        truth = tensors.pop("truth").numpy()[: entry.height, : entry.width]
        rng = np.random.default_rng((seed, number, *entry.id.encode()))
        rgb, labels = view_of(tensors.pop("rgb").numpy(), truth, number, rng)
        features = extract(rgb)
        labels = padded(labels, features.padded)
        size = sum(features.taps[tap].nbytes for tap in tensors) + labels.size
        if self.used + size + _CARDS > self.budget:
            return None
        return self._keep(entry, number, features, tuple(tensors), labels, None)

    def page(self, entry: Entry, number: int, classes: Sequence[str]) -> Page:
        """A view to learn from."""
        return Page(entry.views[number], self._path(entry.id, number), entry.table(classes))

    def recall(self, entry: Entry, classes: Sequence[str]) -> tuple[Features, NDArray[np.uint8]]:
        """What the backbone saw, and the truth (H, W). OSError, SafetensorError."""
        taps, truth = self.page(entry, 0, classes).load()
        features = Features(taps, entry.height, entry.width, entry.views[0], self._backbone)
        return features, truth[: entry.height, : entry.width]

    def forget(self, image_id: str) -> None:
        """Drop a picture, if it is there."""
        entry = self.entries.pop(image_id, None)
        self._learnable = None
        if entry is not None:
            self._delete(self._card(image_id))  # first: without it the rest is nothing
            for path in self._files(entry):
                self._delete(path)

    def rename(self, names: Mapping[str, str | None]) -> None:
        """Call classes by their new names; two with one name are merged, None removes one. OSError."""
        for entry in list(self.entries.values()):
            classes = tuple(name if name is None else names.get(name, name) for name in entry.classes)
            if classes != entry.classes:
                self._note(replace(entry, classes=classes))

    def _keep(
        self,
        entry: Entry,
        number: int,
        features: Features,
        taps: Sequence[str],
        truth: NDArray[np.uint8],
        rgb: NDArray[np.uint8] | None,
    ) -> Entry:
        tensors = {tap: features.taps[tap].contiguous() for tap in taps} | {"truth": torch.from_numpy(truth)}
        if rgb is not None:
            tensors["rgb"] = torch.from_numpy(np.ascontiguousarray(rgb))
        self._write(self._path(entry.id, number), safetensors.torch.save(tensors))
        entry = replace(entry, views={**entry.views, number: features.padded})
        self._note(entry)
        return entry

    def _make_room(self, size: int) -> bool:
        """Thin the oldest pictures until `size` bytes fit; what is held out stays."""
        for least in (1, 0):  # further views first, then the plain ones
            for entry in list(self.entries.values()):
                for number in sorted(entry.views, reverse=True):
                    if self.used + size <= self.budget:
                        return True
                    if number >= least and not entry.held_out:
                        views = {n: shape for n, shape in self.entries[entry.id].views.items() if n != number}
                        self._note(replace(entry, views=views))
                        self._delete(self._path(entry.id, number))
        return self.used + size <= self.budget

    def _note(self, entry: Entry) -> None:
        said = {"key": self._backbone, **asdict(entry), "views": [[n, *size] for n, size in entry.views.items()]}
        self._write(self._card(entry.id), json.dumps(said, ensure_ascii=False).encode())
        self.entries[entry.id], self._learnable = entry, None

    def _write(self, path: Path, data: bytes) -> None:
        before = path.stat().st_size if path.is_file() else 0
        write_whole(path, data)
        self.used += len(data) - before

    def _delete(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            size = path.stat().st_size
            path.unlink()
            self.used -= size

    def _stem(self, image_id: str) -> str:
        return hashlib.sha256(image_id.encode()).hexdigest()[:32]

    def _card(self, image_id: str) -> Path:
        return self._folder / f"{self._stem(image_id)}.json"

    def _path(self, image_id: str, number: int) -> Path:
        return self._folder / f"{self._stem(image_id)}.{number}.safetensors"

    def _files(self, entry: Entry) -> Iterator[Path]:
        return (self._path(entry.id, number) for number in entry.views)

    def _header(self, path: Path) -> Entry | None:
        try:
            said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            fits = said.pop("key") == self._backbone
            views = {int(n): (int(h), int(w)) for n, h, w in said.pop("views")}
            classes, pixels = tuple(said.pop("classes")), tuple(map(int, said.pop("pixels")))
            entry = Entry(**said, classes=classes, pixels=pixels, views=views)
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            return None
        whole = path == self._card(entry.id) and all(file.is_file() for file in self._files(entry))
        return entry if fits and whole else None


def _read(path: Path, leave: str = "") -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys() if name != leave}  # noqa: SIM118
