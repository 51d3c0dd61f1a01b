"""Full by itself, on a GPU, after every so many reviewed images."""

from __future__ import annotations

from PySide6.QtCore import QMetaObject, QObject

from app.services import automatic
from app.services.child import THREADS
from app.services.runs import TrainRequest
from app.storage.project import Project
from app.ui.learning import Learning
from app.ui.workplace import Workplace

EVERY = "full_every"  # in what the window remembers


class AutomaticFull(QObject):
    """Starts it when it is due and nobody learns; what comes of it is used by the rule, as ever."""

    def __init__(self, project: Project, place: Workplace, learning: Learning, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._learning = learning
        panel = place.learning
        panel.every.setValue(place.remembered.number(EVERY, automatic.EVERY))
        self._links: list[QMetaObject.Connection] = [
            place.images.model.counted.connect(self._consider),
            panel.every.valueChanged.connect(self._keep),
        ]
        if not project.read_only and automatic.reviewed_at_last_full(project) is None:
            automatic.note_full(project)  # what a dataset came with was not reviewed here

    def close(self) -> None:
        """Listens no more."""
        for link in self._links:
            QObject.disconnect(link)

    def _keep(self, every: int) -> None:
        self._place.remembered.keep(EVERY, every)
        self._consider()

    def _consider(self) -> None:
        has_gpu = self._place.network.device.startswith("cuda")
        self._place.learning.show_automatic(has_gpu)
        if self._project.read_only or self._learning.busy or not has_gpu:
            return
        every, now = self._place.learning.every.value(), self._place.images.model.count("reviewed")
        last = automatic.reviewed_at_last_full(self._project) or 0
        if automatic.due(now, last, has_gpu, every):
            self._place.messages.say("info", f"{now - last} images reviewed since the last Full: it learns by itself.")
            automatic.note_full(self._project)
            self._learning.begin(TrainRequest("full", threads=THREADS, asked=False))
