"""What the window remembers from one start to the next; everything else lives in the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

_RECENT = 8  # projects


class Remembered:
    """Window state, recent projects and where the person was in each of them."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    @property
    def projects(self) -> list[Path]:
        """Recent projects that are still there, newest first."""
        stored = self._settings.value("projects", [])
        names = stored if isinstance(stored, list) else [stored] if isinstance(stored, str) else []
        return [Path(name) for name in names if Path(name).is_dir()]

    def opened(self, project: Path) -> None:
        """Puts a project first."""
        project = project.resolve()
        others = [path for path in self.projects if path != project]
        self._settings.setValue("projects", [str(path) for path in (project, *others)][:_RECENT])
        self._settings.sync()

    def forget(self, project: Path) -> None:
        """Takes a project out: it could not be opened."""
        self._settings.setValue("projects", [str(path) for path in self.projects if path != project.resolve()])

    def image(self, project: Path) -> str:
        """The image that was open last in a project, "" when none was."""
        return str(self._settings.value(f"images/{_key(project)}", ""))

    def looked_at(self, project: Path, image_id: str) -> None:
        """Remembers the open image."""
        self._settings.setValue(f"images/{_key(project)}", image_id)

    def bytes(self, name: str) -> QByteArray | None:
        """A state of Qt's: geometry, docks."""
        value = self._settings.value(name)
        return value if isinstance(value, QByteArray) else None

    def number(self, name: str, otherwise: int) -> int:
        """A whole number."""
        value = self._settings.value(name, otherwise)
        return int(value) if isinstance(value, int | str) and str(value).isdigit() else otherwise

    def word(self, name: str, among: Sequence[str], otherwise: str) -> str:
        """One of these words."""
        value = self._settings.value(name, otherwise)
        return value if isinstance(value, str) and value in among else otherwise

    def keep(self, name: str, value: QByteArray | int | str) -> None:
        """Remembers a state, a number or a word."""
        self._settings.setValue(name, value)

    def sync(self) -> None:
        """Writes it to disk."""
        self._settings.sync()


def _key(project: Path) -> str:
    return str(project.resolve()).replace("/", "|").replace("\\", "|")
