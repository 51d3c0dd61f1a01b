"""The model versions of a project: which there are, and which one predicts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.services.models import Model, Models
from app.storage.project import Project
from app.ui.messages import Messages
from app.ui.panels.models import Version

_LIST = "list models"
_CHOOSE = "choose model"


class Versions(QObject):
    """Chooses among the versions; they are listed in the thread of files, and read in the worker, which has torch."""

    listed = Signal(object)  # list[Version], newest first
    changed = Signal(str)  # another version predicts from now on

    def __init__(
        self, project: Project, files: Runner, worker: Runner, messages: Messages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._models = Models(project)
        self._files = files
        self._worker = worker
        self._messages = messages
        for runner in (files, worker):
            runner.finished.connect(self._finished)
            runner.failed.connect(self._failed)

    def in_use(self) -> Model | None:
        """The version that predicts; asked by the worker before each prediction."""
        return self._models.in_use()

    def refresh(self) -> None:
        """Lists the versions again."""
        self._files.submit(_LIST, partial(_list, self._models), urgency=3)

    def use(self, version: str) -> None:
        """Predicts with this version from now on."""
        self._worker.submit(_CHOOSE, partial(_use, self._models, version), urgency=9)

    def go_back(self) -> None:
        """Predicts with the version that was in use before."""
        self._worker.submit(_CHOOSE, partial(_go_back, self._models), urgency=9)

    def take_file(self, path: Path) -> None:
        """Takes a model file into the project and predicts with it."""
        self._worker.submit(_CHOOSE, partial(_take, self._models, path), urgency=9)

    def close(self) -> None:
        """Listens no more."""
        for runner in (self._files, self._worker):
            runner.finished.disconnect(self._finished)
            runner.failed.disconnect(self._failed)

    def _finished(self, key: object, result: object) -> None:
        if key == _LIST:
            self.listed.emit(result)
        elif key == _CHOOSE:
            self._messages.say("info", str(result))
            self.changed.emit(str(result))
            self.refresh()

    def _failed(self, key: object, error: Exception) -> None:
        if key == _CHOOSE:
            self._messages.error("The model in use stays", error)
        elif key == _LIST:
            self._messages.error("The models cannot be listed", error)


def _list(models: Models) -> Job[list[Version]]:
    yield Progress()
    used = models.in_use()
    return [_row(model, used is not None and model.version == used.version) for model in reversed(models.versions())]


def _row(model: Model, in_use: bool) -> Version:
    card, scores = model.card, model.scores or {}
    made = str(card["created"])[:16].replace("T", " ")
    recipe = f"{card['recipe']}, stopped early" if card["partial"] else str(card["recipe"])
    return Version(
        name=model.version,
        miou=scores.get("miou"),
        accuracy=scores.get("pixel_accuracy"),
        images=int(card["learnt_from"].get("images", 0)),
        in_use=in_use,
        detail=f"{recipe}, {made}\nclasses: {_some(model.classes)}",
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _use(models: Models, version: str) -> Job[str]:
    yield Progress()
    return f"{models.use(version).version} predicts from now on."


def _go_back(models: Models) -> Job[str]:
    yield Progress()
    return f"{models.go_back().version} predicts again."


def _take(models: Models, path: Path) -> Job[str]:
    yield Progress()
    model = models.use(models.adopt(path, name=path.stem).version)
    return (
        f"{path.name} predicts from now on, as {model.version}. Classes are matched by name; the rest predict nothing."
    )
