"""The loop of live learning: what is said is heard first, then new pictures are seen, then the learners have a slice.

Nobody has to wait for it: it says what it has, and is told what is new, between two steps.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from core_model.card import Card
from core_model.checkpoint import save_head
from core_model.commands import Command, Forget, Inbox, NewClasses, Pause, Resume, Rubbish, Stop, Update
from core_model.dataset import IGNORE, Sample
from core_model.events import Events
from core_model.job import Job, JobError
from core_model.live.contest import Contest
from core_model.live.learner import Learner, Seen
from core_model.live.linear import LiveLinear
from core_model.live.quick import UNREADABLE, LiveQuick
from core_model.live.scores import Scores
from core_model.predictor import Predictor
from core_model.training import stamped


@dataclass(frozen=True)
class LiveSettings:
    """How the loop goes on."""

    patience: float = 4.0  # seconds of looking at pictures, after which what is known is learnt and published
    told_seconds: float = 0.3  # between two words on how a step went, at least


@dataclass
class Live:
    """The learning of one child. `run` does it, until it is told to stop."""

    job: Job
    linear: LiveLinear  # has its turn when no picture is new
    quick: LiveQuick  # and this when that has nothing to do either, unless somebody waits for it
    card: Card
    predictor: Predictor
    events: Events
    inbox: Inbox
    settings: LiveSettings = field(default_factory=LiveSettings)
    clock: Callable[[], float] = time.monotonic

    def run(self) -> None:
        """Learn and publish; the last event is `done`."""
        self.started = self.published_at = self.told_at = self.clock()
        self.waiting: OrderedDict[str, Update] = OrderedDict()
        self.comparison: Iterator[dict[str, tuple[float, float]]] | None = None  # of both heads, in the middle of it
        self.classes, self.classes_revision = self.job.classes, 0
        self.learners: tuple[Learner, ...] = (self.linear, self.quick)
        self.seated: Learner = self.quick if self.quick.seated_before else self.linear  # whose head is published
        self.contest = Contest(self.seated.kind)
        self.scores = Scores(self.predictor, self.quick.album, self.contest, self.events)
        self.contest.held_out = len(self.quick.album.held_out())
        self.asleep = self.stopped = False
        self.said: str | None = None  # why it is paused, as the parent knows it
        while not self.stopped:
            for command in self.inbox.take(wait=self._idle()):
                self._obey(command)
            if not self.stopped and not self.asleep:
                self._go_on()
        self.quick.keep(seated=self.seated is self.quick)
        path, step = self._path if self._path.is_file() else None, sum(learner.step for learner in self.learners)
        seconds = round(self._elapsed, 3)
        self.events.emit("done", path=path and str(path), step=step, seconds=seconds, scores=None, partial=True)

    def known(self) -> dict[str, int]:
        """What has been seen before: the revision of each picture, -1 where one of both has to see it again."""
        linear = self.linear.revisions
        seen = {entry.id: entry.revision for entry in self.quick.album.entries.values() if not entry.held_out}
        ids = {**linear, **seen, **self.quick.held}
        return {key: linear[key] if key in linear and linear[key] == seen.get(key) else -1 for key in ids}

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
        self.comparison = None
        self.contest.held_out = len(self.quick.album.held_out())
        if any(remembered):
            for learner in self.learners:
                learner.start_afresh()
            self.seated = self.linear
            self.contest.start_afresh(self.seated.kind)

    def _change_classes(self, command: NewClasses) -> None:
        """Truths that nobody has looked at yet speak of the classes before: they have to be sent again."""
        self.classes_revision = command.revision
        self.waiting.clear()
        if command.classes == self.classes and not command.renamed:
            return
        names = {name: command.renamed.get(name, name) for name in self.classes}
        self.classes, self.comparison = command.classes, None
        self.contest.start_afresh(self.seated.kind)
        for learner in self.learners:
            learner.change_classes(self.classes, names)

    # what it does between two looks at what it is told

    def _idle(self) -> bool:
        """Whether there is nothing to do but wait; says so once."""
        if self.stopped or (not self.asleep and (self.waiting or self._next() is not None)):
            self.said = None
            return False
        images = len(self.linear.revisions)
        why = "nothing improves" if images and not self.linear.barren else "nothing to learn from"
        why = "asked" if self.asleep else why
        if why != self.said:
            self.events.emit("paused", why=why, images=images)
            self.said = why
        return True

    def _next(self) -> Learner | None:
        """Whose turn it is: what the linear head learns in a second tells in both."""
        return next((learner for learner in self.learners if learner.improving), None)

    @property
    def _urgent(self) -> bool:
        """Whether somebody may wait for the quick head."""
        return self.seated is self.quick and self.quick.changed

    def _go_on(self) -> None:
        tired = self.seated.changed and self.clock() - self.published_at > self.settings.patience
        learner = self._next()
        if self.waiting and not (tired and learner is not None):
            self._look(self._newest())
        elif learner is self.quick and self.comparison and not self._urgent:
            self._score()
        elif learner is not None:
            self._learn(learner)

    def _newest(self) -> Update:
        """What was told last, of what can be learnt: nobody waits for held-out pictures."""
        told = list(reversed(self.waiting.values()))
        return self.waiting.pop(next((update for update in told if not update.held_out), told[0]).id)

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
            taken = self._take(seen, held_out=update.held_out)
        except (JobError, OSError) as error:
            self.events.emit("warning", text=" ".join(str(error).split()), id=update.id, revision=update.revision)
            return
        left = 1 / (1 + len(self.waiting))
        self._progress("features", left, self.seated.step, id=update.id, revision=update.revision, cells=taken)

    def _take(self, seen: Seen, *, held_out: bool) -> int:
        """How much of it can be learnt: cells."""
        new = not any(seen.id in learner.revisions for learner in self.learners)
        if held_out and not new:
            self._forget(seen.id)
        for learner in self.learners if new else ():
            self.scores.before(learner, seen, self.classes)
        self._seat()
        taken = 0
        if held_out:
            self.quick.keep_back(seen)
        else:
            taken = max(learner.take(seen) for learner in self.learners)
            if not taken:
                self._forget(seen.id)
        self.comparison = None if held_out else self.comparison
        self.contest.held_out = len(self.quick.album.held_out())
        return taken

    def _sample(self, update: Update) -> Sample:
        paths = [(self.job.folder / name).resolve() for name in (update.picture, update.truth)]
        if not all(path.is_relative_to(self.job.folder.resolve()) for path in paths):
            raise JobError(f"the files of {update.id} do not lie in the job's folder")
        return Sample(update.id, *paths)

    def _learn(self, learner: Learner) -> None:
        """A slice of learning."""
        loss = learner.go_on()
        told = self.clock() - self.told_at >= self.settings.told_seconds or not learner.improving
        if loss is not None and (learner is self.linear or told):
            fraction = 0.5 if learner.improving else 1.0
            self._progress("learn", fraction, learner.step, head=learner.kind, loss=loss)
            self.told_at = self.clock()
        if learner.ready and (learner is self.seated or learner is self.linear):
            self._publish(self.seated)
        if self.quick.rounded and self.comparison is None:
            self.comparison = self.scores.compare(self.learners, self.classes)

    def _score(self) -> None:
        """A slice of scoring: a held-out picture by both heads; the last one ends the round."""
        assert self.comparison is not None
        try:
            scores = next(self.comparison, None)
        except UNREADABLE as error:
            self.events.emit("warning", text=f"what was kept of a picture cannot be read: {error}")
            scores = None
        if scores == {}:
            return
        self.comparison = None
        self.contest.measure(scores or {})
        miou = scores[self.quick.kind][0] if scores else None
        self.quick.end_round(miou, seated=self.seated is self.quick)
        if self.seated is self.quick and self.quick.better:
            self._publish(self.quick)
        self._seat()

    def _seat(self) -> None:
        """The head that has won predicts, from now on."""
        if self.contest.holder != self.seated.kind:
            self.seated = next(learner for learner in self.learners if learner.kind == self.contest.holder)
            self._publish(self.seated)
            self.quick.keep(seated=self.seated is self.quick)

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
