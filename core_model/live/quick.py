"""The quick head, learnt live: open-ended, a step a slice, on an album of features that outlives the child."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from core_model.card import Card, WeightsError
from core_model.events import Events
from core_model.heads import VotingHead
from core_model.inherit import take_over
from core_model.live.album import Album, Entry, pixels_of
from core_model.live.descent import Descent
from core_model.live.draw import draw
from core_model.live.learner import Seen
from core_model.live.linear import LiveLinear
from core_model.live.pace import Pace
from core_model.live.state import State
from core_model.predictor import Predictor
from core_model.quick import Quick, QuickSettings

UNREADABLE = (OSError, SafetensorError, KeyError)


class LiveQuick:
    """Learns ASPP and decoder; a `Learner`.

    What predicts is the mean of their last weights, and the live linear head votes with them: so a new picture tells as
    soon as that one has learnt it.
    """

    kind = "quick"

    def __init__(
        self,
        head: VotingHead,
        linear: LiveLinear,
        card: Card,
        album: Album,
        predictor: Predictor,
        path: Path,
        events: Events,
        seed: int,
        device: torch.device,
        pace: Pace | None = None,
        settings: QuickSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """card: what is known of its heads, which have its classes. path: where its state is kept."""
        self.parent, self.album, self.step = card.parent, album, 0
        self.held: dict[str, int] = {}  # the revision of each picture that ASPP and decoder know
        self._card, self._classes, self._path, self._events = card, card.classes, path, events
        self._predictor, self._device, self._seed = predictor, device, seed
        self._linear = linear
        self._pace, self._settings, self._clock = pace or Pace(), settings or QuickSettings(), clock
        self._rng = np.random.default_rng(seed)
        self._fresh: dict[str, int] = {}  # pictures that no published head holds, the newest last → steps with it
        self._since = 0.0  # when somebody began to wait for them
        self._begin(head)
        self.seated_before = self._resume()  # whether its head predicted, when the child ended

    def _begin(self, head: VotingHead) -> None:
        """A new descent from these weights."""
        self._descent = Descent(head.to(self._device), self._settings.batch, self._events, self._pace.slope)
        self._learnt = self._renewed = False  # there is something to publish; and no published head is like it
        self.ready = self.rounded = False  # after a slice: it is worth to be published; to be scored
        self.better = False  # the round before has gained something
        self._worked = self._looked = 0.0  # seconds of this round; of them those that went into further views
        self._losses: list[float] = []
        self._wake()

    def _wake(self) -> None:
        """Something is new: it is worth to go on."""
        self._tired, self._stale, self._best = False, 0, -math.inf
        self._all_seen = False  # no further view is to be had
        self._descent.try_again()

    # what the loop asks

    @property
    def revisions(self) -> Mapping[str, int]:
        """What its weights know, those of the vote too."""
        return {**self.held, **self._linear.revisions}

    @property
    def changed(self) -> bool:
        """Whether there is a picture, or are classes, that no published head holds."""
        return self._renewed or bool(self._fresh) or self._linear.changed

    @property
    def improving(self) -> bool:
        """Whether a slice is worth its time."""
        return not self._tired and len(self.album.learnable(self._classes)) >= self._pace.least

    def take(self, seen: Seen) -> int:
        """Keep the picture's features; 1 where they can be learnt."""
        self._fresh.pop(seen.id, None)
        entry = self._kept(seen, self._descent.head.variant.taps, held_out=False)
        if entry is None or not entry.counts(self._classes).any():
            return 0
        self._since = self._since if self._fresh else self._clock()
        self._fresh[seen.id] = 0
        self._wake()
        return 1

    def keep_back(self, seen: Seen) -> None:
        """Keep a held-out picture, only to be scored on."""
        self._kept(seen, tuple(seen.features.taps), held_out=True)
        self._wake()

    def _kept(self, seen: Seen, taps: Sequence[str], *, held_out: bool) -> Entry | None:
        entry, why = None, "there is no room on disk"
        try:
            entry = self.album.put(seen, taps, self._classes, held_out=held_out)
        except OSError as error:
            why = str(error)
        if entry is None:
            text = f"{seen.id} is not learnt by the quick head: {why}"
            self._events.emit("warning", text=text, id=seen.id, revision=seen.revision)
        return entry

    def forget(self, image_id: str) -> bool:
        """Drop a picture."""
        self.album.forget(image_id)
        self._fresh.pop(image_id, None)
        return image_id in self.held

    def start_afresh(self) -> None:
        """Begin with a head that knows nothing; not even the file of its state may remember."""
        self._path.unlink(missing_ok=True)
        self.parent, self.held = None, {}
        self._fresh = {}
        self._begin(self._new_head())

    def change_classes(self, classes: tuple[str, ...], names: Mapping[str, str]) -> None:
        """Keep rows and truths by name."""
        before, learnt = self._descent.mean, self._learnt
        old = tuple(names[name] for name in self._classes)
        self.album.rename({name: now if now in classes else None for name, now in names.items()})
        self._classes = classes
        head = self._new_head()
        take_over(head, before, classes, old)
        self._begin(head)
        self._learnt = self._renewed = learnt

    def settled(self) -> VotingHead | None:
        """A copy of the mean of the last weights, with the vote as it is now; None before it has learnt anything."""
        if not self._learnt:
            return None
        head = copy.deepcopy(self._descent.mean).requires_grad_(False).eval()
        if (vote := self._linear.settled()) is not None:
            head.linear.put(*vote.weights)
        return head

    def learnt_from(self) -> dict[str, Any]:
        """Count it."""
        kept = self.album.entries
        pixels = pixels_of([kept[key] for key in self.held if key in kept], self._classes)
        named = {name: int(count) for name, count in zip(self._classes, pixels, strict=True)}
        images, held_out = len(self.revisions), len(self.album.held_out())
        return {"images": images, "held_out": held_out, "pixels": int(pixels.sum()), "classes": named}

    def published(self) -> None:
        """What has been drawn is held by a published head."""
        self._fresh = {image_id: steps for image_id, steps in self._fresh.items() if not steps}
        self._since, self.ready, self._renewed = self._clock(), False, False
        self._linear.published()

    def go_on(self) -> float | None:
        """Take a step, or look at another view of a picture; the step's loss."""
        start, loss = self._clock(), None
        looks = not self._urgent and not self._all_seen and self._looked < self._pace.looking * self._worked
        if looks:
            self._look_again()
        else:
            loss = self._take_step()
        spent = self._clock() - start
        self._worked += spent
        self._looked += spent if looks else 0.0
        hurried = self._clock() - self._since > self._pace.hurry
        done = any(self._fresh.values()) and (hurried or not self._urgent)
        self.ready = self._learnt and (done or self._renewed)
        self.rounded = self._worked >= self._pace.round_seconds
        self._tired = self._descent.given_up
        return loss

    def end_round(self, miou: float | None, *, seated: bool) -> None:
        """A round is over; its mIoU on held-out pictures, where there are any."""
        value = miou if miou is not None else -sum(self._losses) / max(1, len(self._losses))
        gain = self._pace.gain if miou is not None else self._pace.loss_gain * abs(value)
        self.better = value > self._best
        self._stale = 0 if value > self._best + gain else self._stale + 1
        self._best = max(self._best, value)
        self._tired = self._descent.given_up or self._stale >= self._pace.rounds
        self._losses, self.rounded = [], False
        self._worked = self._looked = 0.0
        self.keep(seated=seated)

    # a slice

    @property
    def _urgent(self) -> dict[str, int]:
        """Pictures that it has not taken enough steps with, since they came."""
        few, kept = self._pace.few, self.album.entries
        return {key: steps for key, steps in self._fresh.items() if steps < few and key in kept and kept[key].views}

    def _take_step(self) -> float | None:
        drawn: list[Entry] = []

        def quick(batch: int) -> Quick:
            entries = self.album.learnable(self._classes)
            hand = draw(entries, batch, self._urgent, self._rng)
            drawn[:] = [entry for entry, _ in hand]
            pages = [self.album.page(entry, number, self._classes) for entry, number in hand]
            card = replace(self._card, parent=self.parent)
            return Quick(
                self._descent.head, card, self._path.parent, pages, [], pixels_of(entries, self._classes), self._device,
                self._seed, self._settings,
            )  # fmt: skip

        try:
            loss = self._descent.step(quick)
        except (*UNREADABLE, ValueError) as error:  # ValueError: a picture of one cell is too small for BN
            names = ", ".join(entry.id for entry in drawn)
            text = f"what was seen of {names} cannot be learnt, and is dropped: {' '.join(str(error).split())}"
            self._events.emit("warning", text=text)
            for entry in drawn:
                self.album.forget(entry.id)
                self._fresh.pop(entry.id, None)
            return None
        if loss is None:
            return None
        self._learnt = True
        self.step += 1
        self._losses.append(loss)
        for entry in drawn:
            self.held[entry.id] = entry.revision
            if entry.id in self._fresh:
                self._fresh[entry.id] += 1
        return loss

    def _look_again(self) -> None:
        """See the picture of which least is known from another side, the newest first."""
        lacking = [e for e in self.album.learnable(self._classes) if len(e.views) < self._settings.views]
        if not lacking:
            self._all_seen = True
            return
        entry = min(lacking, key=lambda entry: len(entry.views))
        number = next(n for n in range(self._settings.views) if n not in entry.views)
        try:
            self._all_seen = not self.album.look_again(entry, number, self._predictor.features, self._seed)
        except UNREADABLE as error:
            self._events.emit("warning", text=f"{entry.id} is not seen from another side: {error}")
            self._all_seen = True

    def _new_head(self) -> VotingHead:
        old = self._descent.head
        return VotingHead(old.variant, len(self._classes), old.output_stride, old.pooling_norm)

    # what outlives the child

    def keep(self, *, seated: bool) -> None:
        """Write what it has learnt; a disk that is full costs nothing but the way back."""
        if not self._learnt:
            return
        descent = self._descent
        state = State(descent.head, descent.mean, self._classes, self.parent, self.held, self.step, seated)
        try:
            state.write(self._path, self._card)
        except OSError as error:
            self._events.emit("warning", text=f"the state of the quick head could not be written: {error}")

    def _resume(self) -> bool:
        """Go on from what was kept, where it is of this network; whether its head predicted."""
        try:
            state = State.read(self._path, self._descent.head, self._card.backbone)
        except WeightsError as error:
            self._events.emit("warning", text=f"the quick head learns anew: {error}")
            return False
        if state is None:
            return False
        take_over(self._descent.head, state.head, self._classes, state.classes)
        take_over(self._descent.mean, state.mean, self._classes, state.classes)
        self._descent.resume(state.step)
        self.parent, self.held, self.step = state.parent, dict(state.held), state.step
        self._learnt = self._renewed = True
        behind = [e.id for e in self.album.learnable(self._classes) if self.held.get(e.id) != e.revision]
        self._fresh, self._since = dict.fromkeys(reversed(behind), 0), self._clock()
        return state.seated
