"""The history of the image on screen: its steps by name, and a click goes to any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QVBoxLayout, QWidget

from app.ui import theme

if TYPE_CHECKING:  # the window is on screen before numpy is imported
    from app.domain.document import Document

START = "Before these steps"


class HistoryPanel(QWidget):
    """Shows the steps of one document, the oldest on top; what was undone stands faint below the current one."""

    asked = Signal(int)  # so many steps are to be done

    def __init__(self) -> None:
        super().__init__()
        self.list = StepList()
        self.list.asked.connect(self.asked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(self.list)

    def sizeHint(self) -> QSize:
        """Room for some steps."""
        return QSize(240, 190)

    def show_document(self, document: Document | None) -> None:
        """Follows another document, or none."""
        self.list.turn_to(document)

    def refresh(self) -> None:
        """Shows the history anew: it has changed without an entry."""
        self.list.refresh()


class StepList(QAbstractScrollArea):
    """Row n is the state after n steps.

    It draws the rows in view straight from the history: a step costs the same after ten and after ten thousand. Qt's
    own views take 25 to 40 ms to insert the three-thousandth row.
    """

    asked = Signal(int)  # row

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip("Click: go to the state after that step")
        self._document: Document | None = None
        self._pointed = -1  # the row under the pointer

    def turn_to(self, document: Document | None) -> None:
        """Shows the history of another document from now on, or nothing."""
        if self._document is not None and self._follow in self._document.on_entry:
            self._document.on_entry.remove(self._follow)
        self._document = document
        if document is not None:
            document.on_entry.append(self._follow)
        self.viewport().setMouseTracking(document is not None)
        self.refresh()

    @property
    def count(self) -> int:
        """How many rows there are: one more than steps; none without a document."""
        if self._document is None:
            return 0
        return 1 + len(self._document.history.done) + len(self._document.history.undone)

    @property
    def current(self) -> int:
        """The row of the current state; -1 without a document."""
        return -1 if self._document is None else len(self._document.history.done)

    def name(self, row: int) -> str:
        """What stands in a row."""
        assert self._document is not None
        done, undone = self._document.history.done, self._document.history.undone
        if row == 0:
            return START
        return done[row - 1].name if row <= len(done) else undone[row - 1 - len(done)].name

    def row_rect(self, row: int) -> QRect:
        """Where a row stands in the viewport."""
        height = self._row_height
        return QRect(0, row * height - self.verticalScrollBar().value(), self.viewport().width(), height)

    def refresh(self) -> None:
        """Shows the history as it is, with the current state in view."""
        bar, height, room = self.verticalScrollBar(), self._row_height, self.viewport().height()
        bar.setRange(0, max(0, self.count * height - room))
        bar.setPageStep(room)
        bar.setSingleStep(height)
        top = max(self.current, 0) * height
        bar.setValue(min(max(bar.value(), top + height - room), top))
        self.viewport().update()

    # Qt's events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer rows fit."""
        if self._document is not None:
            self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the rows in view."""
        if self._document is None:
            return
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.color("field"))
        first = self.verticalScrollBar().value() // self._row_height
        last = first + self.viewport().height() // self._row_height + 1
        for row in range(first, min(last + 1, self.count)):
            self._draw(painter, row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Another row is pointed at."""
        self._point(self._row_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Asks for the state after that step."""
        row = self._row_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.asked.emit(row)

    def leaveEvent(self, event: object) -> None:
        """Nothing is pointed at."""
        self._point(-1)

    # Within

    @property
    def _row_height(self) -> int:
        return self.fontMetrics().height() + 6

    def _follow(self, _entry: object) -> None:
        self.refresh()

    def _row_at(self, place: QPoint) -> int:
        row = (place.y() + self.verticalScrollBar().value()) // self._row_height
        return row if row < self.count else -1

    def _point(self, row: int) -> None:
        if row != self._pointed:
            self._pointed = row
            self.viewport().update()

    def _draw(self, painter: QPainter, row: int) -> None:
        rect, current = self.row_rect(row), self.current
        if row in (current, self._pointed):
            painter.fillRect(rect, theme.color("chosen" if row == current else "raised"))
        text = rect.adjusted(9, 0, -6, 0)
        if row == 0:
            theme.icon("history", "muted").paint(painter, QRect(text.left(), rect.center().y() - 6, 13, 13))
            text.setLeft(text.left() + 20)
        font = QFont(self.font())
        font.setItalic(row == 0)
        painter.setFont(font)
        painter.setPen(theme.color("text" if row == current else "muted" if row < current else "faint"))
        name = self.fontMetrics().elidedText(self.name(row), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
