"""The loop of live learning: what is said is heard first, then new pictures are seen, then the learners have a slice.

Nobody has to wait for it: it says what it has, and is told what is new, between two steps.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core_model.card import Card
from core_model.checkpoint import save_head
from core_model.commands import Command, Forget, Inbox, NewClasses, Pause, Resume, Rubbish, Stop, Update
from core_model.dataset import IGNORE, Sample
from core_model.events import Events
from core_model.job import Job, JobError
from core_model.live.learner import Learner, Seen
from core_model.metrics import Confusion
from core_model.predictor import Predictor
from core_model.training import scores_of, stamped


@dataclass(frozen=True)
class LiveSettings:
    """How the loop goes on."""

    patience: float = 4.0  # seconds of looking at pictures, after which what is known is learnt and published


@dataclass
class Live:
    """The learning of one child. `run` does it, until it is told to stop."""

    job: Job
    learners: Sequence[Learner]  # each has its turn when those before it have nothing to do
    card: Card
    predictor: Predictor
    events: Events
    inbox: Inbox
    settings: LiveSettings = field(default_factory=LiveSettings)
    clock: Callable[[], float] = time.monotonic

    def run(self) -> None:
        """Learn and publish; the last event is `done`."""
        self.started = self.published_at = self.clock()
        self.waiting: OrderedDict[str, Update] = OrderedDict()
        self.classes, self.classes_revision = self.job.classes, 0
        self.seated = self.learners[0]  # whose head is published
        self.asleep = self.stopped = False
        self.said: str | None = None  # why it is paused, as the parent knows it
        while not self.stopped:
            for command in self.inbox.take(wait=self._idle()):
                self._obey(command)
            if not self.stopped and not self.asleep:
                self._go_on()
        path, step = self._path if self._path.is_file() else None, sum(learner.step for learner in self.learners)
        seconds = round(self._elapsed, 3)
        self.events.emit("done", path=path and str(path), step=step, seconds=seconds, scores=None, partial=True)

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
        remembered = [learner.forget(image_id) for learner in self.learners]
        if any(remembered):
            for learner in self.learners:
                learner.start_afresh()

    def _change_classes(self, command: NewClasses) -> None:
        """Truths that nobody has looked at yet speak of the classes before: they have to be sent again."""
        self.classes_revision = command.revision
        self.waiting.clear()
        if command.classes == self.classes and not command.renamed:
            return
        names = {name: command.renamed.get(name, name) for name in self.classes}
        self.classes = command.classes
        for learner in self.learners:
            learner.change_classes(self.classes, names)

    # what it does between two looks at what it is told

    def _idle(self) -> bool:
        """Whether there is nothing to do but wait; says so once."""
        if self.stopped or (not self.asleep and (self.waiting or self._next() is not None)):
            self.said = None
            return False
        images = max(len(learner.revisions) for learner in self.learners)
        barren = all(learner.barren for learner in self.learners)
        why = "nothing improves" if images and not barren else "nothing to learn from"
        why = "asked" if self.asleep else why
        if why != self.said:
            self.events.emit("paused", why=why, images=images)
            self.said = why
        return True

    def _next(self) -> Learner | None:
        """Whose turn it is: somebody may wait for the head that predicts, and for no other."""
        urgent = [self.seated] if self.seated.changed else []
        return next((learner for learner in (*urgent, *self.learners) if learner.improving), None)

    def _go_on(self) -> None:
        tired = self.seated.changed and self.clock() - self.published_at > self.settings.patience
        learner = self._next()
        if self.waiting and not (tired and learner is not None):
            _, update = self.waiting.popitem()  # the newest first
            self._look(update)
        elif learner is not None:
            loss = learner.go_on()
            if loss is not None:
                fraction = 0.5 if learner.improving else 1.0
                self._progress("learn", fraction, learner.step, head=learner.kind, loss=loss)
            if learner is self.seated and learner.ready:
                self._publish(learner)

    def _look(self, update: Update) -> None:
        """See a picture, tell how well it was known before, and let each learner take in what it needs."""
        if not self.seated.changed:
            self.published_at = self.clock()  # from here on somebody waits
        try:
            rgb, truth = self._sample(update).read()
            if (strange := int(truth[truth != IGNORE].max(initial=0))) >= len(self.classes):
                raise JobError(
                    f"the truth of {update.id} holds class {strange}, and there are only {len(self.classes)} classes"
                )
            seen = Seen(update.id, update.revision, rgb, truth, self.predictor.features(rgb))
            self._score(seen)
            taken = [learner.take(seen) for learner in self.learners]
        except (JobError, OSError) as error:
            self.events.emit("warning", text=" ".join(str(error).split()), id=update.id, revision=update.revision)
            return
        if not any(taken):
            self._forget(update.id)
        left, step = 1 / (1 + len(self.waiting)), self.seated.step
        self._progress("features", left, step, id=update.id, revision=update.revision, cells=max(taken))

    def _sample(self, update: Update) -> Sample:
        paths = [(self.job.folder / name).resolve() for name in (update.picture, update.truth)]
        if not all(path.is_relative_to(self.job.folder.resolve()) for path in paths):
            raise JobError(f"the files of {update.id} do not lie in the job's folder")
        return Sample(update.id, *paths)

    def _score(self, seen: Seen) -> None:
        """How well a picture is known before it is learnt: the only honest score of a learner that learns all."""
        head = self.seated.settled()
        if head is None or seen.id in self.seated.revisions or not (seen.truth != IGNORE).any():
            return
        confusion = Confusion(len(self.classes))
        shape = (seen.truth.shape[0], seen.truth.shape[1])
        confusion.add(seen.truth, self.predictor.predict(seen.features, head, shape).labels)
        scores = scores_of(confusion, self.classes)
        step = self.seated.step
        self.events.emit("scores", step=step, images=1, id=seen.id, revision=seen.revision, **scores)

    # what the parent hears and finds on disk

    @property
    def _elapsed(self) -> float:
        return self.clock() - self.started

    @property
    def _path(self) -> Path:
        return self.job.out / "head.safetensors"

    def _progress(self, phase: str, fraction: float, step: int, **more: object) -> None:
        seconds = round(self._elapsed, 3)
        self.events.emit("progress", phase=phase, fraction=round(fraction, 4), step=step, seconds=seconds, **more)

    def _publish(self, learner: Learner) -> None:
        head = learner.settled()
        if head is None:
            return
        revisions = dict(learner.revisions)
        card = replace(
            self.card,
            classes=self.classes,
            parent=learner.parent,
            recipe=learner.kind,
            learnt_from=learner.learnt_from(),
        )
        try:
            save_head(self._path, head, stamped(card, learner.step, None, partial=True))
        except OSError as error:
            self.events.emit("warning", text=f"the head could not be written: {error}")
            return
        learner.published()
        self.published_at = self.clock()
        self.events.emit(
            "published",
            path=str(self._path),
            head=learner.kind,
            step=learner.step,
            classes_revision=self.classes_revision,
            revisions=revisions,
        )
