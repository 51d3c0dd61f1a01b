"""Operations on a whole mask: what has to be asked before one of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from app.domain.classes import Classes
from app.ui import theme
from app.ui.panels.tool_options import UNSAID
from app.ui.widgets import label


@dataclass(frozen=True)
class Amount:
    """A number that an operation needs."""

    name: str
    unit: str
    least: int
    most: int
    usual: int


class AmountDialog(QDialog):
    """Asks for one number."""

    def __init__(self, title: str, note: str, amount: Amount, value: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = QSpinBox(minimum=amount.least, maximum=amount.most, value=value, suffix=f" {amount.unit}")
        self.number.selectAll()
        _lay_out(self, title, note, [(amount.name, self.number)])

    def answer(self) -> int:
        """The number."""
        return self.number.value()


class ReplaceDialog(QDialog):
    """Asks which class becomes which other one; void and unpainted count."""

    def __init__(
        self, title: str, note: str, classes: Classes, start: tuple[int, int], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.old, self.new = (_kinds(classes, kind) for kind in start)
        self._buttons = _lay_out(self, title, note, [("All of", self.old), ("becomes", self.new)])
        for box in (self.old, self.new):
            box.currentIndexChanged.connect(self._check)
        self._check()

    def answer(self) -> tuple[int, int]:
        """The kinds of pixels, old and new: class index, 255 for void, UNPAINTED."""
        return self.old.currentData(), self.new.currentData()

    def _check(self) -> None:
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(self.old.currentData() != self.new.currentData())


def _kinds(classes: Classes, kind: int) -> QComboBox:
    box = QComboBox()
    for one in classes:
        box.addItem(theme.swatch(one.color, 12), one.name, one.index)
    for index, name in UNSAID:
        box.addItem(name, index)
    box.setCurrentIndex(max(box.findData(kind), 0))
    return box


def _lay_out(dialog: QDialog, title: str, note: str, rows: Sequence[tuple[str, QWidget]]) -> QDialogButtonBox:
    dialog.setWindowTitle(title)
    dialog.setMinimumWidth(340)
    form = QFormLayout()
    for name, widget in rows:
        form.addRow(name, widget)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
    ok.setText(title)
    ok.setProperty("primary", True)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(18, 16, 18, 14)
    layout.setSpacing(12)
    layout.addWidget(label(note, "muted", wraps=True))
    layout.addLayout(form)
    layout.addWidget(buttons)
    return buttons
