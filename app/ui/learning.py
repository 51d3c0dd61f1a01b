"""Learning from the corrections, in a child process, watched live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.services import learning
from app.services.child import THREADS
from app.services.errors import NothingLearnt
from app.services.learning import TrainResult
from app.services.run_folder import Unfinished
from app.services.runs import TrainRequest
from app.storage.project import Project
from app.ui.messages import Messages

_LEARN = "learn"
_LOOK = "look for a learning that was stopped"


class Learning(QObject):
    """At most one learning of a project at a time."""

    running = Signal(bool)
    reported = Signal(object)  # dict of the child process
    said = Signal(str)  # how far it is, before the child process speaks
    ended = Signal(str)  # how it ended, in words
    learnt = Signal(object)  # TrainResult: there is a new version
    looked = Signal(object)  # Unfinished, or None: what can go on

    def __init__(self, project: Project, runner: Runner, messages: Messages, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._runner = runner
        self._messages = messages
        self._spoke = False  # whether the child process has reported anything
        self._asked = False
        self._unfinished: Unfinished | None = None
        runner.progressed.connect(self._progressed)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)
        runner.cancelled.connect(self._cancelled)

    @property
    def busy(self) -> bool:
        """Whether a learning is under way."""
        return self._runner.has(_LEARN)

    def start(self, recipe: str, minutes: float) -> None:
        """Starts to learn from reviewed images and human pixels."""
        self.begin(TrainRequest(recipe=recipe, minutes=minutes, threads=THREADS))

    def begin(self, request: TrainRequest) -> None:
        """Starts a learning; a second one is refused while the first one runs."""
        self._begin(partial(learning.fit, self._project, request))

    def look_once(self) -> None:
        """Looks whether a learning was cut off, with the program or before, and takes in what it has left."""
        if not self._asked:
            self._asked = True
            self._look(partial(learning.recover, self._project))

    def go_on(self) -> None:
        """Goes on with the learning that was stopped."""
        if self._unfinished is not None:
            self._begin(partial(learning.resume, self._project, self._unfinished))

    def drop(self) -> None:
        """Forgets the learning that was stopped."""
        self._look(partial(_dropped, self._project))

    def _begin(self, job: Callable[[], Job[TrainResult]]) -> None:
        if self.busy:
            self._messages.say("info", "A learning is under way: stop it first (Ctrl+Shift+L).")
            return
        self._spoke = False
        self.running.emit(True)
        self._runner.cancel(_LOOK)
        self._runner.submit(_LEARN, job)

    def _look(self, job: Callable[[], Job[Unfinished | None]]) -> None:
        if not self.busy and not self._project.read_only:
            self._runner.submit(_LOOK, job)

    def stop(self) -> None:
        """Stops it; what it has learnt so far becomes a version that the person may choose."""
        if self.busy:
            self._spoke = True
            self.said.emit("Stopping…")
            self._runner.cancel(_LEARN)

    def close(self) -> None:
        """Stops it and listens no more."""
        self.stop()
        for signal, slot in (
            (self._runner.progressed, self._progressed),
            (self._runner.finished, self._finished),
            (self._runner.failed, self._failed),
            (self._runner.cancelled, self._cancelled),
        ):
            signal.disconnect(slot)
        self.running.emit(False)  # its end comes after, when nobody listens

    def _progressed(self, key: object, progress: Progress) -> None:
        if isinstance(progress.value, Mapping):
            self._spoke = True
            self.reported.emit(progress.value)
        elif progress.text and key == _LEARN and not self._spoke:
            self.said.emit(f"{progress.text[0].upper()}{progress.text[1:]}…")

    def _finished(self, key: object, result: object) -> None:
        if key == _LOOK:
            self._unfinished = result if isinstance(result, Unfinished) else None
            self.looked.emit(self._unfinished)
        elif isinstance(result, TrainResult):
            verb = "predicts from now on" if result.used else "is kept, but does not predict"
            text = f"{result.version} {verb}: {result.reason}."
            self._end(text)
            self._messages.say("info", f"{text} {' '.join(result.warnings)}")
            self.learnt.emit(result)

    def _failed(self, key: object, error: Exception) -> None:
        if key == _LOOK:
            self._messages.error("What a stopped learning has left cannot be looked at", error)
            return
        self._end(str(error))
        if isinstance(error, NothingLearnt):
            self._messages.say("info", f"{error}.".capitalize())
        else:
            self._messages.error("Nothing was learnt", error)

    def _cancelled(self, key: object) -> None:
        if key == _LEARN:
            self._end("Stopped. What was learnt so far is among the models, if there was anything.")
            self.learnt.emit(None)

    def _end(self, text: str) -> None:
        self.running.emit(False)
        self.ended.emit(text)
        self._look(partial(learning.recover, self._project))


def _dropped(project: Project) -> Job[Unfinished | None]:
    yield Progress(text="dropping what was stopped")
    learning.drop(project)
    return None
