"""The model versions of the project: their scores, and which one predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.actions import Actions
from app.ui.widgets import button


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
    """Shows the versions, newest first, and says which one the person wants."""

    use_asked = Signal(str)  # version

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.table = QTreeWidget()
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setHeaderLabels(["Version", "mIoU", "Pixels", "Images"])
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            self.table.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.header().setStretchLastSection(False)
        self.table.headerItem().setToolTip(1, "Mean intersection over union on held-out images; – is not measured")
        self.table.headerItem().setToolTip(2, "Share of right pixels on held-out images")
        self.table.headerItem().setToolTip(3, "How many images it has learnt from")
        self.table.itemDoubleClicked.connect(lambda item: self.use_asked.emit(item.data(0, Qt.ItemDataRole.UserRole)))
        self.table.itemSelectionChanged.connect(self._offer)
        self.use = button("Use", "Predict with the chosen version from now on")
        self.use.clicked.connect(self._use)
        self.back = button("Go back", "Use the model that was in use before")
        self.back.clicked.connect(actions["model_back"].trigger)
        self.file = button("Use a model file…", actions["model_file"].toolTip())
        self.file.clicked.connect(actions["model_file"].trigger)
        actions["model_file"].changed.connect(lambda: self._set_writable(actions["model_file"].isEnabled()))
        row = QHBoxLayout()
        row.setSpacing(6)
        for made in (self.use, self.back, self.file):
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

    def show_versions(self, versions: Sequence[Version]) -> None:
        """Shows the versions of a project in the order given."""
        self.table.clear()
        for version in versions:
            item = QTreeWidgetItem([version.name, _share(version.miou), _share(version.accuracy), str(version.images)])
            item.setData(0, Qt.ItemDataRole.UserRole, version.name)
            item.setToolTip(0, version.detail)
            for column in (1, 2, 3):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if version.in_use:
                item.setIcon(0, theme.icon("review", "good"))
                font = item.font(0)
                font.setBold(True)
                item.setFont(0, font)
                item.setToolTip(0, f"In use.\n{version.detail}")
            self.table.addTopLevelItem(item)
        self._offer()

    def _offer(self) -> None:
        self.use.setEnabled(self._writable and bool(self.table.selectedItems()))

    def _use(self) -> None:
        for item in self.table.selectedItems():
            self.use_asked.emit(item.data(0, Qt.ItemDataRole.UserRole))

    def _set_writable(self, writable: bool) -> None:
        self._writable = writable
        self.back.setEnabled(writable)
        self.file.setEnabled(writable)
        self._offer()


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
