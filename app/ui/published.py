"""Published models into the project: fetched from the network, or opened from a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QMetaObject, QObject, Signal

from app.domain.classes import Classes
from app.jobs.job import Job, Progress
from app.services import weights
from app.services.errors import Refusal
from app.services.matching import shares
from app.services.models import Models
from app.services.published import MODELS, Published, is_here, published
from app.storage.project import Project
from app.ui.dialogs.published import PublishedDialog, Row
from app.ui.versions import Versions
from app.ui.workplace import Workplace

_SOME = 12
_FILES = "Weights (*.tar.gz *.tgz *.pb *.index *.safetensors *.pth *.pt *.keras *.h5);;All files (*)"


class PublishedModels(QObject):
    """The page of one project; what is fetched comes in a thread of its own, so nothing waits for the network."""

    taken = Signal(str)  # what became of it, in words

    def __init__(self, project: Project, place: Workplace, versions: Versions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._versions = versions
        self._key = ("published", id(self))  # reports of a project before are not ours
        self._name = ""  # of what is on its way
        self.dialog: PublishedDialog | None = None
        runner = place.fetcher
        self._links: list[QMetaObject.Connection] = [
            place.actions["published_models"].triggered.connect(self.ask),
            runner.progressed.connect(self._progressed),
            runner.finished.connect(self._finished),
            runner.failed.connect(self._failed),
            runner.cancelled.connect(self._cancelled),
        ]

    def ask(self) -> PublishedDialog:
        """Shows the page beside the work, or brings it to the front."""
        if self.dialog is None:
            self.dialog = dialog = PublishedDialog(self._place.window)
            dialog.fetch_asked.connect(lambda name: self.take(published(name)))
            dialog.file_asked.connect(self.ask_file)
            dialog.stop_asked.connect(self.stop)
            dialog.finished.connect(self._closed)
            self._list()
            dialog.show_running(self._place.fetcher.has(self._key))
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()
        return self.dialog

    def ask_file(self) -> None:
        """Asks for a weight file, and takes it into the project."""
        if path := self._place.asking.file("Open a model", _FILES):
            self.take(path)

    def take(self, source: Published | Path) -> None:
        """Makes a version of a published model, which is fetched where it has to be, or of a file."""
        self._name = source.name
        if self.dialog is not None:
            self.dialog.show_running(True)
        self._place.fetcher.submit(self._key, partial(_take, self._project, source))

    def stop(self) -> None:
        """Ends what is on its way; what has come of a file is kept."""
        self._place.fetcher.cancel(self._key)

    def close(self) -> None:
        """Ends what is on its way, and listens no more."""
        self.stop()
        for link in self._links:
            QObject.disconnect(link)
        if self.dialog is not None:
            self.dialog.close()

    def _list(self) -> None:
        if self.dialog is not None:
            self.dialog.show_models([_row(model, self._project.settings.classes) for model in MODELS])

    def _closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _progressed(self, key: object, progress: Progress) -> None:
        if key == self._key and self.dialog is not None:
            self.dialog.show_progress(self._name, progress)

    def _finished(self, key: object, result: object) -> None:
        if key != self._key:
            return
        assert isinstance(result, tuple)
        said, predicts = result
        self._ended()
        self._place.messages.say("info", said)
        if predicts:
            self._versions.changed.emit(said)
        self._versions.refresh()
        self.taken.emit(said)

    def _failed(self, key: object, error: Exception) -> None:
        if key == self._key:
            self._ended(str(error) or type(error).__name__)
            self._place.messages.error("", error)

    def _cancelled(self, key: object) -> None:
        if key == self._key:
            self._ended()

    def _ended(self, problem: str = "") -> None:
        if self.dialog is not None:
            self._list()
            self.dialog.show_running(False, problem)


def _take(project: Project, source: Published | Path) -> Job[tuple[str, bool]]:
    """What became of it, in words, and whether it predicts from now on."""
    from app.services.fetching import fetch  # the downloader comes when something is fetched

    yield Progress(text="looking")
    path = source if isinstance(source, Path) else (yield from fetch(source))
    yield Progress(text="reading")
    try:
        model = weights.adopt(project, path)
    except Refusal as error:
        if isinstance(source, Path):
            raise
        raise Refusal(f"{source.name} is on this machine, but the project has not got it: {error}") from error
    if model is None:
        return f"{source.name} is a backbone: learning from scratch stands on it from now on.", False
    if not shares(model, project.settings.classes):
        return (
            f"{source.name} is in the project, as {model.version}. It knows none of this project's classes "
            f"({_some(model.classes)}): add classes of these names, or learn on from it.",
            False,
        )
    Models(project).use(model.version)
    return f"{source.name} predicts from now on, as {model.version}. Classes are matched by name.", True


def _row(model: Published, classes: Classes) -> Row:
    return Row(
        model.name, model.good_for, model.kind, model.megabytes, model.licence, is_here(model), _detail(model, classes)
    )


def _detail(model: Published, classes: Classes) -> str:
    """Which of a model's classes the project has."""
    if not model.classes:
        return "It knows no classes: in the project, learning from scratch stands on it."
    both = [name for name in model.classes if classes.by_name(name) is not None]
    head = f"The project has {len(both)} of its {len(model.classes)} classes"
    return f"{head}: {_some(both)}." if both else f"{head}. It knows {_some(model.classes)}."


def _some(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:_SOME]) + (f" and {len(names) - _SOME} more" if len(names) > _SOME else "")
