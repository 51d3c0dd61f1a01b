"""The list of images: status marks, search, filter, and how far the person is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QListView,
    QProgressBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.panels.images_model import FILTERS, RECORD, ImagesModel
from app.ui.widgets import label, tipped

if TYPE_CHECKING:  # the window is on screen before storage is imported
    from app.storage.catalogue import ImageRecord

_TITLES = {"all": "All images", "problem": "With a problem"}


class ImagesPanel(QWidget):
    """Shows an ImagesModel; says which image the person picks, and follows the one that is open."""

    chosen = Signal(str)  # image id
    filtered = Signal(str)  # the status shown

    def __init__(self, model: ImagesModel) -> None:
        super().__init__()
        self.model = model
        self.search = QLineEdit(placeholderText="Search images", clearButtonEnabled=True)
        self.search.addAction(theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self.search.textChanged.connect(self._filter)
        self.status = tipped(QComboBox(), "Which images the list, next and previous go through")
        for kind in FILTERS:
            self.status.addItem(_TITLES.get(kind, kind.capitalize()), kind)
        self.status.currentIndexChanged.connect(self._filter)
        self.list = _List()
        self.list.setModel(model)
        self.list.clicked.connect(self._pick)
        self.list.activated.connect(self._pick)
        self.position = label("", "muted")
        self.bar = QProgressBar(textVisible=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(6)
        for widget in (self.search, self.status, self.list, self.position, self.bar):
            layout.addWidget(widget)
        self._current: str | None = None
        model.counted.connect(self._count)
        model.modelReset.connect(self._select)
        self._count()

    def sizeHint(self) -> QSize:
        """Wide enough for a file's name."""
        return QSize(240, 600)

    def show_status(self, status: str) -> None:
        """Filters by a status, as from the menu."""
        self.status.setCurrentIndex(self.status.findData(status))

    def show_current(self, image_id: str | None) -> None:
        """Marks the image that is open and brings its row into view."""
        self._current = image_id
        self._select()

    def _filter(self) -> None:
        status = self.status.currentData()
        self.model.show_only(status, self.search.text())
        self.filtered.emit(status)

    def _select(self) -> None:
        row = self.model.row(self._current or "")
        if row >= 0:
            index = self.model.index(row)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
        else:
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())
        self._say_place()

    def _say_place(self) -> None:
        row = self.model.row(self._current or "")
        shown, total = self.model.rowCount(), self.model.count()
        place = f"{row + 1} of {shown}" if row >= 0 else f"{shown} shown" if shown else "none shown"
        self.position.setText(
            f"{place}   ·   {self.model.count('reviewed')} of {total} reviewed" if total else "No images"
        )

    def _count(self) -> None:
        for row, kind in enumerate(FILTERS):
            title = _TITLES.get(kind, kind.capitalize())
            self.status.setItemText(row, f"{title}   {self.model.count(kind)}")
        self.bar.setRange(0, max(1, self.model.count()))
        self.bar.setValue(self.model.count("reviewed"))
        self.bar.setToolTip(f"{self.model.count('reviewed')} of {self.model.count()} images reviewed")
        self._say_place()

    def _pick(self, index: QModelIndex) -> None:
        image_id = self.model.image_at(index.row())
        if image_id is not None and image_id != self._current:
            self.chosen.emit(image_id)


class _List(QListView):
    """A list that leaves letters to the tools."""

    def __init__(self) -> None:
        super().__init__()
        self.setUniformItemSizes(True)
        self.setItemDelegate(_Row(self))
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def keyboardSearch(self, search: str) -> None:
        """Does nothing: B is the brush, not an image that begins with b."""


class _Row(QStyledItemDelegate):
    """Draws mark, name and split."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """One height for all rows."""
        return QSize(120, option.fontMetrics.height() + 12)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draws one row."""
        record: ImageRecord = index.data(RECORD)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("chosen" if chosen else "raised"))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1, 1, -1, -1), 4, 4)
        mark = QRectF(option.rect.left() + 8, option.rect.center().y() - 6, 13, 13)
        draw_mark(painter, mark, "problem" if record.problem else record.status)
        text = option.rect.adjusted(30, 0, -8, 0)
        if record.split:
            painter.setPen(theme.color("faint"))
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, record.split)
            text.setRight(text.right() - option.fontMetrics.horizontalAdvance(record.split) - 8)
        self._name(painter, text, option, record, chosen)
        painter.restore()

    def _name(
        self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, record: ImageRecord, chosen: bool
    ) -> None:
        dim = record.status == "skipped" or record.problem
        painter.setPen(theme.color("text" if chosen else "muted" if dim else "text"))
        name = option.fontMetrics.elidedText(record.file, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)


def draw_mark(painter: QPainter, rect: QRectF, kind: str) -> None:
    """The mark of a status: told apart by its shape as well as by its colour."""
    tone = QColor(theme.STATUS_COLORS[kind])
    painter.setPen(QPen(tone, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = rect.adjusted(1.5, 1.5, -1.5, -1.5)
    if kind == "reviewed":
        painter.drawPolyline(
            QPolygonF(
                [
                    QPointF(rect.left() + 1.5, rect.center().y() + 0.5),
                    QPointF(rect.left() + 5, rect.bottom() - 2.5),
                    QPointF(rect.right() - 1, rect.top() + 2.5),
                ]
            )
        )
    elif kind == "skipped":
        painter.drawLine(QPointF(inner.left(), inner.center().y()), QPointF(inner.right(), inner.center().y()))
    elif kind == "problem":
        x = inner.center().x()
        painter.drawLine(QPointF(x, inner.top()), QPointF(x, inner.bottom() - 3.5))
        painter.drawPoint(QPointF(x, inner.bottom()))
    else:
        painter.drawEllipse(inner)
        painter.setBrush(tone)
        if kind == "predicted":
            painter.drawChord(inner, 90 * 16, 180 * 16)
        elif kind == "corrected":
            painter.drawEllipse(inner)
