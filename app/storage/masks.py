"""The mask of every image: files, journal and picture brought together, and what does not fit put aside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.domain.classes import Classes
from app.domain.mask import Mask
from app.domain.patch import PatchMismatch
from app.storage import images, replay
from app.storage.catalogue import Catalogue, ImageRecord
from app.storage.errors import MaskProblem, StorageError, UnreadableMask, reason
from app.storage.images import UnreadableImage
from app.storage.journal import Journal
from app.storage.mask_files import Found, MaskFiles


class Masks:
    """Loads masks by the rule of `replay.load`. Safe to use from any thread."""

    def __init__(
        self,
        files: MaskFiles,
        catalogue: Catalogue,
        journal: Journal,
        *,
        picture: Callable[[str], Path],
        classes: Callable[[], Classes],
        warn: Callable[[str], None],
        writable: bool,
    ) -> None:
        self._files, self._catalogue, self._journal = files, catalogue, journal
        self._picture, self._classes, self._warn, self._writable = picture, classes, warn, writable

    def load(
        self,
        image_id: str,
        before: int = 0,
        last_good: Callable[[int], Mask | None] = lambda sequence: None,
    ) -> replay.Loaded:
        """The mask after all entries, or (for the saver) as it was before the entry of that number.

        An image that cannot be loaded has its `problem` set, one that can has it taken away. Raises UnknownImage,
        UnreadableImage, MaskProblem, UnreadableMask, CatalogueError.
        """
        try:
            width, height = self._size(image_id)
            loaded = self._loaded(image_id, width, height, before, last_good)
        except (UnreadableImage, MaskProblem, UnreadableMask) as error:
            self._note(image_id, str(error))
            raise
        self._note(image_id, None)
        return loaded

    def settle(self, image_id: str, loaded: replay.Loaded) -> None:
        """Put right on disk what `load` found: copies of what does not fit, the journal out of the way.

        Raises MaskProblem where there is no room for a copy, CatalogueError.
        """
        path = self._files.labels_path(image_id)
        try:
            copies = self._files.set_aside(image_id)
        except OSError as error:
            raise MaskProblem(
                f"{path} does not fit ({loaded.why}) and cannot be copied out of the way ({reason(error)}); "
                "it is left untouched; make room on the disk, then open the image again"
            ) from error
        if loaded.outcome == "restored":
            where = f"; what was there was copied to {copies[0]}" if copies else ""
            self._warn(f"{path} did not fit ({loaded.why}): the mask was restored from the journal{where}")
        else:
            self._journal.set_aside(image_id)
            self._files.drop_provenance_of_others(image_id, loaded.sequence)
            self._catalogue.set_saved(image_id, loaded.sequence)
            self._warn(f"{path}: {loaded.why}; it is shown as it is, what was done before cannot be undone any more")

    def _size(self, image_id: str) -> tuple[int, int]:
        path = self._picture(image_id)
        try:
            return images.size(path)
        except UnreadableImage:
            record = self._catalogue.image(image_id)
            if record.width is None or record.height is None or path.exists():
                raise
            return record.width, record.height  # the picture is away: its mask can still be looked at

    def _loaded(
        self, image_id: str, width: int, height: int, before: int, last_good: Callable[[int], Mask | None]
    ) -> replay.Loaded:
        found: Found | None = None
        damage: StorageError | None = None
        try:
            found = self._files.read(image_id, width, height, self._classes())
        except UnreadableMask as error:
            damage = error
        entries = [entry for entry in self._journal.entries(image_id) if not before or entry.sequence < before]
        try:
            return replay.load(found, entries, width, height, last_good)
        except PatchMismatch as mismatch:
            raise damage or UnreadableMask(f"{self._files.labels_path(image_id)}: {mismatch}") from mismatch

    def is_problem(self, record: ImageRecord) -> bool:
        """Whether the image's problem is its mask's: then the message names the file."""
        return (record.problem or "").startswith(str(self._files.labels_path(record.id)))

    def _note(self, image_id: str, problem: str | None) -> None:
        """Keep the image's problem current; that of a picture stays until somebody has decoded it."""
        record = self._catalogue.image(image_id)
        if self._writable and problem != record.problem and (problem is not None or self.is_problem(record)):
            self._catalogue.set_problem(image_id, problem)
