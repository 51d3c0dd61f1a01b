"""Fills the image on screen from what the person has painted in it: when asked, or after every stroke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.classes import VOID
from app.domain.document import Document, ReviewedImage
from app.domain.geometry import Rect
from app.domain.history import Entry
from app.domain.painted import Painted
from app.domain.prediction import Prediction
from app.services import filling
from app.services.errors import NothingLearnt
from app.services.model import Model
from app.storage.project import Project
from app.ui.navigation import Navigation, Opened
from app.ui.workplace import Workplace

STEP = "Fill from strokes"
_LIVE = "fill_live"  # the switch: its action, and what the window remembers of it
_NOW = 10  # urgency: on screen


@dataclass(frozen=True)
class _Request:
    """A fill that was asked for."""

    image_id: str
    live: bool
    """The program does it after a stroke, and undo takes both back; else it is a step of its own."""


class Filling(QObject):
    """One fill at a time, in the network's thread; strokes that come meanwhile ask for one more, not for one each.

    What comes back goes by the strokes of a moment ago. It is still right wherever nobody has painted since, and is
    written there; taking a step back drops it.
    """

    filled = Signal(str, object)  # image id, Prediction: written into the image on screen
    working = Signal(str, float, float)  # what for people, done, total (0: nobody knows); "" = nothing any more

    def __init__(
        self,
        project: Project,
        place: Workplace,
        model: Callable[[], Model | None],
        navigation: Navigation,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._model = model  # the version in use; asked in the worker
        self._navigation = navigation
        self._painted: Painted | None = None  # of the image on screen, once it is needed
        self._asked: _Request | None = None  # the worker has it
        self._again: _Request | None = None  # to ask for after that
        self._came: tuple[_Request, Prediction] | None = None  # waits for the end of a stroke
        self._writing = False
        self._wait = QTimer(self, interval=30)
        self._wait.timeout.connect(self._write)
        actions = place.actions
        self._switch = actions[_LIVE]
        self._switch.setChecked(bool(place.remembered.number(_LIVE, 0)))
        self._links = [
            actions["fill_rest"].triggered.connect(self.fill),
            actions["stop"].triggered.connect(self.stop),
            place.window.status.stop_asked.connect(self.stop),
            self._switch.toggled.connect(self._turn),
            place.worker.finished.connect(self._finished),
            place.worker.failed.connect(self._failed),
        ]
        navigation.opening.connect(self._leave)
        navigation.opened.connect(self._follow)

    def fill(self) -> None:
        """Fills every pixel that no human has touched, as a step of its own."""
        self._place.canvas.hand.finish()
        document = self._navigation.document
        if document is None or document.editing:
            return
        if document.reviewed:
            said = "This image is reviewed: no model writes to it. Take the review back first (Shift+Enter)."
            self._place.messages.say("info", said)
            return
        self._look(document)
        self.working.emit("Filling…", 0, 0)
        self._ask(_Request(document.image_id, live=False))

    def stop(self) -> None:
        """Drops what was asked for and is not written yet."""
        if self._asked is not None:
            self._place.worker.cancel(_key(self._asked.image_id))
        if self._asked is not None or self._came is not None:
            self.working.emit("", 0, 0)
        self._asked = self._again = self._came = None
        self._wait.stop()

    def close(self) -> None:
        """Ends the work for this project."""
        self.stop()
        for link in self._links:
            QObject.disconnect(link)

    # what the person does

    def _leave(self, _image_id: str) -> None:
        self.stop()
        self._painted = None

    def _follow(self, opened: Opened) -> None:
        opened.document.on_entry.append(partial(self._hear, opened.document))
        if self._switch.isChecked():
            self._look(opened.document)

    def _turn(self, live: bool) -> None:
        self._place.remembered.keep(_LIVE, int(live))
        document = self._navigation.document
        if live and document is not None:
            self._look(document)

    def _look(self, document: Document) -> None:
        """Knows from here on what is painted."""
        if self._painted is None:
            self._painted = Painted(document.mask, self._project.settings.working_size)

    def _hear(self, document: Document, entry: Entry) -> None:
        """Something has changed; unless people painted otherwise than before, there is nothing new to fill from."""
        if self._painted is None or self._writing or document is not self._navigation.document:
            return
        if entry.action != "do":
            self._painted.update(Rect.of(document.mask.labels))
            self.stop()
        elif entry.patch is not None and self._painted.update(entry.patch.rect):
            if not self._switch.isChecked() or document.reviewed or entry.reviewed is not None:
                return
            if (self._painted.labels == VOID).all():
                self.stop()
            else:
                self._ask(_Request(document.image_id, live=True))

    # what the worker does

    def _ask(self, request: _Request) -> None:
        assert self._painted is not None
        if self._asked is not None:
            self._again = request if self._again is None or self._again.live else self._again
            return
        self._asked = request
        painted, shown = self._painted.labels, self._painted.shown
        job = partial(filling.fill, self._project, self._place.network, self._model, request.image_id, painted, shown)
        self._place.worker.submit(_key(request.image_id), job, _NOW)

    def _take(self, key: object) -> _Request | None:
        """The request that has ended; the next one, if there is one, begins."""
        request = self._asked
        if request is None or key != _key(request.image_id):
            return None
        again, self._asked, self._again = self._again, None, None
        if again is not None:
            self._ask(again)
        return request

    def _finished(self, key: object, result: object) -> None:
        if (request := self._take(key)) is not None and isinstance(result, Prediction):
            self._came = request, result
            self._write()

    def _failed(self, key: object, error: Exception) -> None:
        if (request := self._take(key)) is None:
            return
        if not isinstance(error, NothingLearnt):
            self._switch.setChecked(False)  # or it would say so after every stroke
            self._place.messages.error(f"{request.image_id} was not filled", error)
        elif not request.live:
            self._place.messages.say("info", str(error))
        if self._asked is None:
            self.working.emit("", 0, 0)

    def _write(self) -> None:
        """Writes what has come, at the end of the stroke that is under way."""
        document = self._navigation.document
        if self._came is None or document is None:
            return
        if document.editing:
            self._wait.start()
            return
        (request, prediction), self._came = self._came, None
        self._wait.stop()
        self._writing = True
        try:
            document.pre_annotate(prediction, amend=request.live, name=STEP)
            self.filled.emit(request.image_id, prediction)
        except ReviewedImage:
            pass  # reviewed while the network was at it: the person's word stands
        except ValueError as error:
            self._place.messages.error(f"{request.image_id} was not filled", error)
        finally:
            self._writing = False
        if self._asked is None:
            self.working.emit("", 0, 0)


def _key(image_id: str) -> tuple[str, str]:
    return ("fill", image_id)
