"""The model versions of a project: which there are, which one predicts, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMetaObject, QObject, Signal

from app.jobs.job import Job, Progress
from app.services import weights
from app.services.model import SUFFIX, Model
from app.services.models import Models
from app.storage.project import Project
from app.ui.panels.models import Version
from app.ui.workplace import Workplace

_LIST = "list models"
_CHOOSE = "choose model"
_CHANGE = "change model"  # a name, a file


class Versions(QObject):
    """Acts on the versions; they are listed in the thread of files, and read in the worker, which has torch."""

    listed = Signal(object)  # list[Version], newest first
    changed = Signal(str)  # another version predicts from now on

    def __init__(self, project: Project, place: Workplace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._models = Models(project)
        self._files = place.files
        self._worker = place.worker
        self._messages = place.messages
        self._asking = place.asking
        for runner in (self._files, self._worker):
            runner.finished.connect(self._finished)
            runner.failed.connect(self._failed)
        panel, actions = place.models, place.actions
        self.listed.connect(panel.show_versions)
        self._links: list[QMetaObject.Connection] = [
            panel.use_asked.connect(self.use),
            panel.rename_asked.connect(self.rename),
            panel.export_asked.connect(self.ask_export),
            panel.delete_asked.connect(self.ask_delete),
            actions["model_back"].triggered.connect(self.go_back),
            actions["model_file"].triggered.connect(self.ask_file),
        ]

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

    def ask_file(self) -> None:
        """Asks for a model file to predict with."""
        if path := self._asking.file("Use a model file", "Models (*.safetensors);;All files (*)"):
            self.take_file(path)

    def take_file(self, path: Path) -> None:
        """Takes a model file into the project and predicts with it."""
        self._worker.submit(_CHOOSE, partial(_take, self._project, path), urgency=9)

    def rename(self, version: str, name: str) -> None:
        """Gives a version another name."""
        self._change(version, partial(_rename, self._models, version, name))

    def ask_export(self, version: str) -> None:
        """Asks where to, then writes the version there."""
        start = Path.home() / f"{version}{SUFFIX}"
        if path := self._asking.new_file(f"Export {version}", f"Models (*{SUFFIX})", start):
            out = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
            self._change(version, partial(_export, self._project, version, out))

    def ask_delete(self, version: str) -> None:
        """Asks once, then deletes the version for good."""
        if self._asking.delete(version):
            self._change(version, partial(_delete, self._models, version))

    def close(self) -> None:
        """Listens no more."""
        for link in self._links:
            QObject.disconnect(link)
        for runner in (self._files, self._worker):
            runner.finished.disconnect(self._finished)
            runner.failed.disconnect(self._failed)

    def _change(self, version: str, job: Callable[[], Job[str]]) -> None:
        self._worker.submit((_CHANGE, version), job, urgency=9)

    def _finished(self, key: object, result: object) -> None:
        if key == _LIST:
            self.listed.emit(result)
        elif key == _CHOOSE or _changes(key):
            self._messages.say("info", str(result))
            if key == _CHOOSE:
                self.changed.emit(str(result))
            self.refresh()

    def _failed(self, key: object, error: Exception) -> None:
        if key == _CHOOSE:
            self._messages.error("The model in use stays", error)
        elif key == _LIST:
            self._messages.error("The models cannot be listed", error)
        elif _changes(key):
            self._messages.error("", error)
            self.refresh()


def _changes(key: object) -> bool:
    return isinstance(key, tuple) and key[0] == _CHANGE


def _list(models: Models) -> Job[list[Version]]:
    yield Progress()
    used = models.in_use()
    return [_row(model, used is not None and model.version == used.version) for model in reversed(models.versions())]


def _row(model: Model, in_use: bool) -> Version:
    card, scores = model.card, model.scores or {}
    made = str(card["created"])[:16].replace("T", " ")
    how = ", learnt live" if card["notes"].get("live") else ", stopped early" if card["partial"] else ""
    recipe = f"{card['recipe']}{how}"
    parent = f"continues {card['parent']}\n" if card["parent"] else ""
    return Version(
        name=model.version,
        miou=scores.get("miou"),
        accuracy=scores.get("pixel_accuracy"),
        images=int(card["learnt_from"].get("images", 0)),
        in_use=in_use,
        detail=f"{recipe}, {made}\n{parent}classes: {_some(model.classes)}",
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _use(models: Models, version: str) -> Job[str]:
    yield Progress()
    return f"{models.use(version).version} predicts from now on."


def _go_back(models: Models) -> Job[str]:
    yield Progress()
    return f"{models.go_back().version} predicts again."


def _take(project: Project, path: Path) -> Job[str]:
    yield Progress()
    model = weights.adopt(project, path)
    if model is None:
        return f"{path.name} is a backbone: learning from scratch stands on it from now on."
    Models(project).use(model.version)
    return (
        f"{path.name} predicts from now on, as {model.version}. Classes are matched by name; the rest predict nothing."
    )


def _rename(models: Models, version: str, name: str) -> Job[str]:
    yield Progress()
    return f"{version} is called {models.rename(version, name).version} now."


def _export(project: Project, version: str, out: Path) -> Job[str]:
    yield Progress()
    written = weights.export_version(project, version, out)
    return f"{version} is written to {out}: {'; '.join(written.notes)}."


def _delete(models: Models, version: str) -> Job[str]:
    yield Progress()
    models.delete(version)
    return f"{version} is deleted."
