"""The classes of a project as rows of a list."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.domain.classes import VOID, Classes, ClassLabel, voc_color

Index = QModelIndex | QPersistentModelIndex
INDEX = Qt.ItemDataRole.UserRole
CURRENT = Qt.ItemDataRole.UserRole + 1
COLOR = Qt.ItemDataRole.UserRole + 2
KEY = Qt.ItemDataRole.UserRole + 3
HIDDEN = Qt.ItemDataRole.UserRole + 4
LOCKED = Qt.ItemDataRole.UserRole + 5


class ClassesModel(QAbstractListModel):
    """The classes, and void in the last row."""

    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self._labels: list[ClassLabel] = []
        self._hidden: frozenset[int] = frozenset()
        self._locked: frozenset[int] = frozenset()
        self.current = 0
        self.writable = False

    def reset(self, classes: Classes) -> None:
        """The classes as they are now."""
        self.beginResetModel()
        self._labels = list(classes)
        self.endResetModel()

    def row(self, index: int) -> int:
        """The row of a class, -1 where there is none."""
        return next((row for row, label in enumerate(self._labels) if label.index == index), -1)

    def mark(self, index: int) -> int:
        """Marks the class that is painted; gives its row."""
        self.current = index
        self._repaint()
        return self.row(index)

    def mark_hidden(self, hidden: frozenset[int]) -> None:
        """Marks the classes that are not shown."""
        self._hidden = hidden
        self._repaint()

    def mark_locked(self, locked: frozenset[int]) -> None:
        """Marks the classes that are not painted over."""
        self._locked = locked
        self._repaint()

    def rowCount(self, parent: Index | None = None) -> int:
        """None without classes."""
        child = parent is not None and parent.isValid()
        return 0 if child or not self._labels else len(self._labels) + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, number, colour, key, and the marks."""
        label = self._labels[index.row()] if index.row() < len(self._labels) else None
        number = VOID if label is None else label.index
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return "void" if label is None else label.name
        if role == INDEX:
            return number
        if role == COLOR:
            return voc_color(VOID) if label is None else label.color
        if role == KEY:
            return "V" if label is None else label.key
        if role == CURRENT:
            return label is not None and number == self.current
        if role == HIDDEN:
            return number in self._hidden
        if role == LOCKED:
            return number in self._locked
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A name can be edited where the project can, void cannot."""
        flags = Qt.ItemFlag.ItemIsEnabled
        named = self.writable and index.row() < len(self._labels)
        return flags | Qt.ItemFlag.ItemIsEditable if named else flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Asks for another name; the classes come back with it."""
        label = self._labels[index.row()]
        name = str(value).strip()
        if role == Qt.ItemDataRole.EditRole and name and name != label.name:
            self.renamed.emit(label.index, name)
        return False

    def _repaint(self) -> None:
        if self._labels:
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))
