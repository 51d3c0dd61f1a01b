"""Keeps the files on disk current, and says whether they are."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.storage.project import Project
from app.storage.saver import JOURNAL

_EVERY = 1000  # ms
_FLUSH = "flush"


class Saving(QObject):
    """Flushes a project every second in the thread of files; a failure is told and tried again."""

    changed = Signal(str, bool)  # what to show, whether it is a failure

    def __init__(self, project: Project, files: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._files = files
        self.problem = ""
        """Why the last flush could not write everything, and what to do; "" when it could."""
        self._timer = QTimer(self, interval=_EVERY)
        self._timer.timeout.connect(self.flush)
        files.finished.connect(self._ended)
        files.failed.connect(self._failed)
        if not project.read_only:
            self._timer.start()
        self._tell()

    @property
    def clean(self) -> bool:
        """Whether the files hold everything that was done."""
        waiting = self._project.saver.pending() + self._project.journal.unwritten
        return self._project.read_only or not (self.problem or waiting)

    def note(self) -> None:
        """Something was done: the files are behind until the next flush."""
        self._tell()

    def flush(self) -> None:
        """Asks for the files to be written; nothing happens when they are current or a flush is under way."""
        if not self.clean and not self._files.has(_FLUSH):
            self._files.submit(_FLUSH, partial(_flush, self._project), urgency=8)

    def finish(self) -> str:
        """Writes everything now and waits for it; returns what failed, "" for nothing."""
        if not self._project.read_only:
            self.changed.emit("Saving…", False)
            self._files.submit(_FLUSH, partial(_flush, self._project), urgency=30)
            self._files.wait_for(_FLUSH)
        return self.problem

    def close(self) -> None:
        """No more flushes."""
        self._timer.stop()
        self._files.finished.disconnect(self._ended)
        self._files.failed.disconnect(self._failed)

    def _ended(self, key: object, result: object) -> None:
        if key == _FLUSH:
            self._end(str(result))

    def _failed(self, key: object, error: Exception) -> None:
        if key == _FLUSH:
            self._end(str(error) or type(error).__name__)

    def _end(self, problem: str) -> None:
        self.problem = problem
        self._tell()

    def _tell(self) -> None:
        if self._project.read_only:
            self.changed.emit("Read only: nothing is written", False)
        elif self.problem:
            self.changed.emit(f"Not saved: {self.problem} Your work is kept; saving is tried again.", True)
        else:
            self.changed.emit("All saved" if self.clean else "Saving…", False)


def _flush(project: Project) -> Job[str]:
    """Writes what is waiting; returns what failed, "" for nothing."""
    yield Progress(text="saving")
    project.saver.flush()
    project.make_durable()
    failures = [why for what, why in project.saver.failures.items() if what != JOURNAL]  # it is durable as of now
    if not failures:
        return ""
    return f"{failures[0]}{f' (and {len(failures) - 1} more)' if len(failures) > 1 else ''}."
