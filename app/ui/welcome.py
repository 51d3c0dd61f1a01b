"""What stands in the middle while no project is open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui import theme
from app.ui.actions import Actions
from app.ui.widgets import button, label


class Welcome(QWidget):
    """The ways into a project."""

    chosen = Signal(object)  # Path of a recent project

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.setSpacing(8)
        mark = label()
        mark.setPixmap(theme.pixmap("atrous", "text", 72))
        title = label("Atrous", "title")
        text = label("Pictures in, segmentation masks out: the network pre-segments, you correct, it learns.", "muted")
        for widget in (mark, title, text):
            layout.addWidget(widget, alignment=Qt.AlignmentFlag.AlignCenter)
        layout.addSpacing(12)
        for name in ("open_folder", "new_project", "open_sample"):
            action = actions[name]
            made = button(action.text(), action.toolTip())
            made.setIcon(action.icon())
            made.setMinimumWidth(280)
            made.clicked.connect(action.trigger)
            layout.addWidget(made, alignment=Qt.AlignmentFlag.AlignCenter)
        self._recent = QVBoxLayout()
        layout.addSpacing(12)
        layout.addLayout(self._recent)

    def show_recent(self, projects: Sequence[Path]) -> None:
        """Offers the projects that were open before."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for path in projects:
            made = button(f"{path.name}   –   {path.parent}", look="flat")
            made.clicked.connect(lambda _checked=False, path=path: self.chosen.emit(path))
            self._recent.addWidget(made, alignment=Qt.AlignmentFlag.AlignCenter)
