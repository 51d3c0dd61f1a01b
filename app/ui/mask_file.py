"""Another mask to compare with, from a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.domain.arrays import UInt8
from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.storage import planes
from app.ui.comparing import Comparing
from app.ui.dialogs.asking import Asking
from app.ui.messages import Messages

_READ = "read mask to compare"


class MaskFile(QObject):
    """Asks for a label file (VOC's palette PNG, or grey), reads it in the thread of files, and has it shown."""

    def __init__(
        self, files: Runner, asking: Asking, comparing: Comparing, messages: Messages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._files = files
        self._asking = asking
        self._comparing = comparing
        self._messages = messages
        files.finished.connect(self._finished)
        files.failed.connect(self._failed)

    def ask(self) -> None:
        """Asks for the file."""
        if path := self._asking.file("Compare with a mask", "Masks (*.png);;All files (*)"):
            self._files.submit(_READ, partial(_read, path), urgency=9)

    def _finished(self, key: object, result: object) -> None:
        if key == _READ and not self._comparing.against(result):  # type: ignore[arg-type]  # what _read returns
            self._messages.say("warning", "That mask is of another size than the image on screen: nothing to compare.")

    def _failed(self, key: object, error: Exception) -> None:
        if key == _READ:
            self._messages.error("The mask cannot be compared", error)


def _read(path: Path) -> Job[UInt8]:
    yield Progress(text=path.name)
    return planes.read(path)[0]
