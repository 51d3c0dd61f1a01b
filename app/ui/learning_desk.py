"""The learn panel at work: starts and stops the learning of the open project, and goes on with one that was stopped."""

from __future__ import annotations

from PySide6.QtCore import QMetaObject, QObject

from app.services.run_folder import Unfinished
from app.ui.learning import Learning
from app.ui.versions import Versions
from app.ui.workplace import Workplace


class LearningDesk(QObject):
    """Between the panel, which stays, and the learning of one project."""

    def __init__(self, place: Workplace, learning: Learning, versions: Versions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel = place.learning
        self._versions = versions
        self._links: list[QMetaObject.Connection] = [
            panel.start_asked.connect(learning.start),
            panel.stop_asked.connect(learning.stop),
            panel.resume_asked.connect(learning.go_on),
            panel.drop_asked.connect(learning.drop),
        ]
        learning.running.connect(panel.show_running)
        learning.reported.connect(panel.show_event)
        learning.said.connect(panel.show_text)
        learning.ended.connect(panel.show_result)
        learning.looked.connect(self._show_stopped)

    def close(self) -> None:
        """Listens no more."""
        for link in self._links:
            QObject.disconnect(link)
        self._panel.show_stopped("")

    def _show_stopped(self, unfinished: Unfinished | None) -> None:
        """Offers what can go on; what it had learnt may just have become a version."""
        self._versions.refresh()
        if unfinished is None:
            self._panel.show_stopped("")
            return
        megabytes = max(1, round(unfinished.bytes / 1e6))
        how_far = f"{unfinished.run.recipe}, {unfinished.fraction:.0%}"
        self._panel.show_stopped(f"A learning was stopped ({how_far}; {megabytes:,} MB on disk).")
