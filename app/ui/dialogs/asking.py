"""The short questions: which folder, file or colour, whether a model may go, what to do with a save that fails."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QFileDialog, QMessageBox, QWidget

from app.domain.classes import Color


class Asking:
    """Asks over a window; every answer is None or False when the person walks away."""

    def __init__(self, window: QWidget) -> None:
        self._window = window

    def folder(self, title: str, start: Path | None = None) -> Path | None:
        """A folder that exists."""
        chosen = QFileDialog.getExistingDirectory(self._window, title, str(start or Path.home()))
        return Path(chosen) if chosen else None

    def file(self, title: str, pattern: str, start: Path | None = None) -> Path | None:
        """A file that exists; pattern as Qt has it: "Models (*.safetensors)"."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, title, str(start or Path.home()), pattern)
        return Path(chosen) if chosen else None

    def new_file(self, title: str, pattern: str, start: Path) -> Path | None:
        """A file to write; whoever writes it refuses one that exists."""
        keep = QFileDialog.Option.DontConfirmOverwrite
        chosen, _ = QFileDialog.getSaveFileName(self._window, title, str(start), pattern, "", keep)
        return Path(chosen) if chosen else None

    def delete(self, version: str) -> bool:
        """Whether to delete a model version for good."""
        box = QMessageBox(QMessageBox.Icon.Question, "Delete", f"Delete {version} for good?", parent=self._window)
        box.setInformativeText("Its file goes, and cannot be brought back. No mask changes.")
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.exec()
        return box.clickedButton() is delete

    def color(self, title: str, start: Color) -> Color | None:
        """A colour; the dialog is Qt's own, so that it looks the same everywhere."""
        chosen = QColorDialog.getColor(
            QColor(*start), self._window, title, QColorDialog.ColorDialogOption.DontUseNativeDialog
        )
        return (chosen.red(), chosen.green(), chosen.blue()) if chosen.isValid() else None

    def quit_unsaved(self, reason: str) -> bool:
        """Whether to quit although files could not be written."""
        box = QMessageBox(QMessageBox.Icon.Warning, "Not everything could be saved", reason, parent=self._window)
        box.setInformativeText(
            "Your work is in the project's journal and comes back when the project is opened again. "
            "Keep the window open to make room or reconnect the disk; saving is tried again every second."
        )
        stay = box.addButton("Keep open", QMessageBox.ButtonRole.RejectRole)
        leave = box.addButton("Quit anyway", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.exec()
        return box.clickedButton() is leave
