"""What the network said last of the image on screen, also before a restart: kept beside the masks."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.prediction import Prediction
from app.jobs.runner import Runner
from app.storage.errors import UnkeptPrediction
from app.storage.project import Project
from app.ui import prediction_jobs as jobs
from app.ui.messages import Messages
from app.ui.navigation import Navigation, Opened

_LOAD, _KEEP = "load prediction", "keep prediction"


class Known(QObject):
    """Knows the prediction of the image on screen; what was kept is read and written in the thread of files."""

    changed = Signal(object)  # Prediction | None

    def __init__(
        self,
        project: Project,
        navigation: Navigation,
        files: Runner,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._navigation = navigation
        self._files = files
        self._messages = messages
        self._keeping: set[str] = set()  # ids that wait for the thread of files
        self._said = False  # that the disk takes no more
        self.prediction: Prediction | None = None
        """Of the image on screen; None where nothing is known, or not yet."""
        navigation.opening.connect(lambda _image_id: self._set(None))
        navigation.opened.connect(self._look)
        files.finished.connect(self._finished)
        files.failed.connect(self._failed)

    def hear(self, image_id: str, prediction: Prediction) -> None:
        """The network has said something: newer than whatever was kept."""
        if image_id == self._navigation.wanted and prediction is not self.prediction:
            self._set(prediction)

    def keep(self, answer: jobs.Answer, sequence: int) -> None:
        """Keeps what has been written into an image, as its entry of that number."""
        job = partial(jobs.keep, self._project, answer, sequence)
        self._keeping.add(answer.image_id)
        self._files.submit((_KEEP, answer.image_id), job, urgency=4)

    def tell_unkept(self, error: UnkeptPrediction) -> None:
        """Says once that the disk takes no more predictions; everything else goes on."""
        if not self._said:
            self._said = True
            self._messages.error("", error)

    def close(self) -> None:
        """Waits until everything is kept, and listens no more."""
        for image_id in tuple(self._keeping):
            self._files.wait_for((_KEEP, image_id))
        self._files.finished.disconnect(self._finished)
        self._files.failed.disconnect(self._failed)

    def _look(self, opened: Opened) -> None:
        if self.prediction is None:
            mask = opened.document.mask
            job = partial(jobs.load, self._project, opened.image_id, mask.width, mask.height)
            self._files.submit((_LOAD, opened.image_id), job, urgency=6)

    def _set(self, prediction: Prediction | None) -> None:
        self.prediction = prediction
        self.changed.emit(prediction)

    def _finished(self, key: object, result: object) -> None:
        if isinstance(key, tuple) and key[0] == _KEEP:
            self._keeping.discard(key[1])
        elif isinstance(key, tuple) and key[0] == _LOAD and isinstance(result, Prediction) and not self.prediction:
            self.hear(key[1], result)

    def _failed(self, key: object, error: Exception) -> None:
        if isinstance(key, tuple) and key[0] == _KEEP:
            self._keeping.discard(key[1])
            if isinstance(error, UnkeptPrediction):
                self.tell_unkept(error)
            else:
                self._messages.error(f"What the network said of {key[1]} was not kept", error)
