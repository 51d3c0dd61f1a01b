"""Learning as the person reviews: what is corrected is learnt, and what comes next is pre-annotated by it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.history import Entry
from app.jobs.job import Progress
from app.services import slot
from app.services.learning import TrainResult
from app.services.live import LiveLearner, LiveState
from app.services.model import Model
from app.services.models import SLOT
from app.services.slot import LiveHead
from app.storage.project import Project
from app.ui.class_edits import ClassEdits
from app.ui.learning import Learning
from app.ui.navigation import Navigation, Opened
from app.ui.predictions import Predictions
from app.ui.versions import Versions
from app.ui.workplace import Workplace

SWITCH = "live"  # its action, and what the window remembers of it
_PRE_ANNOTATE = "Pre-annotate"
_KEEP = "keep live"
_ATTEMPTS = 3  # of a child that ends before it has learnt anything


class Live(QObject):
    """Live learning of one project, on or off; the child's thread is the runner `live`."""

    headed = Signal()  # there is a new head in the slot

    def __init__(
        self,
        project: Project,
        place: Workplace,
        navigation: Navigation,
        predictions: Predictions,
        versions: Versions,
        learning: Learning,
        class_edits: ClassEdits,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._navigation = navigation
        self._predictions = predictions
        self._switch = place.actions[SWITCH]
        self._key = (SWITCH, id(self))  # reports of a project before are not ours
        self._learner: LiveLearner | None = None
        self._failures = 0
        self._painted = False  # since it was told last
        self._switch.setChecked(bool(place.remembered.number(SWITCH, 1)))
        runner = place.live
        self._links = [
            self._switch.toggled.connect(self._turn),
            place.learning.live_asked.connect(self._switch.toggle),
            place.actions["keep_live"].triggered.connect(self.keep),
            place.actions["skip"].triggered.connect(self._look),
            runner.progressed.connect(self._progressed),
            runner.finished.connect(self._finished),
            runner.failed.connect(self._failed),
        ]
        navigation.opening.connect(self._leave)
        navigation.opened.connect(self._follow)
        predictions.ready.connect(self._refresh)
        learning.running.connect(self._give_way)
        learning.learnt.connect(self._taken_over)
        class_edits.changed.connect(self._look)
        versions.changed.connect(self._look)  # it may stand on another backbone
        self.headed.connect(versions.refresh)
        self._say(None)

    def keep(self) -> None:
        """Makes a version of what has been learnt so far, which no later correction changes."""
        self._place.live.submit(_KEEP, partial(slot.keep_version, self._project), urgency=1)

    def close(self) -> None:
        """Ends the child, within two seconds, and listens no more."""
        for link in self._links:
            QObject.disconnect(link)
        self._learner = None
        self._place.live.settle()

    # what the person does

    def _turn(self, on: bool) -> None:
        self._place.remembered.keep(SWITCH, int(on))
        self._failures = 0
        if on:
            self._start()
        else:
            self._learner = None
            self._place.live.cancel(self._key)
            self._say(None)

    def _start(self) -> None:
        allowed = self._place.reads_ahead and not self._project.read_only and self._switch.isChecked()
        if self._learner is None and allowed and self._failures < _ATTEMPTS:
            self._learner = LiveLearner(self._project)
            self._place.live.submit(self._key, self._learner.run)

    def _follow(self, opened: Opened) -> None:
        opened.document.on_entry.append(self._hear)
        QTimer.singleShot(0, self, self._start)  # the picture first
        QTimer.singleShot(0, self, self._refresh)

    def _hear(self, entry: Entry) -> None:
        self._painted = self._painted or entry.name != _PRE_ANNOTATE
        if entry.reviewed is not None:
            self._look()

    def _leave(self, _image_id: str) -> None:
        if self._painted:
            self._look()

    def _look(self, *_: object) -> None:
        self._painted = False
        if self._learner is None:
            self._start()
        else:
            self._learner.look()

    def _give_way(self, learning: bool) -> None:
        if self._learner is not None:
            self._learner.pause(learning)

    def _taken_over(self, result: TrainResult | None) -> None:
        if result is not None and result.used and result.previous == SLOT:
            self.keep()
        self._look()  # what predicts now may stand on another backbone

    # what the child says

    def _progressed(self, key: object, progress: Progress) -> None:
        if key != self._key or self._learner is None:
            return
        if isinstance(progress.value, LiveState):
            self._say(progress.value)
        elif isinstance(progress.value, LiveHead):
            self._failures = 0
            self.headed.emit()
            if progress.value.lead is not None:
                self._place.messages.say("info", _taking_over(progress.value.lead))
            if progress.value.used:
                self._predictions.forget()
        elif progress.text:
            self._place.messages.say("warning", progress.text)

    def _finished(self, key: object, result: object) -> None:
        if key == _KEEP and isinstance(result, Model):
            self._place.messages.say("info", f"{result.version} is kept as it is now.")
            self.headed.emit()

    def _failed(self, key: object, error: Exception) -> None:
        if key == self._key:
            self._learner = None
            self._failures += 1
            self._place.messages.error("Live learning has stopped", error)
            self._place.learning.show_live("Live: stopped, see the messages.", on=False)
        elif key == _KEEP:
            self._place.messages.error("No version was made", error)

    def _say(self, state: LiveState | None) -> None:
        on = state is not None
        self._place.learning.show_live(_words(state) if state is not None else "Live learning is off.", on=on)

    # what it is for

    def _refresh(self, *_: object) -> None:
        """The newest word of the network on the image on screen, while no person has done anything to it."""
        document = self._navigation.document
        if document is None or self._learner is None or document.reviewed or document.editing:
            return
        record, history = self._place.images.model.record(document.image_id), document.history
        untouched = record is not None and record.status in ("untouched", "predicted")
        if untouched and not history.undone and all(step.name == _PRE_ANNOTATE for step in history.done):
            self._predictions.refresh()


def _taking_over(lead: float) -> str:
    return (
        f"What is learnt live predicts from now on: of the last pictures, before it learnt them, it had {lead:.0%} "
        "more of the pixels right than the model in use. You can go back under Models."
    )


def _words(state: LiveState) -> str:
    many = f"{state.images} picture{'' if state.images == 1 else 's'}"
    if state.doing == "starting":
        return "Live: starting…"
    if state.why == "asked":
        return f"Live: {many}; waits for the other learning."
    if not state.images and not state.waiting:
        return "Live: review a picture, and the next one is pre-annotated by what it taught."
    took = f", the last one within {state.seconds:.1f} s" if state.seconds is not None else ""
    more = f"; {state.waiting} more to learn" if state.waiting else ""
    kind = " by the quick head" if state.head == "quick" else ""
    return f"Live: {many} learnt{kind}{took}{more}."
