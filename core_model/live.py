"""Live learning: a child that stays, takes in each picture as it is corrected, and has a new head at once.

What it learns is the linear head, on a reservoir of cells that outlives it. Nobody has to wait for it: it says what it
has, and is told what is new, between two steps.
"""

from __future__ import annotations

import copy
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from core_model.card import Card
from core_model.cells import Cells
from core_model.checkpoint import save_head
from core_model.commands import Command, Forget, Inbox, NewClasses, Pause, Resume, Rubbish, Stop, Update
from core_model.dataset import IGNORE, Sample
from core_model.events import Events
from core_model.features import Features
from core_model.heads import LinearHead
from core_model.inherit import take_over
from core_model.job import Job, JobError
from core_model.linear import LinearSettings, cells_of, learn
from core_model.metrics import Confusion
from core_model.predictor import Predictor
from core_model.reservoir import Reservoir
from core_model.training import scores_of, stamped
from core_model.variants import VARIANTS


@dataclass(frozen=True)
class LiveSettings:
    """How it goes on; the linear head's own numbers are in `LinearSettings`."""

    iterations: int = 10  # of L-BFGS between two looks at what has been said; a second on one core
    plateau: float = 0.01  # share of the loss that such a round must gain; less: nothing improves
    patience: float = 4.0  # seconds of looking at pictures, after which what is known is learnt and published
    eager: float = 2.0  # the newest picture is drawn 1 + `eager` times as often as an old one
    fading: float = 0.8  # of that from each picture to the one before
    rollbacks: int = 6  # in a row, before it waits for the next correction


