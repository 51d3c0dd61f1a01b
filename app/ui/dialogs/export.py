"""Export: which format, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.ui.dialogs.asking import Asking
from app.ui.widgets import button, label


class ExportDialog(QDialog):
    """Asks for format and target; OK stays off until the target is a new or an empty folder."""

    def __init__(
        self, asking: Asking, formats: Mapping[str, str], suggested: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(520)
        self._asking = asking
        self.format = QComboBox()
        for name, title in formats.items():
            self.format.addItem(title, name)
        self.target = QLineEdit(str(suggested))
        choose = button("Choose…")
        choose.clicked.connect(self._ask)
        self.problem = label("", "bad", wraps=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText("Export")
        self.ok.setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.target)
        row.addWidget(choose)
        form = QFormLayout()
        form.addRow("Format", self.format)
        form.addRow("Folder", row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)
        self.target.textChanged.connect(self._check)
        self._check()

    def answer(self) -> tuple[str, Path]:
        """The format's name and the folder."""
        return self.format.currentData(), Path(self.target.text()).expanduser()

    def _ask(self) -> None:
        if folder := self._asking.folder("Export to", Path(self.target.text()).parent):
            self.target.setText(str(folder))

    def _check(self) -> None:
        target = Path(self.target.text()).expanduser()
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
        self.problem.setText("There is something already: choose a new or an empty folder." if taken else "")
        self.ok.setEnabled(bool(self.target.text().strip()) and not taken)
