"""The classes: which one is painted, which are shown and which are locked, and their names and colours."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.domain.classes import Classes
from app.ui import theme
from app.ui.actions import Actions
from app.ui.panels.classes_model import COLOR, CURRENT, HIDDEN, INDEX, KEY, LOCKED, ClassesModel, Index
from app.ui.widgets import button

_MARKS = {"hide": (72, "Show or hide it in the overlay"), "lock": (50, "Lock it: no tool paints over a locked class")}
"""What can be clicked in a row: where its icon begins, in pixels from the right, and what it does."""

_SIDE = 16  # of these icons


class ClassesPanel(QWidget):
    """Shows the classes, void below them, and says what the person asks of them."""

    chosen = Signal(int)  # class index, 255 for void
    hide_asked = Signal(int)  # the same: show it again, or no longer
    lock_asked = Signal(int)
    rename_asked = Signal(int, str)

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.model = ClassesModel()
        self.model.renamed.connect(self.rename_asked)
        self.list = _List()
        self.list.setModel(self.model)
        self.list.clicked.connect(lambda index: self.chosen.emit(index.data(INDEX)))
        self.list.hide_asked.connect(self.hide_asked)
        self.list.lock_asked.connect(self.lock_asked)
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

    def show_hidden(self, hidden: frozenset[int]) -> None:
        """Marks the classes that the overlay leaves out."""
        self.model.mark_hidden(hidden)

    def show_locked(self, locked: frozenset[int]) -> None:
        """Marks the classes that no tool paints over."""
        self.model.mark_locked(locked)

    def start_rename(self, index: int | None = None) -> None:
        """Opens the editor in the row of a class, the current one when none is named."""
        row = self.model.row(self.model.current if index is None or isinstance(index, bool) else index)
        if row >= 0:
            self.list.edit(self.model.index(row))

    def _set_writable(self, writable: bool) -> None:
        for made in (self.add, self.rename, self.recolor):
            made.setEnabled(writable)
        self.model.writable = writable


class _List(QListView):
    """A list whose rows hold things to click."""

    hide_asked = Signal(int)  # class index
    lock_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setUniformItemSizes(True)
        self.setItemDelegate(_Row(self))
        self.setEditTriggers(QListView.EditTrigger.DoubleClicked)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A mark takes the click; the rest of the row is for the list."""
        place = event.position().toPoint()
        mark = self._mark_at(place) if event.button() == Qt.MouseButton.LeftButton else None
        if mark is None:
            super().mousePressEvent(event)
        else:
            asked = self.hide_asked if mark == "hide" else self.lock_asked
            asked.emit(self.indexAt(place).data(INDEX))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On a mark just another click."""
        if self._mark_at(event.position().toPoint()) is None:
            super().mouseDoubleClickEvent(event)
        else:
            self.mousePressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Says what a click does there."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            mark = self._mark_at(event.pos())
            text = _MARKS[mark][1] if mark else "Click: paint with this class.  Double-click: rename."
            QToolTip.showText(event.globalPos(), text if self.indexAt(event.pos()).isValid() else "", self)
            return True
        return super().viewportEvent(event)

    def _mark_at(self, place: QPoint) -> str | None:
        index = self.indexAt(place)
        row = self.visualRect(index)
        return next((name for name in _MARKS if index.isValid() and mark_rect(row, name).contains(place)), None)


def mark_rect(row: QRect, name: str) -> QRect:
    """Where a mark ("hide", "lock") stands in a row, with what counts as it."""
    return QRect(row.right() - _MARKS[name][0] - 3, row.top(), _SIDE + 6, row.height())


class _Row(QStyledItemDelegate):
    """Draws swatch, name, marks and key; edits the name beside the swatch."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One height for all rows."""
        return QSize(120, option.fontMetrics.height() + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws one row."""
        current, hidden = bool(index.data(CURRENT)), bool(index.data(HIDDEN))
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if current or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(theme.color("accent") if current else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("chosen" if current else "raised"))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        painter.setPen(QColor(255, 255, 255, 50))
        painter.setBrush(QColor(*index.data(COLOR)) if not hidden else Qt.BrushStyle.NoBrush)
        side = rect.height() - 12
        painter.drawRoundedRect(QRectF(rect.left() + 8, rect.top() + 6, side * 1.3, side), 3, 3)
        if key := index.data(KEY):
            chip = QRectF(rect.right() - 28, rect.top() + 4.5, 20, rect.height() - 9)
            painter.setPen(theme.color("line"))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(chip, 3, 3)
            painter.setPen(theme.color("text" if current else "muted"))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, key)
        _draw_mark(painter, option.rect, "hide", ("eye_off", "text") if hidden else ("eye", "faint"))
        _draw_mark(painter, option.rect, "lock", ("lock", "warm") if index.data(LOCKED) else ("unlock", "faint"))
        painter.setPen(theme.color("muted" if hidden else "text"))
        text = rect.adjusted(16 + side * 1.3, 0, -80, 0)
        name = option.fontMetrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, int(text.width()))
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A plain line: the name is text, whatever it says."""
        editor = QLineEdit(parent)
        editor.setStyleSheet("padding: 0 4px;")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Beside the swatch."""
        editor.setGeometry(option.rect.adjusted(32, 1, -78, -1))


def _draw_mark(painter: QPainter, row: QRect, name: str, look: tuple[str, str]) -> None:
    box = mark_rect(row, name)
    place = QRect(box.left() + 3, box.center().y() - _SIDE // 2 + 1, _SIDE, _SIDE)
    theme.icon(*look).paint(painter, place)
