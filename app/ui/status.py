"""The line at the bottom: saved or not, what network and tool do, what lies under the pointer, how far it is zoomed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar

from app.ui import theme
from app.ui.widgets import button

if TYPE_CHECKING:  # the window is on screen before storage is imported
    from app.storage.catalogue import ImageRecord


SOON = 200
"""ms: what a tool has worked out by then was at once."""


class StatusBar(QStatusBar):
    """Shows what it is told; wishes that the work under way be stopped, or that what a tool works out be dropped."""

    stop_asked = Signal()
    drop_asked = Signal()

    def __init__(self) -> None:
        super().__init__(sizeGripEnabled=False)
        self.saved = QLabel("")
        self._said: tuple[str, bool] | None = None
        self.work = QLabel("")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedWidth(130)
        tip = "Stop what the network does   Ctrl+."
        self.stop = button("Cancel", tip, look="flat", icon="close", icon_color="muted")
        self.stop.clicked.connect(self.stop_asked)
        self.tool = QLabel("")
        self.drop = button("Cancel", "Drop it   Esc", look="flat", icon="close", icon_color="muted")
        self.drop.clicked.connect(self.drop_asked)
        self._patience = QTimer(self, singleShot=True, interval=SOON)
        self._patience.timeout.connect(self._show_tool)
        self.image = QLabel("")
        self.pointer = QLabel("")
        self.zoom = QLabel("")
        self.zoom.setMinimumWidth(54)
        for widget in (self.saved, self.work, self.bar, self.stop, self.tool, self.drop):
            self.addWidget(widget)
        for widget in (self.pointer, self.image, self.zoom):
            self.addPermanentWidget(widget)
        self.show_work("")
        self.show_tool("")

    def show_saved(self, text: str, failed: bool = False) -> None:
        """Says whether everything is on disk; a failure says what to do."""
        if (text, failed) == self._said:
            return  # it is told after every step, and a style sheet takes 0.3 ms
        self._said = text, failed
        self.saved.setText(text)
        self.saved.setStyleSheet(f"color: {theme.COLORS['bad' if failed else 'muted']}")

    def show_work(self, text: str, done: float = 0, total: float = 0, stoppable: bool = True) -> None:
        """Shows what the network does; an empty text means nothing, a total of 0 that nobody knows how long."""
        self.work.setText(text)
        for widget in (self.work, self.bar):
            widget.setVisible(bool(text))
        self.stop.setVisible(bool(text) and stoppable)
        self.bar.setRange(0, 1000 if total else 0)
        if total:
            self.bar.setValue(round(1000 * done / total))

    def show_tool(self, text: str) -> None:
        """Shows what a tool works out, once the person has to wait for it; an empty text means nothing."""
        self.tool.setText(f"{text}…" if text else "")
        if not text:
            self._patience.stop()
            self.tool.hide()
            self.drop.hide()
        elif self.tool.isHidden() and not self._patience.isActive():
            self._patience.start()

    def _show_tool(self) -> None:
        self.tool.show()
        self.drop.show()

    def show_image(self, record: ImageRecord | None) -> None:
        """Shows which image is open, and its status."""
        if record is None:
            self.image.setText("")
            return
        kind = "problem" if record.problem else record.status
        self.image.setText(f"{record.id}   <span style='color:{theme.STATUS_COLORS[kind]}'>{kind}</span>")

    def clear_all(self) -> None:
        """Shows nothing: no project is open."""
        self.show_saved("")
        self.show_work("")
        self.show_image(None)
        self.pointer.setText("")
        self.zoom.setText("")

    def show_pointer(self, text: str) -> None:
        """Shows what lies under the pointer."""
        self.pointer.setText(text)

    def show_zoom(self, factor: float) -> None:
        """Shows device pixels a picture pixel, in percent."""
        self.zoom.setText(f"{factor:.0%}" if factor < 10 else f"{factor:.0f} ×")
