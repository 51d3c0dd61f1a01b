"""The linear head, learnt live: on a reservoir of cells that outlives the child, in rounds of a second."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from safetensors import SafetensorError

from core_model.cells import Cells
from core_model.events import Events
from core_model.heads import LinearHead
from core_model.inherit import take_over
from core_model.linear import LinearSettings, cells_of, learn
from core_model.live.learner import Seen
from core_model.reservoir import Reservoir


@dataclass(frozen=True)
class Rounds:
    """How it goes on; the head's own numbers are in `LinearSettings`."""

    iterations: int = 10  # of L-BFGS between two looks at what has been said; a second on one core
    plateau: float = 0.01  # share of the loss that such a round must gain; less: nothing improves
    eager: float = 2.0  # the newest picture is drawn 1 + `eager` times as often as an old one
    fading: float = 0.8  # of that from each picture to the one before
    rollbacks: int = 6  # in a row, before it waits for the next correction

    def shares(self, count: int) -> list[float]:
        """How often each of `count` pictures is drawn compared with an old one, the newest first."""
        return [1 + self.eager * self.fading**age for age in range(count)]


class LiveLinear:
    """Learns the linear head; a `Learner`."""

    kind = "linear"

    def __init__(
        self,
        head: LinearHead,
        parent: str | None,
        classes: tuple[str, ...],
        reopened: Callable[[], Reservoir],
        events: Events,
        seed: int,
        settings: LinearSettings | None = None,
        rounds: Rounds | None = None,
    ) -> None:
        """`reopened`: gives the reservoir as it is on disk."""
        self.parent, self.step = parent, 0
        self.ready = False
        self.barren = False  # there are pictures, but none of them holds any of the classes
        self._head, self._classes, self._events, self._seed = head, classes, events, seed
        self._reopened, self._reservoir = reopened, reopened()
        self.order = list(self._reservoir.revisions)  # ids, the newest last
        self.changed = self.improving = bool(self.order)
        self._settings, self._rounds = settings or LinearSettings(), rounds or Rounds()
        self._failures = 0
        self._cells: Cells | None = None  # that the head has just learnt

    @property
    def revisions(self) -> dict[str, int]:
        """What the reservoir holds."""
        return self._reservoir.revisions

    def take(self, seen: Seen) -> int:
        """Keep some cells of a picture; their number. OSError when the disk is full."""
        count = min(self._settings.cells, self._settings.at_most)
        cells = cells_of(seen.features, seen.truth, self._head.reads, count, (self._seed, *seen.id.encode()))
        self._reservoir.put(seen.id, seen.revision, cells, self._classes)
        if len(cells):
            self.order = [image_id for image_id in self.order if image_id != seen.id] + [seen.id]
            self.changed = self.improving = True
        return len(cells)

    def forget(self, image_id: str) -> bool:
        """Drop a picture's cells."""
        if image_id not in self.order:
            return False
        self.order.remove(image_id)
        self._reservoir.forget(image_id)
        return True

    def start_afresh(self) -> None:
        """Begin with a head of zeros."""
        old = self._head
        self._head = LinearHead(old.variant, len(self._classes), old.output_stride, old.reads)
        self.changed = self.improving = True
        self._cells = None

    def change_classes(self, classes: tuple[str, ...], names: Mapping[str, str]) -> None:
        """Keep rows and cells by name."""
        before, old = self._head, tuple(names[name] for name in self._classes)
        self._reservoir.rename({name: now if now in classes else None for name, now in names.items()})
        self._classes = classes
        self.start_afresh()
        take_over(self._head, before, classes, old)

    def go_on(self) -> float | None:
        """Take a few steps on what there is, the newest pictures first; the loss, None where it came to nothing."""
        losses: list[float] = []
        fresh = not bool(self._head.weights[0].any())
        iterations = self._settings.iterations if fresh else self._rounds.iterations
        self.ready = False

        def told(loss: float) -> None:
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss is {loss}")
            losses.append(loss)
            self.step += 1

        try:
            cells = self._reservoir.cells(self._classes, self._quotas())
            learn(self._head, cells, self._settings, iterations, told)
        except (ValueError, OSError, SafetensorError) as error:
            self._lose(error)
        except FloatingPointError as error:
            self._roll_back(error)
        else:
            gain = 1 - min(losses) / losses[0] if losses[0] > 0 else 0.0
            self.improving, self._failures, self.barren = gain > self._rounds.plateau, 0, False
            self._cells, self.ready = cells, self.changed or self.improving
            return min(losses)
        return None

    def settled(self) -> LinearHead | None:
        """A copy of the head as it is; None before it has learnt anything here."""
        return copy.deepcopy(self._head).requires_grad_(False).eval() if self._cells is not None else None

    def published(self) -> None:
        """There is nothing new any more."""
        self.changed = False

    def learnt_from(self) -> dict[str, Any]:
        """Count it."""
        assert self._cells is not None
        counts = np.bincount(self._cells.labels.numpy(), minlength=len(self._classes))
        seen = {name: int(count) for name, count in zip(self._classes, counts, strict=True)}
        return {"images": len(self.order), "held_out": 0, "cells": len(self._cells), "cells_of_classes": seen}

    def _quotas(self) -> dict[str, int]:
        """How many cells of each picture are drawn: more of newer ones, and some of the oldest."""
        shares = self._rounds.shares(len(self.order))
        room = self._settings.at_most / sum(shares) if shares else 0.0
        return {
            image_id: max(1, min(self._settings.cells, int(room * share)))
            for image_id, share in zip(reversed(self.order), shares, strict=True)
        }

    def _lose(self, error: Exception) -> None:
        """There is nothing to learn from, or not any more: what is left on disk is what counts."""
        self.barren = isinstance(error, ValueError)
        if not self.barren:
            text = f"what was learnt from cannot be read: {' '.join(str(error).split())}"
            self._events.emit("warning", text=text)
        self._reservoir = self._reopened()
        self.order = [image_id for image_id in self.order if image_id in self._reservoir.revisions]
        self.improving = bool(self.order) and not self.barren
        self.changed = False

    def _roll_back(self, error: FloatingPointError) -> None:
        """The head is as it was; it starts again from nothing, held twice as tightly, and gives up in the end."""
        self._failures += 1
        self._settings = replace(self._settings, decay=2 * self._settings.decay)
        self.start_afresh()
        self.improving = self._failures <= self._rounds.rollbacks
        then = "learns again, more carefully" if self.improving else "waits for the next correction"
        self._events.emit("warning", text=f"learning does not settle ({error}): {then}")
