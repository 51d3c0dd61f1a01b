"""Keeps the learn panel up to what a learning would learn from."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QMetaObject, QObject

from app.services import material
from app.services.material import Counts, Material
from app.storage.project import Project
from app.ui.saving import Saving
from app.ui.workplace import Workplace

_COUNT = "count what would be learnt from"


class LearningMaterial(QObject):
    """Counts in the thread of files, again whenever masks have been written; only what has changed is read."""

    def __init__(self, project: Project, place: Workplace, saving: Saving, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._saving = saving
        self._counts = Counts()
        saving.changed.connect(self.count)
        files = place.files
        self._links: list[QMetaObject.Connection] = [
            files.finished.connect(self._finished),
            files.failed.connect(self._failed),
        ]

    def count(self) -> None:
        """Counts again, once the files hold everything and nothing more urgent is to be done."""
        if self._saving.clean:
            self._place.files.submit(_COUNT, partial(material.count, self._project, self._counts), urgency=0)

    def close(self) -> None:
        """Listens no more."""
        self._place.files.cancel(_COUNT)
        for link in self._links:
            QObject.disconnect(link)
        self._place.learning.show_material(None)

    def _finished(self, key: object, result: object) -> None:
        if key == _COUNT and isinstance(result, Material):
            self._place.learning.show_material(result)

    def _failed(self, key: object, error: Exception) -> None:
        if key == _COUNT:
            self._place.messages.error("What would be learnt from cannot be counted", error)
