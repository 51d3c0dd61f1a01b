"""An image opened for work: its mask as it was left, and every change on its way to disk as it happens."""

from __future__ import annotations

from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.history import BUDGET, Entry
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.storage.errors import CatalogueError, MaskProblem, StorageError, UnreadableMask
from app.storage.images import UnreadableImage
from app.storage.project import Project

ABOUT_ONE_IMAGE: tuple[type[StorageError], ...] = (UnreadableImage, UnreadableMask, MaskProblem)
"""What is wrong with a single image; the others go on."""


def load(project: Project, image_id: str, budget: int = BUDGET) -> Document:
    """The image as it was left, undo included; each finished change goes into journal, saver and catalogue.

    Raises UnknownImage, one of ABOUT_ONE_IMAGE, CatalogueError.
    """
    loaded = project.load(image_id)
    loaded.history.budget = budget
    status = project.catalogue.image(image_id).status
    document = Document(
        image_id, loaded.mask, history=loaded.history, reviewed=status == "reviewed", sequence=loaded.sequence
    )
    document.on_entry.append(_Recorder(project, document, status))
    return document


class _Recorder:
    """Hears of every entry of one document: the journal first, then the saver, which writes what the journal has."""

    def __init__(self, project: Project, document: Document, status: str) -> None:
        self._project, self._document, self._status = project, document, status

    def __call__(self, entry: Entry) -> None:
        try:
            status = self._next_status(entry)
        except CatalogueError:  # the entry must reach journal and saver all the same
            status = "reviewed" if self._document.reviewed else status_of(self._document.mask)
        changed = status if status != self._status else None
        try:
            self._project.journal.append(self._document.image_id, entry, changed)
            self._status = status
        finally:
            self._project.saver.feed(self._document.image_id, entry)

    def _next_status(self, entry: Entry) -> str:
        """What the image is after an entry; a skipped one stays so until it is unskipped or reviewed."""
        if self._document.reviewed:
            return "reviewed"
        current = self._project.catalogue.image(self._document.image_id).status
        if current == "skipped" and entry.reviewed is None:
            self._status = current
            return current
        mask = self._document.mask
        if entry.patch is not None and _highest(mask, entry.patch.rect) == HUMAN:
            return "corrected"
        return status_of(mask)


def status_of(mask: Mask) -> str:
    """What the pixels say of an image that is neither reviewed nor skipped."""
    return {HUMAN: "corrected", MODEL: "predicted"}.get(_highest(mask, Rect.of(mask.labels)), "untouched")


def _highest(mask: Mask, rect: Rect) -> int:
    """The highest provenance in a rectangle; after a stroke of a brush, its first rows tell."""
    highest = EMPTY
    for strip in rect.strips(64):
        highest = max(highest, int(mask.provenance[strip.slices].max(initial=EMPTY)))
        if highest == HUMAN:
            break
    return highest
