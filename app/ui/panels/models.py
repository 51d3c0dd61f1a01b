"""The model versions of the project: their scores, which one predicts, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.actions import Actions
from app.ui.widgets import button, tipped

_NAME = Qt.ItemDataRole.UserRole
_IN_USE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class Version:
    """A row: what a person wants to know of a model version."""

    name: str
    miou: float | None  # on held-out images; None = not measured
    accuracy: float | None
    images: int  # learnt from
    in_use: bool
    detail: str  # classes and the rest, as a tooltip


class ModelsPanel(QWidget):
    """Shows the versions, newest first, and says what the person wants of them."""

    use_asked = Signal(str)  # version
    compare_asked = Signal(str, str)  # two versions
    rename_asked = Signal(str, str)  # version, its new name
    export_asked = Signal(str)
    delete_asked = Signal(str)

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.table = QTreeWidget()
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setHeaderLabels(["Version", "mIoU", "Pixels", "Images"])
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            self.table.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.header().setStretchLastSection(False)
        self.table.headerItem().setToolTip(1, "Mean intersection over union on held-out images; – is not measured")
        self.table.headerItem().setToolTip(2, "Share of right pixels on held-out images")
        self.table.headerItem().setToolTip(3, "How many images it has learnt from")
        self.table.itemDoubleClicked.connect(lambda item: self.use_asked.emit(item.data(0, _NAME)))
        self.table.itemSelectionChanged.connect(self._offer)
        self.table.itemChanged.connect(self._renamed)
        self.table.itemDelegate().closeEditor.connect(self._catch_up, Qt.ConnectionType.QueuedConnection)
        self._late: Sequence[Version] | None = None  # what came while a name was being typed
        self.use = button("Use", "Predict with the chosen version from now on")
        self.compare = button("Compare", "Two chosen versions side by side: scores, classes, pictures (Ctrl and click)")
        self.back = button("Go back", "Use the model that was in use before")
        self.more = tipped(button("More"), "Rename, export or delete the chosen version; get another model")
        menu = QMenu(self.more, toolTipsVisible=True)
        self.rename = menu.addAction("Rename", self.start_rename)
        self.export = menu.addAction("Export…", lambda: self.export_asked.emit(self.chosen[0]))
        self.delete = menu.addAction("Delete…", lambda: self.delete_asked.emit(self.chosen[0]))
        self.export.setToolTip("As a .safetensors file, with its card in it")
        menu.addSeparator()
        menu.addActions([actions["published_models"], actions["model_file"]])
        self.more.setMenu(menu)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.use.clicked.connect(lambda: self.use_asked.emit(self.chosen[0]))
        self.compare.clicked.connect(lambda: self.compare_asked.emit(*self.chosen))
        self.back.clicked.connect(actions["model_back"].trigger)
        actions["model_file"].changed.connect(lambda: self._set_writable(actions["model_file"].isEnabled()))
        row = QHBoxLayout()
        row.setSpacing(6)
        for made in (self.use, self.compare, self.back, self.more):
            row.addWidget(made)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addWidget(self.table)
        layout.addLayout(row)
        self._writable = False
        self._offer()

    def sizeHint(self) -> QSize:
        """As wide as the other panels."""
        return QSize(280, 250)

    @property
    def chosen(self) -> list[str]:
        """The versions in the rows that are chosen, from the top."""
        items = sorted(self.table.selectedItems(), key=self.table.indexOfTopLevelItem)
        return [str(item.data(0, _NAME)) for item in items]

    def show_versions(self, versions: Sequence[Version]) -> None:
        """Shows the versions of a project in the order given.

        Those that are chosen stay so; while a name is typed it waits.
        """
        if self.table.state() == QAbstractItemView.State.EditingState:
            self._late = versions
            return
        self._late = None
        chosen = self.chosen
        self.table.blockSignals(True)
        self.table.clear()
        for version in versions:
            item = self._row(version)
            self.table.addTopLevelItem(item)
            item.setSelected(version.name in chosen)
        self.table.blockSignals(False)
        self._offer()

    def start_rename(self) -> None:
        """Opens the editor in the row of the chosen version."""
        for item in self.table.selectedItems()[:1]:
            self.table.editItem(item, 0)

    def _row(self, version: Version) -> QTreeWidgetItem:
        item = QTreeWidgetItem([version.name, _share(version.miou), _share(version.accuracy), str(version.images)])
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setData(0, _NAME, version.name)
        item.setData(0, _IN_USE, version.in_use)
        item.setToolTip(0, version.detail)
        for column in (1, 2, 3):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if version.in_use:
            item.setIcon(0, theme.icon("review", "good"))
            font = item.font(0)
            font.setBold(True)
            item.setFont(0, font)
            item.setToolTip(0, f"In use.\n{version.detail}")
        return item

    def _renamed(self, item: QTreeWidgetItem) -> None:
        """The editor was left: the row shows the old name until the new one is the version's."""
        version, name = str(item.data(0, _NAME)), item.text(0).strip()
        self.table.blockSignals(True)
        item.setText(0, version)
        self.table.blockSignals(False)
        if name and name != version:
            self.rename_asked.emit(version, name)

    def _catch_up(self) -> None:
        if self._late is not None:
            self.show_versions(self._late)

    def _open_menu(self, place: QPoint) -> None:
        self.more.menu().popup(self.table.viewport().mapToGlobal(place))

    def _offer(self) -> None:
        items = self.table.selectedItems()
        one = self._writable and len(items) == 1
        self.use.setEnabled(one)
        self.rename.setEnabled(one)
        self.export.setEnabled(len(items) == 1)
        self.delete.setEnabled(one and not items[0].data(0, _IN_USE))
        self.delete.setToolTip("" if self.delete.isEnabled() else "The version in use stays")
        self.compare.setEnabled(len(items) == 2)

    def _set_writable(self, writable: bool) -> None:
        self._writable = writable
        self.back.setEnabled(writable)
        self._offer()


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
