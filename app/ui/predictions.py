"""Asks the network: for the image on screen at once, for the next ones ahead, for the whole project on request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.document import ReviewedImage
from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.services.errors import NothingLearnt
from app.services.model import Model
from app.services.network import Network
from app.storage.errors import UnkeptPrediction
from app.storage.project import Project
from app.ui import prediction_jobs as jobs
from app.ui.known import Known
from app.ui.messages import Messages
from app.ui.navigation import Navigation
from app.ui.panels.images_model import DONE, ImagesModel

_NOW, _SOON, _SOMETIME = 10, 5, 0  # urgency: on screen, next ones, whole project
_AHEAD = 2  # images
_KEPT = 300_000_000  # bytes of predictions kept ready
_ALL = "all"


@dataclass
class _Whole:
    """How far pre-annotating the whole project is."""

    total: int
    written: int = 0
    as_before: int = 0
    failed: list[str] = field(default_factory=list)


class Predictions(QObject):
    """Pre-annotates the images of one project; the network itself runs in its own thread."""

    written = Signal()  # an image that is not on screen has been filled
    ready = Signal(str)  # image id: its prediction is there
    known_changed = Signal(object)  # Prediction | None: what is known of the image on screen
    working = Signal(str, float, float)  # what for people, done, total (0: nobody knows); "" = nothing any more

    def __init__(
        self, project: Project, network: Network, model: Callable[[], Model | None], navigation: Navigation,
        images: ImagesModel, worker: Runner, files: Runner, messages: Messages, read_ahead: bool = True,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._project = project
        self._network = network  # belongs to the worker's thread
        self._model = model  # the version in use; asked in the worker
        self._navigation = navigation
        self._images = images
        self._worker = worker
        self._files = files
        self._messages = messages
        self._known = Known(project, navigation, files, messages, self)
        self._known.changed.connect(self.known_changed)
        self._ready: OrderedDict[str, jobs.Answer] = OrderedDict()
        self._ahead: set[str] = set()  # images that nobody has asked for yet
        self._asked: set[str] = set()  # images to write to as soon as there is a prediction
        self._whole: _Whole | None = None
        self._read_ahead = read_ahead
        self._wait = QTimer(self, interval=30)  # for the end of a stroke
        self._wait.timeout.connect(self._apply_on_screen)
        for runner in (worker, files):
            runner.finished.connect(self._finished)
            runner.failed.connect(self._failed)
        worker.progressed.connect(self._progressed)
        navigation.opening.connect(self._recall)
        navigation.opened.connect(self._apply_on_screen)

    @property
    def known(self) -> Prediction | None:
        """What the network said last of the image on screen, now or before a restart; None: nothing, or not yet."""
        return self._known.prediction

    def warm_up(self) -> None:
        """Has the network's libraries imported now, with a picture on screen: their one stall comes before the work."""
        if self._read_ahead:
            self._worker.submit("warm up", jobs.warm_up, urgency=20)

    def hear(self, image_id: str, prediction: Prediction) -> None:
        """Something else than a model's answer was written into the image: that is what is known of it now."""
        self._known.hear(image_id, prediction)

    def pre_annotate(self) -> None:
        """Fills the image on screen: at once when its prediction is ready, else as soon as it is."""
        document = self._navigation.document
        if document is None:
            return
        if document.reviewed:
            self._messages.say(
                "info", "This image is reviewed: no model writes to it. Take the review back first (Shift+Enter)."
            )
            return
        self._asked.add(document.image_id)
        if document.image_id in self._ready:
            self._apply_on_screen()
        else:
            self._worker.submit(_key(document.image_id), self._job(document.image_id), _NOW)
            self.working.emit("Pre-annotating…", 0, 0)

    def refresh(self) -> None:
        """Writes what the newest head says into the image on screen, where it is there, as no step of its own."""
        document = self._navigation.document
        if document is not None and not document.editing and document.image_id in self._ready:
            self._write(self._ready[document.image_id], amend=True)

    def pre_annotate_all(self) -> None:
        """Fills every image that is neither reviewed nor skipped; what is done stays when it is stopped."""
        ids = [record.id for record in self._images.records() if record.status not in DONE and not record.problem]
        if not ids:
            self._messages.say("info", "Every image is reviewed or skipped: nothing to pre-annotate.")
            return
        self._whole = _Whole(len(ids))
        self._worker.submit(_ALL, partial(jobs.predict_all, self._project, self._network, self._model, ids), _SOMETIME)
        self.working.emit("Pre-annotating all", 0, len(ids))

    def stop(self) -> None:
        """Ends what was asked for; predictions that are there already are still written."""
        stopped = bool(self._asked or self._whole)
        for image_id in list(self._asked):
            self._worker.cancel(_key(image_id))
        self._asked.clear()
        if self._whole is not None:
            self._worker.cancel(_ALL)
            self._messages.say("info", f"Stopped: {self._whole.written} of {self._whole.total} images pre-annotated.")
            self._whole = None
        if stopped:
            self.working.emit("", 0, 0)

    def forget(self) -> None:
        """What was predicted is no longer what would be: another model, or other classes."""
        self._ready.clear()
        self._drop_ahead(set())
        for image_id in self._asked:
            self._worker.submit(_key(image_id), self._job(image_id), _NOW)
        self.look_ahead()

    def close(self) -> None:
        """Ends all work for this project."""
        self._worker.cancel_all()
        self._wait.stop()
        self._known.close()
        for runner in (self._worker, self._files):
            runner.finished.disconnect(self._finished)
            runner.failed.disconnect(self._failed)
        self._worker.progressed.disconnect(self._progressed)

    # what the threads report

    def _finished(self, key: object, result: object) -> None:
        if key == _ALL:
            self._ended()
        elif isinstance(key, tuple) and key[0] == "predict" and isinstance(result, jobs.Answer):
            self._keep(result)
            self._apply_on_screen()
        elif isinstance(result, jobs.Answer):
            self._write(result)
        elif isinstance(key, tuple) and key[0] == "write":
            if isinstance(result, UnkeptPrediction):
                self._known.tell_unkept(result)
            self._navigation.update(key[1])
            self.written.emit()

    def _progressed(self, key: object, progress: Progress) -> None:
        if key != _ALL or self._whole is None:
            return
        if isinstance(progress.value, jobs.Answer):
            self._write(progress.value)
            self._whole.written += 1
        elif progress.value is None:
            self._whole.as_before += 1
        elif isinstance(progress.value, str):
            self._whole.failed.append(progress.value)
            self._navigation.update(progress.value)
        self.working.emit(
            f"Pre-annotating all   {progress.done:.0f} of {progress.total:.0f}", progress.done, progress.total
        )

    def _failed(self, key: object, error: Exception) -> None:
        if key == _ALL:
            self._whole = None
            self.working.emit("", 0, 0)
            self._explain("Pre-annotating all images stopped", error)
        elif isinstance(key, tuple) and key[0] == "predict" and key[1] in self._asked:
            self._asked.discard(key[1])
            self.working.emit("", 0, 0)
            self._explain(f"{key[1]} was not pre-annotated", error)
        elif isinstance(key, tuple) and key[0] == "write":
            self._messages.error(f"{key[1]} was not pre-annotated", error)

    def _explain(self, what: str, error: Exception) -> None:
        if isinstance(error, NothingLearnt):
            self._messages.say("info", f"The network has learnt nothing yet: {error}")
        else:
            self._messages.error(what, error)

    def _ended(self) -> None:
        whole, self._whole = self._whole, None
        self.working.emit("", 0, 0)
        if whole is not None:
            before = f", {whole.as_before} as before" if whole.as_before else ""
            tail = f" {len(whole.failed)} could not be read: see “With a problem”." if whole.failed else ""
            self._messages.say(
                "warning" if whole.failed else "info",
                f"{whole.written} of {whole.total} images pre-annotated{before}.{tail}",
            )

    # writing

    def _apply_on_screen(self) -> None:
        """Writes what was asked for and is there; an image that was left meanwhile goes to the thread of files."""
        for image_id in [image_id for image_id in self._asked if image_id in self._ready]:
            if self._write(self._ready[image_id]):
                self._asked.discard(image_id)
                self.working.emit("", 0, 0)

    def _write(self, answer: jobs.Answer, *, amend: bool = False) -> bool:
        """Writes into the image; False when it has to wait for the end of a stroke or for its document."""
        image_id = answer.image_id
        if not self._navigation.claims(image_id):
            write = partial(jobs.write_closed, self._project, self._navigation.claims, answer)
            self._files.submit(("write", image_id), write, urgency=5)
            return True
        self._known.hear(image_id, answer.prediction)
        document = self._navigation.document
        if document is None or document.editing:
            self._keep(answer)
            self._asked.add(image_id)
            self._wait.start()
            return False
        self._wait.stop()
        try:
            document.pre_annotate(answer.prediction, amend=amend)
            self._known.keep(answer, document.sequence)
        except ReviewedImage:
            pass  # reviewed while the network was at it: the person's word stands
        except ValueError as error:
            self._messages.error(f"{image_id} was not pre-annotated", error)
        return True

    # looking ahead

    def look_ahead(self) -> None:
        """Predicts the image on screen and the next ones before anybody asks; without a model it looks at them."""
        document = self._navigation.document
        if document is None or not self._read_ahead:
            return
        following = (
            record
            for record in self._images.neighbours(document.image_id, 1)
            if record.status == "untouched" and not record.problem
        )
        wanted = [] if document.reviewed else [document.image_id]
        wanted += [record.id for _, record in zip(range(_AHEAD), following, strict=False)]
        self._drop_ahead(set(wanted))
        for image_id in wanted:
            under_way = image_id in self._ahead and self._worker.has(_key(image_id))
            if image_id not in self._ready and image_id not in self._asked and not under_way:
                self._ahead.add(image_id)
                job = partial(jobs.look_ahead, self._project, self._network, self._model, image_id)
                self._worker.submit(_key(image_id), job, _SOON)

    def _drop_ahead(self, wanted: set[str]) -> None:
        """Whoever goes through the images faster than the network leaves no queue behind."""
        for image_id in self._ahead - wanted - self._asked:
            self._worker.cancel(_key(image_id))
        self._ahead &= wanted

    def _job(self, image_id: str) -> Callable[[], Job[jobs.Answer]]:
        return partial(jobs.predict, self._project, self._network, self._model, image_id)

    def _recall(self, image_id: str) -> None:
        if image_id in self._ready:
            self._known.hear(image_id, self._ready[image_id].prediction)

    def _keep(self, answer: jobs.Answer) -> None:
        self._known.hear(answer.image_id, answer.prediction)
        self._ready[answer.image_id] = answer
        self._ready.move_to_end(answer.image_id)
        while len(self._ready) > 1 and sum(kept.prediction.labels.nbytes for kept in self._ready.values()) > _KEPT:
            self._ready.popitem(last=False)
        self.ready.emit(answer.image_id)


def _key(image_id: str) -> tuple[str, str]:
    return ("predict", image_id)
