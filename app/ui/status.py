"""The line at the bottom: saved or not, what the worker does, what lies under the pointer, how far it is zoomed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar

from app.storage.catalogue import ImageRecord
from app.ui import theme
from app.ui.widgets import button


class StatusBar(QStatusBar):
    """Shows what it is told; its one wish is that the work under way be stopped."""

    stop_asked = Signal()

    def __init__(self) -> None:
        super().__init__(sizeGripEnabled=False)
        self.saved = QLabel("")
        self.work = QLabel("")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedWidth(130)
        tip = "Stop what the network does   Ctrl+."
        self.stop = button("Cancel", tip, look="flat", icon="close", icon_color="muted")
        self.stop.clicked.connect(self.stop_asked)
        self.image = QLabel("")
        self.pointer = QLabel("")
        self.zoom = QLabel("")
        self.zoom.setMinimumWidth(54)
        for widget in (self.saved, self.work, self.bar, self.stop):
            self.addWidget(widget)
        for widget in (self.pointer, self.image, self.zoom):
            self.addPermanentWidget(widget)
        self.show_work("")

    def show_saved(self, text: str, failed: bool = False) -> None:
        """Says whether everything is on disk; a failure says what to do."""
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
