"""What the program has said so far."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.ui.messages import Messages


class LogDialog(QDialog):
    """The messages, oldest first, as text that can be copied."""

    def __init__(self, messages: Messages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Messages")
        self.resize(720, 380)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setPlainText(
            "\n".join(f"{message.time:%H:%M:%S}  {message.kind:8}{message.text}" for message in messages.log)
            or "Nothing has been said yet."
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
