"""The linear recipe: logistic regression on a few cells of each picture, which fits in seconds on frozen features."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core_model.card import Card
from core_model.cells import Cells, drawn, labelled, values_at
from core_model.checkpoint import save_head
from core_model.dataset import Dataset
from core_model.events import Events
from core_model.features import Features
from core_model.heads import LinearHead
from core_model.job import JobError
from core_model.learner import stamped
from core_model.logistic import Logistic, Standard, one_hot
from core_model.metrics import Confusion
from core_model.predictor import Predictor
from core_model.training import scores_of


@dataclass(frozen=True)
class LinearSettings:
    """What paid on CamVid."""

    decay: float = 0.1  # on standardised values, beside a loss that is a mean over cells
    iterations: int = 30  # 60 give the same
    further_iterations: int = 20  # when a head that has learnt goes on: it starts near the end
    cells: int = 3000  # a picture, at most
    at_most: int = 20_000  # cells together, 100 MB of fp16; half as many are 0.4 % worse, and twice as fast


def cells_of(
    features: Features, labels: NDArray[np.uint8], reads: Sequence[str], count: int, seed: int | Sequence[int]
) -> Cells:
    """Draw at most `count` labelled cells of a picture, the same ones for the same seed.

    labels: (H, W) of any size, 255 = unknown.
    """
    at_cells = labelled(labels, features)
    places = drawn(at_cells, count, np.random.default_rng(seed))
    return Cells(values_at(features, reads, places).half(), torch.from_numpy(at_cells.ravel()[places].astype(np.int64)))


def learn(
    head: LinearHead,
    cells: Cells,
    settings: LinearSettings | None = None,
    iterations: int | None = None,
    told: Callable[[float], None] | None = None,
) -> None:
    """Fit a head to cells whose values are what it reads, going on from the weights that it has.

    `told` hears the loss at each look. ValueError without a cell; FloatingPointError, and the head as it was, when the
    result is no number.
    """
    settings = settings or LinearSettings()
    if not len(cells):
        raise ValueError("no cell to learn from")
    weight, bias = head.weights
    if iterations is None:
        iterations = settings.further_iterations if bool(weight.any()) else settings.iterations
    values = cells.values.to(weight.device).float()  # (n, D)
    standard = Standard.of(values)
    targets = one_hot(cells.labels.to(weight.device), head.num_classes)
    logistic = Logistic(standard.apply_(values), targets, settings.decay)
    logistic.weight, logistic.bias = standard.inward(weight, bias)
    logistic.fit(iterations, told)
    weight, bias = standard.outward(logistic.weight, logistic.bias)
    if not bool(torch.isfinite(weight).all() & torch.isfinite(bias).all()):
        raise FloatingPointError("the weights are no numbers")
    head.put(weight, bias)


@dataclass
class Linear:
    """One run of the recipe as a job asks for it: look at the pictures, fit, score. `run` does it."""

    head: LinearHead
    card: Card
    out: Path
    dataset: Dataset
    predictor: Predictor
    events: Events
    class_names: tuple[str, ...]
    seed: int
    seconds: float | None = None  # to look at pictures in, at most; the first one is seen however long
    steps: int | None = None  # of L-BFGS; None: as the settings say
    settings: LinearSettings = LinearSettings()
    clock: Callable[[], float] = time.monotonic

    def run(self) -> None:
        """Learn and publish; the last event is `done`. JobError when nothing can be learnt."""
        self.started = self.clock()
        cells = self._look()
        self._learn(cells)
        if not self.dataset.held_out:
            self._finish(None)
            return
        self._publish(partial=True)
        confusion = self._score()
        scores = scores_of(confusion, self.class_names)
        self.events.emit("scores", step=self.looks, images=len(self.dataset.held_out), **scores)
        self._finish(scores)

    def _look(self) -> Cells:
        """See every picture once, and keep a few cells of each."""
        train = self.dataset.train
        count = max(1, min(self.settings.cells, self.settings.at_most // len(train)))
        parts: list[Cells] = []
        for index, sample in enumerate(train):
            if parts and self.seconds is not None and self._elapsed * (index + 1) / index > self.seconds:
                self.events.emit("warning", text=f"the time was enough to look at {index} of {len(train)} pictures")
                break
            rgb, truth = sample.read()
            features = self.predictor.features(rgb)
            seed = (self.seed, *sample.name.encode())  # not of what other pictures there are
            parts.append(cells_of(features, truth, self.head.reads, count, seed))
            self._progress("features", (index + 1) / len(train), index + 1)
        return Cells(torch.cat([part.values for part in parts]), torch.cat([part.labels for part in parts]))

    def _learn(self, cells: Cells) -> None:
        self.looks = 0
        fresh = self.card.parent is None
        iterations = self.steps or (self.settings.iterations if fresh else self.settings.further_iterations)

        def told(loss: float) -> None:
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss is {loss}")
            self.looks += 1
            self._progress("learn", min(1.0, self.looks / iterations), self.looks, loss=loss)

        try:
            learn(self.head, cells, self.settings, iterations, told)
        except FloatingPointError as error:
            raise JobError(f"learning does not settle: {error}") from error
        self._progress("learn", 1.0, self.looks)

    def _score(self) -> Confusion:
        confusion = Confusion(self.head.num_classes)
        for index, sample in enumerate(self.dataset.held_out):
            rgb, truth = sample.read()
            shape = (truth.shape[0], truth.shape[1])
            confusion.add(truth, self.predictor.predict(self.predictor.features(rgb), self.head, shape).labels)
            self._progress("score", (index + 1) / len(self.dataset.held_out), self.looks)
        return confusion

    @property
    def _elapsed(self) -> float:
        return self.clock() - self.started

    def _progress(self, phase: str, fraction: float, step: int, **more: float) -> None:
        seconds = round(self._elapsed, 3)
        self.events.emit("progress", phase=phase, fraction=round(fraction, 4), step=step, seconds=seconds, **more)

    def _publish(self, *, partial: bool, scores: dict[str, object] | None = None) -> Path:
        path = self.out / "head.safetensors"
        save_head(path, self.head, stamped(self.card, self.looks, scores, partial))
        self.events.emit("published", path=str(path), step=self.looks)
        return path

    def _finish(self, scores: dict[str, object] | None) -> None:
        path, seconds = self._publish(partial=False, scores=scores), round(self._elapsed, 3)
        self.events.emit("done", path=str(path), step=self.looks, seconds=seconds, scores=scores, partial=False)
