"""Which image is on screen: opens it, goes to the next, and has the neighbours' pictures ready."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.domain.document import Document
from app.domain.history import Entry
from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.services import editing
from app.storage import images
from app.storage.catalogue import ImageRecord
from app.storage.errors import StorageError
from app.storage.project import Project
from app.ui.canvas import Photo
from app.ui.panels.images_model import DONE, ImagesModel

log = logging.getLogger(__name__)
T = TypeVar("T")
_OPEN = "open"
_PREVIEWED = 8_000_000  # pixels, from which a picture takes so long that a coarse one comes first
_COARSE = 1600  # pixels, longest side of that, about: as much as a window shows
_JPEG = (".jpg", ".jpeg", ".jpe")  # others take as long for a coarse picture as for a sharp one
_KEPT = 300_000_000  # bytes of pictures kept ready; the newest one stays whatever its size


@dataclass(frozen=True)
class Opened:
    """The image on screen. The document belongs to the window's thread from now on."""

    image_id: str
    photo: Photo
    """Sharp, or a coarse preview of it, until `Navigation.sharpened`."""

    document: Document


class Navigation(QObject):
    """Moves through the images of one project."""

    opening = Signal(str)  # image id, at once; the one before is closed
    opened = Signal(object)  # Opened, from now on there is a document to work on
    sharpened = Signal(object)  # Opened: the same with its sharp picture, where `opened` came with a preview
    failed = Signal(str, str)  # image id, why it cannot be shown
    troubled = Signal(str)  # why the disk did not take a change, which stays in memory

    def __init__(self, project: Project, model: ImagesModel, files: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._model = model
        self._files = files
        self._photos: OrderedDict[str, Photo] = OrderedDict()
        self._direction = 0  # where to go on when a picture cannot be read; 0 = nowhere
        self.wanted: str | None = None
        self.opened_image: Opened | None = None
        self.before_leaving: list[Callable[[], object]] = []
        """Called while the image still is on screen: finish the stroke."""
        files.progressed.connect(self._previewed)
        files.finished.connect(self._loaded)
        files.failed.connect(self._failed)

    @property
    def document(self) -> Document | None:
        """The document of the image on screen."""
        return self.opened_image.document if self.opened_image else None

    def claims(self, image_id: str) -> bool:
        """Whether the window has the image's document, or is about to; safe to ask from any thread."""
        return self.wanted == image_id

    def open(self, image_id: str, direction: int = 0) -> None:
        """Leaves the image on screen and brings another one there as soon as it is decoded."""
        if image_id == self.wanted and self.opened_image is not None:
            return
        self.leave()
        self._direction = direction
        self.wanted = image_id
        self._model.drop_stale(image_id)
        self.opening.emit(image_id)
        photo = self._photos.get(image_id)
        self._files.submit(_OPEN, partial(_load, self._project, image_id, photo), urgency=10)

    def leave(self) -> None:
        """Closes the image on screen; its document is in the journal up to the last stroke."""
        if self.opened_image is not None:
            self._finish_work()
        self.opened_image = None
        self.wanted = None
        self._files.cancel(_OPEN)

    def next(self) -> None:
        """The next image of the list that can be shown."""
        self._step(1, lambda record: True)

    def previous(self) -> None:
        """The one before."""
        self._step(-1, lambda record: True)

    def next_open(self) -> bool:
        """The next image that is neither reviewed nor skipped, from the top again when there is none below."""
        starts = (self.wanted, None)
        return any(self._step(1, lambda record: record.status not in DONE, start) for start in starts)

    def update(self, image_id: str) -> None:
        """Reads an image's state again: its status has changed."""
        record = self._project.catalogue.image(image_id)
        if record is not None:
            self._model.update(record)

    def close(self) -> None:
        """Stops everything that this project still loads."""
        self.leave()
        self._files.progressed.disconnect(self._previewed)
        self._files.finished.disconnect(self._loaded)
        self._files.failed.disconnect(self._failed)

    def _step(self, step: int, fits: Callable[[ImageRecord], bool], start: str | None = "") -> bool:
        here = self.wanted
        for record in self._model.neighbours(here if start == "" else start, step):
            if not record.problem and record.id != here and fits(record):
                self.open(record.id, step)
                return True
        return False

    def _previewed(self, key: object, progress: Progress) -> None:
        if key == _OPEN and isinstance(progress.value, Opened):
            self._show(progress.value)

    def _show(self, opened: Opened) -> None:
        self.opened_image = opened
        self.update(opened.image_id)
        recorders = opened.document.on_entry
        recorders[:] = [partial(self._record, recorder) for recorder in recorders]
        recorders.append(lambda _entry: self.update(opened.image_id))
        self.opened.emit(opened)

    def _loaded(self, key: object, result: object) -> None:
        if key == _OPEN and isinstance(result, Opened):
            self._keep(result.image_id, result.photo)
            if self.opened_image is None:
                self._show(result)
            else:
                self.opened_image = result
                self.sharpened.emit(result)
            self._read_ahead()
        elif isinstance(key, tuple) and key[0] == "read ahead" and isinstance(result, Photo):
            self._keep(key[1], result)

    def _finish_work(self) -> None:
        for act in self.before_leaving:
            act()

    def _record(self, recorder: Callable[[Entry], object], entry: Entry) -> None:
        """A full disk must not end a stroke half-way: the journal keeps the entry and tries again."""
        try:
            recorder(entry)
        except StorageError as error:
            self.troubled.emit(str(error))

    def _failed(self, key: object, error: Exception) -> None:
        if isinstance(key, tuple) and key[0] == "read ahead":
            self.update(key[1])
        elif key == _OPEN and self.wanted is not None:
            image_id, direction = self.wanted, self._direction
            if self.opened_image is not None:  # its preview could be read, the picture itself cannot
                self._finish_work()
                self.opened_image = None
            self.update(image_id)
            self.failed.emit(image_id, str(error) or type(error).__name__)
            if direction:
                self._step(direction, lambda record: True)

    def _read_ahead(self) -> None:
        for record in _first(self._model.neighbours(self.wanted, 1), 2):
            if record.id not in self._photos and not record.problem:
                self._files.submit(("read ahead", record.id), partial(_decode, self._project, record.id), urgency=1)

    def _keep(self, image_id: str, photo: Photo) -> None:
        self._photos[image_id] = photo
        self._photos.move_to_end(image_id)
        while len(self._photos) > 1 and sum(map(_bytes, self._photos.values())) > _KEPT:
            self._photos.popitem(last=False)


def _load(project: Project, image_id: str, photo: Photo | None) -> Job[Opened]:
    """The picture and its document, of a large one a preview first. For the thread of files."""
    opened = None
    if photo is None:
        preview = yield from _noting(project, image_id, _preview)
        if preview is not None:
            opened = Opened(image_id, preview, editing.load(project, image_id))
            yield Progress(text="preview", value=opened)  # the document belongs to the window from here on
        photo = yield from _decode(project, image_id)
    yield Progress(text="mask")
    return replace(opened, photo=photo) if opened else Opened(image_id, photo, editing.load(project, image_id))


def _decode(project: Project, image_id: str) -> Job[Photo]:
    return (yield from _noting(project, image_id, lambda path: Photo.of(images.read(path))))


def _preview(path: Path) -> Photo | None:
    width, height = images.size(path)
    if width * height < _PREVIEWED or path.suffix.lower() not in _JPEG:
        return None
    return Photo.preview(images.preview(path, _COARSE), width, height)


def _noting(project: Project, image_id: str, read: Callable[[Path], T]) -> Job[T]:
    """What is read of a picture; that it cannot be read is noted in the catalogue."""
    yield Progress(text="picture")
    try:
        return read(project.picture_path(image_id))
    except images.UnreadableImage as error:
        if not project.read_only:
            project.catalogue.set_problem(image_id, str(error))
        raise


def _first(records: Iterable[ImageRecord], count: int) -> list[ImageRecord]:
    return [record for _, record in zip(range(count), records, strict=False)]


def _bytes(photo: Photo) -> int:
    return sum(level.pixels.nbytes for level in photo.levels)
