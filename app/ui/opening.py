"""Ways into a project: recent ones, a folder, a new one, the sample; and where its pictures are when they moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.services import opening
from app.storage.errors import NotAProject
from app.storage.project import Project
from app.ui.dialogs.asking import Asking
from app.ui.dialogs.new_project import NewProject, NewProjectDialog
from app.ui.messages import Messages
from app.ui.remembered import Remembered

_OPEN = "open project"


class Opening(QObject):
    """Opens projects in the thread of files and hands them on."""

    opening = Signal(str)  # what is being opened, for people
    opened = Signal(object)  # Project, complete; the receiver owns it
    failed = Signal()

    def __init__(
        self, files: Runner, asking: Asking, messages: Messages, remembered: Remembered, sample: Path, window: QWidget
    ) -> None:
        super().__init__(window)
        self._files = files
        self._asking = asking
        self._messages = messages
        self._remembered = remembered
        self._sample = sample
        self._window = window
        self._path: Path | None = None
        self.current: Path | None = None
        """The project that is open."""
        files.finished.connect(self._finished)
        files.failed.connect(self._failed)

    def open(self, path: Path) -> None:
        """A project, a VOC dataset, or a folder of plain pictures, which becomes a new project."""
        self._submit(path, partial(_open, path))

    def open_sample(self) -> None:
        """The sample project: a copy of the person's own, made at the first time."""
        self._submit(self._sample, partial(_open_sample, self._sample))

    def ask_folder(self) -> None:
        """Asks which folder."""
        if folder := self._asking.folder("Open folder"):
            self.open(folder)

    def ask_new(self, pictures: Path | None = None) -> None:
        """Asks for a new project, not in the way of the window's own work."""
        dialog = NewProjectDialog(self._asking, self._window, pictures)
        dialog.accepted.connect(lambda: self.create(dialog.answer()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def create(self, answer: NewProject) -> None:
        """Makes a project and opens it."""
        self._submit(answer.root, partial(_create, answer))

    def _submit(self, path: Path, job: Callable[[], Job[object]]) -> None:
        if self.current is not None and path.resolve() == self.current.resolve():
            self._messages.say("info", f"{path.name} is open already.")
            return
        if self._files.has(_OPEN):
            self._messages.say("info", "A project is being opened.")
            return
        self._path = path
        self.opening.emit(path.name)
        self._files.submit(_OPEN, job, urgency=20)

    def _finished(self, key: object, result: object) -> None:
        if key == _OPEN and isinstance(result, Project):
            self._remembered.opened(result.root)
            self.opened.emit(result)
        elif key == _OPEN and isinstance(result, Path):
            self.failed.emit()
            self.ask_new(result)

    def _failed(self, key: object, error: Exception) -> None:
        if key == _OPEN:
            self._messages.error(f"{self._path} was not opened" if self._path else "", error)
            self.failed.emit()


def _open(path: Path) -> Job[Project | Path]:
    yield Progress(text=path.name)
    try:
        return opening.open_project(path)
    except NotAProject:
        if path.is_dir():
            return path
        raise


def _open_sample(target: Path) -> Job[Project]:
    yield Progress(text="sample")
    return opening.open_sample(target)


def _create(answer: NewProject) -> Job[Project]:
    yield Progress(text=answer.root.name)
    project = opening.create_project(answer.root, answer.pictures, answer.classes.names, unpainted=answer.unpainted)
    if project.settings.classes != answer.classes:
        project.save_settings(replace(project.settings, classes=answer.classes))
    return project