@dataclass
class Live:
    """The learner of one child. `run` does it, until it is told to stop."""

    job: Job
    head: LinearHead
    card: Card
    predictor: Predictor
    reservoir: Reservoir
    events: Events
    inbox: Inbox
    settings: LiveSettings = field(default_factory=LiveSettings)
    linear: LinearSettings = field(default_factory=LinearSettings)
    clock: Callable[[], float] = time.monotonic

    def run(self) -> None:
        """Learn and publish; the last event is `done`."""
        self.started = self.published_at = self.clock()
        self.waiting: OrderedDict[str, Update] = OrderedDict()
        self.order = list(self.reservoir.revisions)  # ids, the newest last
        self.classes, self.classes_revision = self.job.classes, 0
        self.step = self.failures = 0
        self.asleep = self.stopped = False
        self.barren = False  # there are pictures, but none of them holds any of the classes
        self.changed = self.improving = bool(self.order)  # since the last publication; at the last step
        self.said: str | None = None  # why it is paused, as the parent knows it
        self.shown: LinearHead | None = None  # a copy of what was published
        while not self.stopped:
            for command in self.inbox.take(wait=self._idle()):
                self._obey(command)
            if not self.stopped and not self.asleep:
                self._go_on()
        path = self._path if self._path.is_file() else None
        seconds = round(self._elapsed, 3)
        self.events.emit("done", path=path and str(path), step=self.step, seconds=seconds, scores=None, partial=True)

    # what it is told

    def _obey(self, command: Command) -> None:
        match command:
            case Update(id=image_id):
                self.waiting[image_id] = command
                self.waiting.move_to_end(image_id)
            case Forget(id=image_id):
                self.waiting.pop(image_id, None)
                self._forget(image_id)
            case NewClasses():
                self._change_classes(command)
            case Pause():
                self.asleep = True
            case Resume():
                self.asleep, self.said = False, None
            case Stop():
                self.stopped = True
            case Rubbish(text=text):
                self.events.emit("warning", text=text)

    def _forget(self, image_id: str) -> None:
        """Not even the weights may remember it: they start afresh."""
        if image_id in self.order:
            self.order.remove(image_id)
            self.reservoir.forget(image_id)
            self._start_afresh()

    def _start_afresh(self) -> None:
        self.head = LinearHead(VARIANTS[self.job.variant], len(self.classes), self.job.output_stride)
        self.changed = self.improving = True

    def _change_classes(self, command: NewClasses) -> None:
        """Truths that nobody has looked at yet speak of the classes before: they have to be sent again."""
        self.classes_revision = command.revision
        self.waiting.clear()
        names: dict[str, str | None] = {name: command.renamed.get(name, name) for name in self.classes}
        old = tuple(str(name) for name in names.values())
        if command.classes == self.classes and not command.renamed:
            return
        self.reservoir.rename({name: now if now in command.classes else None for name, now in names.items()})
        before, self.classes = self.head, command.classes
        self._start_afresh()
        take_over(self.head, before, self.classes, old)
        self.shown = None

    # what it does between two looks at what it is told

    def _idle(self) -> bool:
        """Whether there is nothing to do but wait; says so once."""
        if self.stopped or (not self.asleep and (self.waiting or self.improving)):
            self.said = None
            return False
        why = "nothing improves" if self.order and not self.barren else "nothing to learn from"
        why = "asked" if self.asleep else why
        if why != self.said:
            self.events.emit("paused", why=why, images=len(self.order))
            self.said = why
        return True

    def _go_on(self) -> None:
        tired = self.changed and self.clock() - self.published_at > self.settings.patience
        if self.waiting and not (tired and self.order):
            _, update = self.waiting.popitem()  # the newest first
            self._look(update)
        elif self.improving:
            self._learn()

    def _look(self, update: Update) -> None:
        """See a picture, tell how well it was known before, and keep some of its cells."""
        if not self.changed:
            self.published_at = self.clock()  # from here on somebody waits
        try:
            rgb, truth = self._sample(update).read()
            if (strange := int(truth[truth != IGNORE].max(initial=0))) >= len(self.classes):
                raise JobError(
                    f"the truth of {update.id} holds class {strange}, and there are only {len(self.classes)} classes"
                )
            features = self.predictor.features(rgb)
            self._score(update, features, truth)
            count = min(self.linear.cells, self.linear.at_most)
            cells = cells_of(features, truth, self.head.reads, count, (self.job.seed, *update.id.encode()))
            self.reservoir.put(update.id, update.revision, cells, self.classes)
        except (JobError, OSError) as error:
            self.events.emit("warning", text=" ".join(str(error).split()), id=update.id, revision=update.revision)
            return
        if not len(cells):
            self._forget(update.id)
        else:
            self.order = [image_id for image_id in self.order if image_id != update.id] + [update.id]
            self.changed = self.improving = True
        left = 1 / (1 + len(self.waiting))
        self._progress("features", left, id=update.id, revision=update.revision, cells=len(cells))

    def _sample(self, update: Update) -> Sample:
        paths = [(self.job.folder / name).resolve() for name in (update.picture, update.truth)]
        if not all(path.is_relative_to(self.job.folder.resolve()) for path in paths):
            raise JobError(f"the files of {update.id} do not lie in the job's folder")
        return Sample(update.id, *paths)

    def _score(self, update: Update, features: Features, truth: NDArray[np.uint8]) -> None:
        """How well a picture is known before it is learnt: the only honest score of a learner that learns all."""
        if self.shown is None or update.id in self.order or not (truth != IGNORE).any():
            return
        confusion = Confusion(len(self.classes))
        confusion.add(truth, self.predictor.predict(features, self.shown, (truth.shape[0], truth.shape[1])).labels)
        scores = scores_of(confusion, self.classes)
        self.events.emit("scores", step=self.step, images=1, id=update.id, revision=update.revision, **scores)

    def _learn(self) -> None:
        """Take a few steps on what there is, the newest pictures first, and publish what is better."""
        losses: list[float] = []
        fresh = not bool(self.head.weights[0].any())
        iterations = self.linear.iterations if fresh else self.settings.iterations

        def told(loss: float) -> None:
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss is {loss}")
            losses.append(loss)
            self.step += 1

        try:
            cells = self.reservoir.cells(self.classes, self._quotas())
            learn(self.head, cells, self.linear, iterations, told)
        except (ValueError, OSError, SafetensorError) as error:
            self._lose(error)
        except FloatingPointError as error:
            self._roll_back(error)
        else:
            gain = 1 - min(losses) / losses[0] if losses[0] > 0 else 0.0
            self.improving, self.failures, self.barren = gain > self.settings.plateau, 0, False
            self._progress("learn", 0.5 if self.improving else 1.0, loss=min(losses))
            if self.changed or self.improving:
                self._publish(cells)

    def _quotas(self) -> dict[str, int]:
        """How many cells of each picture are drawn: more of newer ones, and some of the oldest."""
        shares = [1 + self.settings.eager * self.settings.fading**age for age in range(len(self.order))]
        room = self.linear.at_most / sum(shares) if shares else 0.0
        return {
            image_id: max(1, min(self.linear.cells, int(room * share)))
            for image_id, share in zip(reversed(self.order), shares, strict=True)
        }

    def _lose(self, error: Exception) -> None:
        """There is nothing to learn from, or not any more: what is left on disk is what counts."""
        self.barren = isinstance(error, ValueError)
        if not self.barren:
            self.events.emit("warning", text=f"what was learnt from cannot be read: {' '.join(str(error).split())}")
        self.reservoir = Reservoir(self.job.folder / "cells", self.card.backbone, self.head.reads)
        self.order = [image_id for image_id in self.order if image_id in self.reservoir.revisions]
        self.improving = bool(self.order) and not self.barren
        self.changed = False

    def _roll_back(self, error: FloatingPointError) -> None:
        """The head is as it was; it starts again from nothing, held twice as tightly, and gives up in the end."""
        self.failures += 1
        self.linear = replace(self.linear, decay=2 * self.linear.decay)
        self._start_afresh()
        self.improving = self.failures <= self.settings.rollbacks
        then = "learns again, more carefully" if self.improving else "waits for the next correction"
        self.events.emit("warning", text=f"learning does not settle ({error}): {then}")

    # what the parent hears and finds on disk

    @property
    def _elapsed(self) -> float:
        return self.clock() - self.started

    @property
    def _path(self) -> Path:
        return self.job.out / "head.safetensors"

    def _progress(self, phase: str, fraction: float, **more: object) -> None:
        seconds = round(self._elapsed, 3)
        self.events.emit("progress", phase=phase, fraction=round(fraction, 4), step=self.step, seconds=seconds, **more)

    def _publish(self, cells: Cells) -> None:
        counts = np.bincount(cells.labels.numpy(), minlength=len(self.classes))
        seen = {name: int(count) for name, count in zip(self.classes, counts, strict=True)}
        learnt_from = {"images": len(self.order), "held_out": 0, "cells": len(cells), "cells_of_classes": seen}
        card = replace(self.card, classes=self.classes, learnt_from=learnt_from)
        self.shown = copy.deepcopy(self.head).requires_grad_(False).eval()
        try:
            save_head(self._path, self.shown, stamped(card, self.step, None, partial=True))
        except OSError as error:
            self.events.emit("warning", text=f"the head could not be written: {error}")
            return
        self.changed, self.published_at = False, self.clock()
        self.events.emit(
            "published",
            path=str(self._path),
            step=self.step,
            classes_revision=self.classes_revision,
            revisions=self.reservoir.revisions,
        )
