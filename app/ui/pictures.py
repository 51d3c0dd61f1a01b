"""The project's pictures as files: newcomers, and a folder that moved."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.storage.catalogue import ImageRecord
from app.storage.project import Project
from app.ui.dialogs.asking import Asking
from app.ui.messages import Messages
from app.ui.panels.images_model import ImagesModel

_SCAN = "scan pictures"


class Pictures(QObject):
    """Looks for pictures again, in the same folder or in another one."""

    scanned = Signal()  # the list of images is new

    def __init__(
        self,
        project: Project,
        model: ImagesModel,
        files: Runner,
        asking: Asking,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._model = model
        self._files = files
        self._asking = asking
        self._messages = messages
        files.finished.connect(self._finished)
        files.failed.connect(self._failed)

    def refresh(self) -> None:
        """Reads the picture folder again."""
        self._files.submit(_SCAN, partial(_scan, self._project, None), urgency=9)

    def locate(self) -> None:
        """Asks where the pictures are now."""
        if folder := self._asking.folder("Where are the pictures now?", self._project.root.parent):
            self._files.submit(_SCAN, partial(_scan, self._project, folder), urgency=9)

    def offer_to_locate(self) -> None:
        """Says that pictures are missing, with the way to find them."""
        self._messages.say(
            "warning",
            "The pictures are not where they were. Your masks are safe; say where the pictures are now.",
            ("Locate…", self.locate),
        )

    def close(self) -> None:
        """Listens no more."""
        self._files.finished.disconnect(self._finished)
        self._files.failed.disconnect(self._failed)

    def _finished(self, key: object, result: object) -> None:
        if key == _SCAN and isinstance(result, list):
            before = self._model.count()
            self._model.reset(result)
            found = self._model.count() - before
            missing = self._model.count("problem")
            self._messages.say(
                "info",
                f"{len(result)} images{f', {found} new' if found > 0 else ''}"
                f"{f', {missing} with a problem' if missing else ''}.",
            )
            self.scanned.emit()

    def _failed(self, key: object, error: Exception) -> None:
        if key == _SCAN:
            self._messages.error("The list of images stays as it was", error)


def _scan(project: Project, folder: Path | None) -> Job[list[ImageRecord]]:
    yield Progress(text="looking for pictures")
    if folder is None:
        project.refresh()
    else:
        project.relocate(folder)
    return project.catalogue.images()
