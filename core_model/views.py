"""Features of a few views of every picture, computed once and kept on disk, so that a frozen backbone runs no more."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.augment import cropped, lit
from core_model.dataset import IGNORE, Dataset, Sample
from core_model.events import Events
from core_model.features import Features

Extract = Callable[[NDArray[np.uint8]], Features]
Shot = tuple[dict[str, Tensor], NDArray[np.uint8]]
"""Taps, each (C, h, w) fp16, and the truth (H, W) of the padded picture, 255 = ignore."""

# (scale, flip) of the views after the plain one; what scaling enlarges is cut to the picture's size at a drawn place
_GEOMETRY = ((1.0, True), (0.75, False), (1.25, True), (1.0, False), (0.75, True), (1.25, False), (1.5, True))


@dataclass(frozen=True)
class Kept:
    """What the backbone saw, on disk: arrays that are mapped into memory when asked for."""

    size: tuple[int, int]  # (H, W) padded: only equal ones can be learnt together
    taps: dict[str, Path]
    truth: Path

    def load(self) -> Shot:
        """Read it; the system keeps in memory what fits."""
        taps = {name: torch.from_numpy(np.array(np.load(path, mmap_mode="r"))) for name, path in self.taps.items()}
        return taps, np.load(self.truth)


@dataclass(frozen=True)
class Fresh:
    """A plain picture that found no room on disk: the backbone looks at it each time."""

    size: tuple[int, int]
    sample: Sample
    extract: Extract
    taps: tuple[str, ...] | None = None  # None: all

    def load(self) -> Shot:
        """Compute it."""
        rgb, truth = self.sample.read()
        features = self.extract(rgb)
        return {name: features.taps[name] for name in self.taps or features.taps}, padded(truth, features.padded)


class Look(Protocol):
    """One view of a picture to learn from."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) padded: only equal ones can be learnt together."""
        ...

    def load(self) -> Shot:
        """Give what the backbone saw, and the truth."""
        ...


@dataclass
class Gallery:
    """Lets the backbone look at views of pictures, and keeps the features in `folder` within `budget` bytes.

    `learnt`: the taps to keep of pictures to learn from (None: all). `seen` is told of each of them as it is, once,
    with all taps.
    """

    extract: Extract
    folder: Path
    budget: int
    seed: int
    learnt: tuple[str, ...] | None = None
    seen: Callable[[Sample, Features, NDArray[np.uint8]], None] | None = None
    used: int = 0

    def look(
        self, dataset: Dataset, views: int, seconds: float | None, events: Events
    ) -> tuple[list[Look], list[Look]]:
        """Look at the pictures to learn from in 1 to `views` views, and at held-out ones plainly.

        Fewer views when room ends, or when one more would end after `seconds` (None: no clock has a say).
        """
        start, total, seen = time.monotonic(), len(dataset.held_out) + views * len(dataset.train), 0

        def shown(samples: Sequence[Sample], number: int) -> Iterator[Look]:
            nonlocal seen
            for index, sample in enumerate(samples):
                yield self._look(sample, number, index, learnt=samples is dataset.train)
                seen += 1
                spent = round(time.monotonic() - start, 3)
                events.emit("progress", phase="features", fraction=round(seen / total, 4), step=seen, seconds=spent)

        held_out = list(shown(dataset.held_out, 0))
        before = self.used
        train = list(shown(dataset.train, 0))
        if not all(isinstance(look, Kept) for look in train):
            events.emit("warning", text="not all features fit on disk: some are computed again each time, slowly")
            return train, held_out
        a_round = self.used - before
        for number in range(1, views):
            spent = time.monotonic() - start
            if seconds is not None and spent * (seen + len(dataset.train)) / seen > seconds:
                break
            if self.used + a_round > self.budget:
                text = f"the features have room on disk for {number} of {views} views of each picture"
                events.emit("warning", text=text)
                break
            train += [look for look in shown(dataset.train, number) if isinstance(look, Kept)]
        return train, held_out

    def clear(self) -> None:
        """Delete what was kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _look(self, sample: Sample, number: int, index: int, *, learnt: bool) -> Look:
        rgb, truth = view_of(*sample.read(), number, np.random.default_rng((self.seed, number, index)))
        features = self.extract(rgb)
        if learnt and number == 0 and self.seen is not None:
            self.seen(sample, features, truth)
        truth = padded(truth, features.padded)
        if learnt and self.learnt is not None:
            features = replace(features, taps={name: features.taps[name] for name in self.learnt})
        fresh = Fresh(features.padded, sample, self.extract, self.learnt if learnt else None)
        if self.used + features.bytes + truth.size > self.budget:
            return fresh
        try:
            kept = _kept(self.folder / f"{sample.name}.{number}", features, truth)
        except OSError:  # the disk is full: as if the budget were
            self.budget = self.used
            return fresh
        self.used += features.bytes + truth.size
        return kept


def _kept(stem: Path, features: Features, truth: NDArray[np.uint8]) -> Kept:
    stem.parent.mkdir(parents=True, exist_ok=True)
    taps = {tap: stem.with_name(f"{stem.name}.{tap}.npy") for tap in features.taps}
    kept = Kept(features.padded, taps, stem.with_name(f"{stem.name}.npy"))
    try:
        for tap, path in kept.taps.items():
            np.save(path, features.taps[tap].numpy())
        np.save(kept.truth, truth)
    except OSError:
        for path in (*kept.taps.values(), kept.truth):
            path.unlink(missing_ok=True)
        raise
    return kept


def view_of(
    rgb: NDArray[np.uint8], truth: NDArray[np.uint8], number: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Show a picture and its truth in view `number`, in a light and at a place drawn by `rng`; 0 is the plain one."""
    if number == 0:
        return rgb, truth
    scale, flip = _GEOMETRY[(number - 1) % len(_GEOMETRY)]
    height, width = truth.shape
    rgb, truth = lit(rng, scale, flip).of(rgb, truth)
    if scale <= 1:
        return rgb, truth
    top, left = (int(rng.integers(0, new - old + 1)) for new, old in zip(truth.shape, (height, width), strict=True))
    return cropped(rgb, truth, top, left, height, width)


def padded(truth: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a truth to the size of the padded picture; nobody has spoken for what is added."""
    below, right = size[0] - truth.shape[0], size[1] - truth.shape[1]
    return np.pad(truth, ((0, below), (0, right)), constant_values=IGNORE)
