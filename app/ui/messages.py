"""What the program says to the person: one line over the picture, never a box in the way, and a log of all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.ui import theme
from app.ui.widgets import button

log = logging.getLogger(__name__)
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_ICONS = {"info": ("info", "accent"), "warning": ("warning", "warm"), "error": ("warning", "bad")}
_INFO_STAYS = 8000  # ms; warnings and errors stay until they are dismissed


@dataclass(frozen=True)
class Message:
    """One thing said: its kind is "info", "warning" or "error"."""

    kind: str
    text: str
    time: datetime


class Messages(QObject):
    """Where the rest of the window says something."""

    said = Signal(object, object)  # Message, (label, function) | None: what can be done about it at once
    withdrawn = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.log: list[Message] = []

    def say(self, kind: str, text: str, remedy: tuple[str, Callable[[], None]] | None = None) -> None:
        """Says a line, with a button when something can be done about it at once."""
        message = Message(kind, " ".join(text.split()), datetime.now().astimezone())
        self.log.append(message)
        log.log(_LEVELS[kind], message.text)
        self.said.emit(message, remedy)

    def error(self, what: str, error: BaseException) -> None:
        """Says that something failed and why, as one line."""
        reason = str(error) or type(error).__name__
        self.say("error", f"{what}: {reason}" if what else reason)

    def withdraw(self) -> None:
        """Takes the line away: what it said no longer matters."""
        self.withdrawn.emit()


class MessageBar(QFrame):
    """The line over the picture: the newest message, dismissable, as wide as its parent allows."""

    def __init__(self, messages: Messages, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("MessageBar")
        self._icon = QLabel()
        self.text = QLabel("", wordWrap=True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.remedy = button("")
        self.dismiss = button("", "Dismiss", look="flat", icon="close", icon_color="muted")
        self.dismiss.clicked.connect(self.hide)
        layout = self._row = QHBoxLayout(self)
        layout.setContentsMargins(12, 7, 6, 7)
        layout.setSpacing(10)
        for widget in (self._icon, self.text, self.remedy, self.dismiss):
            layout.addWidget(widget)
        self._act: Callable[[], None] | None = None
        self.remedy.clicked.connect(self._do)
        self._fade = QTimer(self, singleShot=True, interval=_INFO_STAYS)
        self._fade.timeout.connect(self.hide)
        over.installEventFilter(self)
        messages.said.connect(self._say)
        messages.withdrawn.connect(self.hide)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follows the size of what it lies over."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _say(self, message: Message, remedy: tuple[str, Callable[[], None]] | None) -> None:
        self._icon.setPixmap(theme.pixmap(*_ICONS[message.kind], 18))
        self.text.setText(message.text)
        self.setProperty("kind", message.kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self._act = remedy[1] if remedy else None
        self.remedy.setVisible(remedy is not None)
        self.remedy.setText(remedy[0] if remedy else "")
        self._fade.stop()
        if message.kind == "info":
            self._fade.start()
        self.show()
        self._place()
        self.raise_()

    def _do(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None or self.isHidden():
            return
        width = min(parent.width() - 24, 760)
        self.setGeometry((parent.width() - width) // 2, 12, width, self._row.heightForWidth(width))
