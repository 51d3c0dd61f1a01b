"""The classes of the open project, wherever the window names them, and which of them is painted."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.domain.classes import KEYS, Classes
from app.storage.project import Project
from app.ui.class_edits import ClassEdits
from app.ui.workplace import Workplace


class ClassChoice(QObject):
    """Shows the classes as they are now, and chooses among them by key or one after the other.

    What is hidden, locked or spared is chosen anew with each project.
    """

    def __init__(self, project: Project, edits: ClassEdits, place: Workplace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._edits = edits
        self._place = place
        edits.changed.connect(self._show)
        edits.added.connect(self._show_new)
        place.painting.forget_classes()
        self._show(project.settings.classes)

    def choose_key(self, key: str) -> None:
        """Paints the class of a number key."""
        self._place.painting.choose_key(self._project.settings.classes, key)

    def step(self, step: int) -> None:
        """Paints the class so many further."""
        self._place.painting.step_label(self._project.settings.classes, step)

    def ask_color(self) -> None:
        """Asks for another colour of the class that is painted."""
        index = self._place.painting.label
        label = next((label for label in self._project.settings.classes if label.index == index), None)
        if label and (color := self._place.asking.color(f"Colour of {label.name}", label.color)):
            self._edits.recolor(index, color)

    def _show(self, classes: Classes) -> None:
        place = self._place
        place.classes.show_classes(classes)
        place.window.tools.show_classes(classes)
        place.canvas.set_classes(classes)
        for key in KEYS:
            label = next((label for label in classes if label.key == key), None)
            place.actions[f"class_{key}"].setText(label.name if label else f"No class with key {key}")
        if len(classes) and place.painting.label not in [label.index for label in classes]:
            place.painting.choose_label(classes.labels[0].index)
        place.classes.show_current(place.painting.label)

    def _show_new(self, index: int) -> None:
        self._place.painting.choose_label(index)
        self._place.classes.start_rename(index)
