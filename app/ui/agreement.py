"""Scores every prediction as its picture is reviewed, and keeps the curve of it current."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from app.domain.history import Entry
from app.jobs.job import Job, Progress
from app.services import agreement
from app.services.agreement import Point
from app.storage.project import Project
from app.ui.class_edits import ClassEdits
from app.ui.navigation import Navigation, Opened
from app.ui.workplace import Workplace

_CURVE = "agreement curve"
_LATER, _NOW = 1, 20  # urgency: after everything that somebody waits for; before the project is closed


class Agreement(QObject):
    """Hears of every review and of every one that is taken back, undo and redo included; works in the files' thread."""

    def __init__(
        self,
        project: Project,
        place: Workplace,
        navigation: Navigation,
        class_edits: ClassEdits,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._panel = place.window.agreement
        self._due: set[str] = set()  # images that are not scored yet
        navigation.opened.connect(self._follow)
        class_edits.changed.connect(self.refresh)
        place.files.finished.connect(self._finished)
        place.files.failed.connect(self._failed)
        self.refresh()

    def refresh(self) -> None:
        """Draws the curve anew."""
        self._place.files.submit(_CURVE, partial(_curve, self._project), urgency=_LATER)

    def close(self) -> None:
        """Scores what is not scored yet, and listens no more."""
        for image_id in tuple(self._due):
            self._score(image_id, _NOW)
            self._place.files.wait_for(_key(image_id))
        self._place.files.finished.disconnect(self._finished)
        self._place.files.failed.disconnect(self._failed)
        self._panel.show_curve((), self._project.settings.classes)

    def _follow(self, opened: Opened) -> None:
        if not self._project.read_only:
            opened.document.on_entry.append(partial(self._hear, opened.image_id))

    def _hear(self, image_id: str, entry: Entry) -> None:
        if entry.reviewed is not None:
            self._due.add(image_id)
            QTimer.singleShot(0, self, partial(self._score, image_id))  # the next image is asked for before

    def _score(self, image_id: str, urgency: int = _LATER) -> None:
        if image_id in self._due:
            job = partial(agreement.score, self._project, image_id)
            self._place.files.submit(_key(image_id), job, urgency)

    def _finished(self, key: object, result: object) -> None:
        if key == _CURVE and isinstance(result, list):
            self._panel.show_curve(result, self._project.settings.classes)
        elif isinstance(key, tuple) and key[0] == "agreement":
            self._due.discard(key[1])
            if result:
                self.refresh()

    def _failed(self, key: object, error: Exception) -> None:
        if key == _CURVE:
            self._place.messages.error("The curve of agreement cannot be drawn", error)
        elif isinstance(key, tuple) and key[0] == "agreement":
            self._due.discard(key[1])
            self._place.messages.error(f"The prediction of {key[1]} was not scored", error)


def _key(image_id: str) -> tuple[str, str]:
    return ("agreement", image_id)


def _curve(project: Project) -> Job[list[Point]]:
    yield Progress()
    return agreement.curve(project)
