"""How good the live heads are, on pictures that they have not learnt; it is what their contest goes by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core_model.dataset import IGNORE
from core_model.events import Events
from core_model.features import Features
from core_model.heads import Head
from core_model.live.album import Album
from core_model.live.contest import Contest
from core_model.live.learner import Learner, Seen
from core_model.metrics import Confusion
from core_model.predictor import Predictor
from core_model.training import scores_of


class Scores:
    """Scores heads, and says so."""

    def __init__(self, predictor: Predictor, album: Album, contest: Contest, events: Events) -> None:
        self._predictor, self._album, self._contest, self._events = predictor, album, contest, events

    def before(self, learner: Learner, seen: Seen, classes: tuple[str, ...]) -> None:
        """How well a picture is known before it is learnt: the only honest score of a learner that learns all."""
        head = learner.settled()
        if head is None or not (seen.truth != IGNORE).any():
            return
        confusion = Confusion(len(classes))
        self._add(confusion, head, seen.features, seen.truth)
        self._contest.hear(seen.id, seen.revision, learner.kind, confusion.pixel_accuracy)
        self._say(learner, confusion, classes, images=1, id=seen.id, revision=seen.revision)

    def compare(
        self, learners: Sequence[Learner], classes: tuple[str, ...]
    ) -> Iterator[dict[str, tuple[float, float]]]:
        """Score all heads as they are now on all held-out pictures, one between yields; the last has mIoU, accuracy.

        It is empty where there is no such picture, or a head is missing. OSError, SafetensorError, KeyError where what
        was kept of a picture is damaged.
        """
        heads = {learner.kind: learner.settled() for learner in learners}
        confusions = {kind: Confusion(len(classes)) for kind in heads}
        entries = [entry for entry in self._album.held_out() if entry.counts(classes).any()]
        for entry in entries:
            features, truth = self._album.recall(entry, classes)
            for kind, head in heads.items():
                if head is not None:
                    self._add(confusions[kind], head, features, truth)
            yield {}
        if not entries or None in heads.values():
            return
        for learner in learners:
            self._say(learner, confusions[learner.kind], classes, images=len(entries))
        yield {kind: (confusion.miou, confusion.pixel_accuracy) for kind, confusion in confusions.items()}

    def _add(self, confusion: Confusion, head: Head, features: Features, truth: NDArray[np.uint8]) -> None:
        shape = (truth.shape[0], truth.shape[1])
        confusion.add(truth, self._predictor.predict(features, head, shape).labels)

    def _say(self, learner: Learner, confusion: Confusion, classes: tuple[str, ...], **more: object) -> None:
        self._events.emit("scores", head=learner.kind, step=learner.step, **more, **scores_of(confusion, classes))
