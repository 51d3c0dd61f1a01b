"""Writes the dataset in another format."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.formats import FORMATS, Exported
from app.jobs.runner import Runner
from app.services import exchange
from app.storage.project import Project
from app.ui.dialogs.asking import Asking
from app.ui.dialogs.export import ExportDialog
from app.ui.messages import Messages

_EXPORT = "export"


class Exporting(QObject):
    """Asks for format and folder, then writes in the thread of files, between its other jobs."""

    def __init__(
        self,
        project: Project,
        files: Runner,
        asking: Asking,
        messages: Messages,
        window: QWidget,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._files = files
        self._asking = asking
        self._messages = messages
        self._window = window
        files.finished.connect(self._finished)
        files.failed.connect(self._failed)

    def ask(self) -> ExportDialog:
        """Asks where to, without standing in the way."""
        titles = {name: format_.title for name, format_ in FORMATS.items() if format_.exporter is not None}
        root = self._project.root
        dialog = ExportDialog(self._asking, titles, root.with_name(f"{root.name} export"), self._window)
        dialog.accepted.connect(lambda: self.export(*dialog.answer()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    def export(self, format_name: str, target: Path) -> None:
        """Writes the dataset to a new or an empty folder."""
        self._files.submit(_EXPORT, partial(exchange.export, self._project, target, format_name))

    def close(self) -> None:
        """Listens no more."""
        self._files.cancel(_EXPORT)
        self._files.finished.disconnect(self._finished)
        self._files.failed.disconnect(self._failed)

    def _finished(self, key: object, result: object) -> None:
        if key == _EXPORT and isinstance(result, Exported):
            tail = f" Left out: {', '.join(each.source for each in result.refused[:3])}." if result.refused else ""
            images = f"{result.images} reviewed image{'' if result.images == 1 else 's'}"
            self._messages.say("warning" if tail else "info", f"{images} exported to {result.folder}.{tail}")

    def _failed(self, key: object, error: Exception) -> None:
        if key == _EXPORT:
            self._messages.error("Nothing was exported", error)
