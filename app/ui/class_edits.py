"""Adds, renames and recolours classes; indices stay, so no mask changes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.domain.classes import ClassError, Classes, Color
from app.services.models import Models
from app.storage.errors import StorageError
from app.storage.project import Project
from app.ui.messages import Messages


class ClassEdits(QObject):
    """Changes the classes of one project."""

    changed = Signal(object)  # Classes
    added = Signal(int)  # class index

    def __init__(self, project: Project, messages: Messages, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._messages = messages

    def add(self) -> None:
        """One more class after the last, under a name that is free."""
        classes = self._project.settings.classes
        number = len(classes)
        while classes.by_name(f"class {number}"):
            number += 1
        try:
            new = classes.added(f"class {number}")
        except ClassError as error:
            self._messages.error("The class was not added", error)
            return
        if self._save(new):
            self.added.emit(new.labels[-1].index)

    def rename(self, index: int, name: str) -> None:
        """Gives a class another name."""
        try:
            classes = self._project.settings.classes.renamed(index, name)
        except ClassError as error:
            self._messages.error("The class keeps its name", error)
            return
        self._save(classes, renamed=index)

    def recolor(self, index: int, color: Color) -> None:
        """Gives a class another colour."""
        self._save(self._project.settings.classes.recolored(index, color))

    def _save(self, classes: Classes, renamed: int | None = None) -> bool:
        settings = self._project.settings
        unpainted = settings.unpainted
        if renamed is not None and unpainted == settings.classes[renamed].name:
            unpainted = classes[renamed].name
        try:
            self._project.save_settings(replace(settings, classes=classes, unpainted=unpainted))
        except (StorageError, OSError) as error:
            self._messages.error("The classes could not be saved and stay as they were", error)
            return False
        if renamed is not None:
            self._tell_models(settings.classes[renamed].name, classes[renamed].name)
        self.changed.emit(classes)
        return True

    def _tell_models(self, old: str, new: str) -> None:
        try:
            Models(self._project).rename_class(old, new)
        except StorageError as error:
            self._messages.error(f"The models still call {new} {old}; rename it back and try again", error)
