"""A list of class names with colours, for a project that does not exist yet."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.domain.classes import ClassError, Classes, Color, voc_color
from app.storage.errors import StorageError
from app.storage.settings import read_class_names
from app.ui import theme
from app.ui.dialogs.asking import Asking
from app.ui.widgets import button, tipped

_COLOR = Qt.ItemDataRole.UserRole


class ClassEditor(QWidget):
    """Names are typed in place; rows keep their order, which becomes the index."""

    changed = Signal()
    failed = Signal(str)  # why a file of names could not be read

    def __init__(self, asking: Asking) -> None:
        super().__init__()
        self._asking = asking
        self.list = tipped(QListWidget(), "Double-click a name to change it")
        self.list.setEditTriggers(QListWidget.EditTrigger.DoubleClicked | QListWidget.EditTrigger.EditKeyPressed)
        self.list.itemChanged.connect(lambda _item: self.changed.emit())
        self.list.setMinimumHeight(150)
        buttons = QHBoxLayout()
        for text, tip, act in (
            ("Add", "One more class", self.start_new),
            ("Remove", "Take the chosen class out", self.remove),
            ("Colour…", "Another colour for the chosen class", self.recolor),
            ("From a file…", "One class name a line", self.read),
        ):
            made = button(text, tip)
            made.clicked.connect(act)
            buttons.addWidget(made)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addLayout(buttons)

    def classes(self) -> Classes:
        """What is in the list; ClassError says what is wrong with it."""
        classes = Classes()
        for row in range(self.list.count()):
            item = self.list.item(row)
            classes = classes.added(item.text().strip(), item.data(_COLOR))
        if not len(classes):
            raise ClassError("add at least one class")
        return classes

    def add(self, name: str, color: Color | None = None) -> QListWidgetItem:
        """Appends a class; in VOC's colour for its index unless told."""
        item = QListWidgetItem(name)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self._paint(item, color or voc_color(self.list.count()))
        self.list.addItem(item)
        self.changed.emit()
        return item

    def start_new(self) -> None:
        """Appends a class and opens its name for typing."""
        item = self.add(f"class {self.list.count()}")
        self.list.setCurrentItem(item)
        self.list.editItem(item)

    def remove(self) -> None:
        """Takes the chosen class out."""
        if self.list.currentRow() >= 0:
            self.list.takeItem(self.list.currentRow())
            self.changed.emit()

    def recolor(self) -> None:
        """Asks for another colour of the chosen class."""
        item = self.list.currentItem()
        if item is not None and (color := self._asking.color(f"Colour of {item.text()}", item.data(_COLOR))):
            self._paint(item, color)

    def read(self) -> None:
        """Takes the names of a file, one a line, instead of those in the list."""
        path = self._asking.file("Class names", "Text (*.txt);;All files (*)")
        if path is not None:
            self.fill(path)

    def fill(self, path: Path) -> None:
        """Takes the names of a file, one a line."""
        try:
            classes = read_class_names(path)
        except (StorageError, OSError) as error:
            self.failed.emit(str(error))
            return
        self.list.clear()
        for label in classes:
            self.add(label.name)

    @staticmethod
    def _paint(item: QListWidgetItem, color: Color) -> None:
        item.setData(_COLOR, color)
        item.setIcon(QIcon(theme.swatch(color)))
        item.setToolTip(QColor(*color).name())
