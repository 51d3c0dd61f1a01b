"""The classes: which one is painted, and their names and colours."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.classes import Classes, ClassLabel
from app.ui import theme
from app.ui.actions import Actions
from app.ui.widgets import button

Index = QModelIndex | QPersistentModelIndex
LABEL = Qt.ItemDataRole.UserRole
CURRENT = Qt.ItemDataRole.UserRole + 1


class ClassesPanel(QWidget):
    """Shows the classes and says what the person asks of them."""

    chosen = Signal(int)  # class index
    rename_asked = Signal(int, str)

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.model = _ClassesModel()
        self.model.renamed.connect(self.rename_asked)
        self.list = QListView(uniformItemSizes=True)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Row(self.list))
        self.list.setEditTriggers(QListView.EditTrigger.DoubleClicked)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setToolTip("Click: paint with this class.  Double-click: rename.")
        self.list.clicked.connect(lambda index: self.chosen.emit(index.data(LABEL).index))
        self.add = button("Add", "A new class after the last one", look="flat", icon="add")
        self.rename = button("Rename", "Give the chosen class another name; its pixels stay", look="flat")
        self.recolor = button("Colour", "Give the chosen class another colour; its pixels stay", look="flat")
        self.add.clicked.connect(actions["add_class"].trigger)
        actions["add_class"].changed.connect(lambda: self._set_writable(actions["add_class"].isEnabled()))
        self.rename.clicked.connect(actions["rename_class"].trigger)
        self.recolor.clicked.connect(actions["recolor_class"].trigger)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for made in (self.add, self.rename, self.recolor):
            buttons.addWidget(made)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.list)
        layout.addLayout(buttons)

    def sizeHint(self) -> QSize:
        """Room for a dozen classes."""
        return QSize(280, 260)

    def show_classes(self, classes: Classes) -> None:
        """Shows the classes as they are now."""
        self.model.reset(classes)

    def show_current(self, index: int) -> None:
        """Marks the class that the brush paints."""
        row = self.model.mark(index)
        if row >= 0:
            self.list.scrollTo(self.model.index(row))

    def start_rename(self, index: int | None = None) -> None:
        """Opens the editor in the row of a class, the current one when none is named."""
        row = self.model.row(self.model.current if index is None or isinstance(index, bool) else index)
        if row >= 0:
            self.list.edit(self.model.index(row))

    def _set_writable(self, writable: bool) -> None:
        for made in (self.add, self.rename, self.recolor):
            made.setEnabled(writable)
        self.model.writable = writable


class _ClassesModel(QAbstractListModel):
    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self._labels: list[ClassLabel] = []
        self.current = 0
        self.writable = False

    def reset(self, classes: Classes) -> None:
        self.beginResetModel()
        self._labels = list(classes)
        self.endResetModel()

    def row(self, index: int) -> int:
        return next((row for row, label in enumerate(self._labels) if label.index == index), -1)

    def mark(self, index: int) -> int:
        self.current = index
        if self._labels:
            self.dataChanged.emit(self.index(0), self.index(len(self._labels) - 1))
        return self.row(index)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._labels)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        label = self._labels[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return label.name
        if role == LABEL:
            return label
        if role == CURRENT:
            return label.index == self.current
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if self.writable else flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        label = self._labels[index.row()]
        name = str(value).strip()
        if role == Qt.ItemDataRole.EditRole and name and name != label.name:
            self.renamed.emit(label.index, name)
        return False


class _Row(QStyledItemDelegate):
    """Draws swatch, name and key; edits the name beside the swatch."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One height for all rows."""
        return QSize(120, option.fontMetrics.height() + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws one row."""
        label: ClassLabel = index.data(LABEL)
        current = bool(index.data(CURRENT))
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if current or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(theme.color("accent") if current else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("chosen" if current else "raised"))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        painter.setPen(QColor(255, 255, 255, 50))
        painter.setBrush(QColor(*label.color))
        side = rect.height() - 12
        painter.drawRoundedRect(QRectF(rect.left() + 8, rect.top() + 6, side * 1.3, side), 3, 3)
        if label.key:
            chip = QRectF(rect.right() - 28, rect.top() + 4.5, 20, rect.height() - 9)
            painter.setPen(theme.color("line"))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(chip, 3, 3)
            painter.setPen(theme.color("text" if current else "muted"))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, label.key)
        painter.setPen(theme.color("text"))
        text = rect.adjusted(16 + side * 1.3, 0, -34, 0)
        name = option.fontMetrics.elidedText(label.name, Qt.TextElideMode.ElideRight, int(text.width()))
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A plain line: the name is text, whatever it says."""
        editor = QLineEdit(parent)
        editor.setStyleSheet("padding: 0 4px;")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Beside the swatch."""
        editor.setGeometry(option.rect.adjusted(32, 1, -32, -1))
