"""Every key on one page, made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.actions import ENTRIES, Entry, key_text

_COLUMNS = (("Project", "Edit", "Tools"), ("Classes", "Image", "Show"), ("Learn", "View", "Help"))
POINTER = (
    ("Paint", "left button"),
    ("Pick class", "right button"),
    ("Line, square, circle", "Shift"),
    ("Empty with a shape", "Ctrl"),
    ("Brush size", "Ctrl and wheel"),
    ("Zoom", "wheel"),
    ("Pan", "middle button, or Space and drag"),
)


class KeysDialog(QDialog):
    """Shows the keys; stays open beside the work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        columns = QHBoxLayout()
        columns.setSpacing(36)
        for menus in _COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(14)
            for menu in menus:
                rows = [(_name(entry), key_text(entry)) for entry in ENTRIES if entry.menu == menu and _listed(entry)]
                column.addLayout(
                    _block(menu, [*rows, ("Class with that key", "1 … 9, 0")] if menu == "Classes" else rows)
                )
            if "View" in menus:
                column.addLayout(_block("Mouse and pen", POINTER))
            column.addStretch()
            columns.addLayout(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 14)
        layout.setSpacing(14)
        layout.addLayout(columns)
        layout.addWidget(buttons)


def _listed(entry: Entry) -> bool:
    return bool(entry.keys) and not entry.name.removeprefix("class_").isdigit()


def _name(entry: Entry) -> str:
    return entry.text.rstrip("…")


def _block(title: str, rows: Sequence[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(3)
    head = QLabel(title)
    head.setProperty("heading", True)
    grid.addWidget(head, 0, 0, 1, 2)
    for line, (name, keys) in enumerate(rows, start=1):
        key = QLabel(keys, alignment=Qt.AlignmentFlag.AlignRight)
        key.setStyleSheet(f"color: {theme.COLORS['accent']}")
        grid.addWidget(QLabel(name), line, 0)
        grid.addWidget(key, line, 1)
    grid.setColumnStretch(0, 1)
    return grid
