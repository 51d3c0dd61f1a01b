"""The page of published models: what each is good for, its size and licence, and whether it is on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.jobs.job import Progress
from app.ui import theme
from app.ui.widgets import button, label, tipped

_NAME = Qt.ItemDataRole.UserRole
_HERE = Qt.ItemDataRole.UserRole + 1
_DETAIL = Qt.ItemDataRole.UserRole + 2
_STEPS = 1000
_NOTE = (
    "Networks that others have published. Fetched once, a model stays on this machine and works offline; in the "
    "project it becomes a version, and its classes are matched with yours by name."
)


@dataclass(frozen=True)
class Row:
    """What a person wants to know of a published model."""

    name: str
    good_for: str
    kind: str  # "21 classes", "backbone"
    megabytes: int
    licence: str
    here: bool
    detail: str  # its classes, and which of them the project has


class PublishedDialog(QDialog):
    """Lists the models and says what the person wants; stays open beside the work."""

    fetch_asked = Signal(str)  # name
    file_asked = Signal()
    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Published models")
        self.resize(940, 500)
        self.table = QTreeWidget()
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setHeaderLabels(["Model", "Good for", "What", "Size", "Licence", "Here"])
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.headerItem().setToolTip(5, "Whether it is on this machine already")
        self.table.itemSelectionChanged.connect(self._offer)
        self.table.itemDoubleClicked.connect(lambda _item: self._ask())
        self.detail = label("", wraps=True)
        self.file = button("Open from a file…", "Weights that you have already: what the zoo, timm or Atrous writes")
        self.fetch = button("Fetch", look="primary")
        close = button("Close")
        self.stop = tipped(button("Stop"), "What has come is kept, and gone on with the next time")
        self.bar = QProgressBar(textVisible=False, maximum=_STEPS)
        self.said = label("", "muted")
        self.problem = label("", "bad", wraps=True)
        self.file.clicked.connect(self.file_asked)
        self.fetch.clicked.connect(self._ask)
        self.stop.clicked.connect(self.stop_asked)
        close.clicked.connect(self.reject)
        working = QHBoxLayout()
        working.addWidget(self.bar, 1)
        working.addWidget(self.said)
        working.addWidget(self.stop)
        row = QHBoxLayout()
        row.addWidget(self.file)
        row.addStretch()
        row.addWidget(self.fetch)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(label(_NOTE, "muted", wraps=True))
        layout.addWidget(self.table)
        layout.addWidget(self.detail)
        layout.addLayout(working)
        layout.addWidget(self.problem)
        layout.addLayout(row)
        self.fetch.setDefault(True)  # once it is the dialog's
        self.table.setFocus()
        self._running = False
        self.show_running(False)

    @property
    def chosen(self) -> str | None:
        """The model of the row that is chosen."""
        items = self.table.selectedItems()
        return str(items[0].data(0, _NAME)) if items else None

    def show_models(self, rows: Sequence[Row]) -> None:
        """Shows the models in the order given; the one that is chosen stays so."""
        chosen = self.chosen or rows[0].name
        self.table.clear()
        for row in rows:
            item = _item(row)
            self.table.addTopLevelItem(item)
            item.setSelected(row.name == chosen)
        self._offer()

    def show_running(self, running: bool, problem: str = "") -> None:
        """Whether something is on its way, and what went wrong with it."""
        self._running = running
        self.bar.setRange(0, 0 if running else _STEPS)
        for widget in (self.bar, self.said, self.stop):
            widget.setVisible(running)
        self.said.clear()
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._offer()

    def show_progress(self, name: str, progress: Progress) -> None:
        """How far it is; a bar that runs to and fro where nobody knows."""
        self.bar.setRange(0, _STEPS if progress.total else 0)
        if progress.total:
            self.bar.setValue(round(_STEPS * progress.done / progress.total))
        self.said.setText(f"{name}: {progress.text}" if progress.text else name)

    def _ask(self) -> None:
        if self.fetch.isEnabled() and self.chosen is not None:
            self.fetch_asked.emit(self.chosen)

    def _offer(self) -> None:
        items = self.table.selectedItems()
        here = bool(items and items[0].data(0, _HERE))
        self.detail.setText(str(items[0].data(0, _DETAIL)) if items else "")
        self.fetch.setText("Add to the project" if here else "Fetch")
        self.fetch.setToolTip("" if here else "Downloads the model and adds it to the project")
        self.fetch.setEnabled(bool(items) and not self._running)
        self.file.setEnabled(not self._running)


def _item(row: Row) -> QTreeWidgetItem:
    item = QTreeWidgetItem([row.name, row.good_for, row.kind, f"{row.megabytes} MB", row.licence, ""])
    item.setData(0, _NAME, row.name)
    item.setData(0, _HERE, row.here)
    item.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setData(0, _DETAIL, f"{row.good_for}. {row.detail}")
    if row.here:
        item.setIcon(5, theme.icon("review", "good"))
    for column in range(6):
        item.setToolTip(column, f"{'On this machine.' if row.here else 'Not on this machine yet.'}\n{row.detail}")
    return item
