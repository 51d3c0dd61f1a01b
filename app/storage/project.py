"""A project: one folder, everything that is kept about its images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from app.domain.history import History
from app.domain.mask import Mask
from app.storage import registry, replay, voc
from app.storage import settings as settings_file
from app.storage.catalogue import Catalogue, ImageRecord
from app.storage.database import Database, open_catalogue
from app.storage.errors import NotAProject, ReadOnlyProject
from app.storage.held_out import newly_held_out
from app.storage.imagesets import ImageSets
from app.storage.journal import Journal
from app.storage.lock import ProjectLock, guard
from app.storage.mask_files import MaskFiles
from app.storage.masks import Masks
from app.storage.predictions import PredictionFiles
from app.storage.saver import Saver
from app.storage.settings import Settings

SETTINGS = "atrous.toml"
LISTS = "ImageSets/Segmentation"
HIDDEN = ".atrous"
MISSING = "picture is missing"
EXAMINE_SECONDS = 1.0


class Project:
    """An open project. `open` and `create` make one; `close` ends it. Safe to use from any thread unless said."""

    def __init__(
        self, root: Path, settings: Settings, database: Database, lock: ProjectLock, refusal: str | None
    ) -> None:
        """For `open` and `create` only."""
        self.root, self.settings = root, settings
        self.refusal = refusal
        """Why nothing can be written, in words; None where it can."""
        self.warnings: list[str] = [*database.warnings]
        """What a person should know about this project; one line each."""
        self._database, self._lock = database, lock
        self.catalogue, self.journal = Catalogue(database), Journal(database)
        self.lists = ImageSets(root / LISTS)
        self.files = MaskFiles(root / voc.MASKS, root / HIDDEN / "provenance", root / HIDDEN / "set_aside")
        self.predictions = PredictionFiles(root / HIDDEN / "predictions", refusal)
        self.masks = Masks(
            self.files,
            self.catalogue,
            self.journal,
            picture=self.picture_path,
            classes=lambda: self.settings.classes,
            warn=self.warnings.append,
            writable=refusal is None,
        )
        self._listed: tuple[set[str], set[str]] | None = None
        self.saver = Saver(
            self.files,
            self.catalogue,
            load=self.masks.load,
            settle=self.masks.settle,
            make_durable=self.make_durable,
            update_lists=self._update_lists,
            warn=self.warnings.append,
            refusal=refusal,
        )

    @classmethod
    def create(cls, root: Path, pictures: Path, class_names: Iterable[str], unpainted: str | None = None) -> Project:
        """Make a project of a picture folder, which stays where it is, and open it.

        `unpainted`: "void" or a class; by default the background class where there is one. Raises NotAProject,
        ClassError, SettingsError before anything is written, OSError.
        """
        root, pictures = Path(root), Path(pictures)
        if (root / SETTINGS).exists():
            raise NotAProject(f"{root} is a project already; open it, or choose another folder")
        if not pictures.is_dir():
            raise NotAProject(f"{pictures} is not a folder of pictures")
        classes = settings_file.numbered([name.strip() for name in class_names if name.strip() != "__ignore__"])
        settings = voc.settings_for(
            root.absolute().name, settings_file.picture_folder(pictures, root), classes, unpainted
        )
        root.mkdir(parents=True, exist_ok=True)
        ImageSets(root / LISTS).keep_found()
        settings_file.write_class_names(root / voc.CLASS_NAMES, classes)
        settings_file.save(root / SETTINGS, settings)
        return cls.open(root)

    @classmethod
    def open(cls, root: Path, read_only: bool = False) -> Project:
        """Open a project, or any VOC dataset in place.

        Where the folder cannot be written or another program holds the project, it opens for reading only and
        `warnings` says why. Raises NotAProject, NewerProject, SettingsError, CatalogueError.
        """
        root = Path(root).absolute()
        first = not (root / SETTINGS).exists()
        if first and not voc.is_dataset(root):
            raise NotAProject(
                f"{root} is no project: it has neither {SETTINGS} nor {voc.PICTURES}; "
                f"make one of a folder of pictures with: atrous new PROJECT --images {root} --classes FILE"
            )
        settings = voc.settings(root) if first else settings_file.load(root / SETTINGS)
        lock = ProjectLock(root / HIDDEN / "lock")
        refusal = f"{root} was opened for reading only" if read_only else guard(lock, root)
        try:
            return cls._opened(root, settings, lock, refusal, first)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _opened(cls, root: Path, settings: Settings, lock: ProjectLock, refusal: str | None, first: bool) -> Project:
        database, found = open_catalogue(root / HIDDEN / "catalogue.sqlite3", writable=refusal is None)
        try:
            project = cls(root, settings, database, lock, refusal)
            project.warnings += [text for text in (refusal, found) if text]
            if refusal is None and first:
                project.lists.keep_found()
                project.save_settings()
            if not database.read_only:
                project._scan()
            if refusal is None:
                project.journal.trim()
                for image_id in project.journal.unsaved():
                    project.saver.touch(image_id)
                project.saver.save_lists()
            else:
                database.refuse(refusal)
        except BaseException:
            database.close()
            raise
        return project

    @property
    def read_only(self) -> bool:
        """Whether writing is refused."""
        return self.refusal is not None

    @property
    def pictures(self) -> Path:
        """The picture folder."""
        return Path(os.path.normpath(self.root / self.settings.pictures))

    @property
    def model_dir(self) -> Path:
        """Folder of the model versions' heads."""
        return self.root / HIDDEN / "models"

    @property
    def backbone_dir(self) -> Path:
        """Folder of the backbones, each under its sha256."""
        return self.root / HIDDEN / "backbones"

    def mask_path(self, image_id: str) -> Path:
        """The labels on disk."""
        return self.files.labels_path(image_id)

    def provenance_path(self, image_id: str) -> Path:
        """The provenance on disk."""
        return self.files.provenance_path(image_id)

    def picture_path(self, image_id: str) -> Path:
        """The picture. Raises UnknownImage."""
        return self.pictures / self.catalogue.image(image_id).file

    def load(self, image_id: str) -> replay.Loaded:
        """The mask as it was left, with its history: files and journal by the rule of `replay.load`.

        What does not fit is set aside on disk and named in `warnings`. Raises UnknownImage, UnreadableImage,
        MaskProblem, UnreadableMask, CatalogueError; for a bad picture or mask the image's `problem` is set.
        """
        loaded = self.masks.load(image_id, last_good=lambda sequence: self.saver.last_good(image_id, sequence))
        if self.read_only:
            if loaded.outcome != "fits":
                self.warnings.append(f"{self.mask_path(image_id)} does not fit ({loaded.why}); nothing was changed")
        else:
            if loaded.outcome != "fits":
                self.masks.settle(image_id, loaded)
            if loaded.outcome == "kept":
                self.saver.drop(image_id)
            elif loaded.outcome == "restored":
                mask = Mask(loaded.mask.labels.copy(), loaded.mask.provenance.copy())
                self.saver.adopt(image_id, mask, History.rebuilt(self.journal.entries(image_id)), loaded.sequence)
            elif loaded.behind:
                self.saver.touch(image_id)
        return loaded

    def read_mask(self, image_id: str) -> tuple[Mask, int, int]:
        """The same mask, and the numbers of the last entry that its labels and its provenance hold: they are equal."""
        loaded = self.load(image_id)
        return loaded.mask, loaded.sequence, loaded.sequence

    def save_settings(self, settings: Settings | None = None) -> None:
        """Write the settings, changed or as they are, and class_names.txt. Raises ReadOnlyProject, OSError."""
        self._writable()
        settings = settings or self.settings
        settings_file.save(self.root / SETTINGS, settings)
        settings_file.write_class_names(self.root / voc.CLASS_NAMES, settings.classes)
        self.settings = settings

    def refresh(self) -> int:
        """Look into the picture folder again: newcomers get an id, pictures that are gone a problem. New images."""
        self._writable()
        return self._scan()

    def relocate(self, pictures: Path) -> int:
        """Point to the folder where the pictures are now; how many of the project's pictures it has.

        Raises NotAProject where it has none of them, ReadOnlyProject, OSError.
        """
        self._writable()
        pictures = Path(pictures)
        records = self.catalogue.images()
        found = sum((pictures / record.file).is_file() for record in records)
        if not pictures.is_dir() or (records and not found):
            raise NotAProject(f"{pictures} has none of this project's pictures; the project was left as it is")
        self.save_settings(replace(self.settings, pictures=settings_file.picture_folder(pictures, self.root)))
        self._scan()
        return found

    def held_out(self) -> set[str]:
        """Reviewed images that are kept from learning, by the rule of `held_out`; new ones are fixed from now on."""
        reviewed, fixed = set(self.catalogue.ids("reviewed")), set(self.catalogue.ids(split="val"))
        new = newly_held_out(reviewed, fixed, by_list=self._has_val_list)
        if new and not self.read_only:
            self.catalogue.set_split(new, "val")
        return reviewed & (fixed | new)

    @cached_property
    def _has_val_list(self) -> bool:
        return bool(self.lists.found("val"))

    def make_durable(self) -> None:
        """Have everything in catalogue and journal survive a power cut; for the file thread. Raises CatalogueError."""
        if not self.read_only:
            self.journal.retry()
            self._database.checkpoint()

    def close(self) -> None:
        """Save what is pending and let go of the project. No other thread may use it any more.

        What could not be saved is named in `saver.failures`; the journal has it, and the next start saves it.
        """
        try:
            if not self.read_only:
                self.saver.flush()
                if not self.saver.failures:
                    self.journal.trim()
        finally:
            self._database.close()
            self._lock.release()

    def _writable(self) -> None:
        if self.refusal is not None:
            raise ReadOnlyProject(self.refusal)

    def _scan(self) -> int:
        """Bring the catalogue up to the picture folder; the number of new images."""
        records = self.catalogue.images()
        files, warnings = registry.found(self.pictures, self.root / (voc.MASKS if self.pictures == self.root else ""))
        self.warnings += warnings
        new, masks = [], self.files.existing()
        if set(files) - {record.file for record in records}:
            new = registry.newcomers(files, records, masks)
            new = registry.examined(self.pictures, new, EXAMINE_SECONDS)
            self.catalogue.register(voc.statuses(new, self.lists, self.files, masks))
            known = {record.id for record in (*records, *new)}
            self.warnings += voc.strangers(known, self.lists, masks)
        late = voc.late(records, self.files, self.journal, masks)
        for record in voc.statuses(late, self.lists, self.files, masks):
            self.catalogue.set_status(record.id, record.status)
        self._look_again(records, set(files))
        return len(new)

    def _look_again(self, records: list[ImageRecord], there: set[str]) -> None:
        """Which pictures are gone, which came back, which problems are no more."""
        gone = [replace(r, problem=MISSING) for r in records if r.file not in there and r.problem != MISSING]
        doubtful = [
            record
            for record in records
            if record.file in there
            and (record.width is None or record.problem is not None)
            and not self.masks.is_problem(record)
        ]
        self.catalogue.set_examined(gone + registry.examined(self.pictures, doubtful, EXAMINE_SECONDS))

    def _update_lists(self) -> None:
        reviewed, held_out = set(self.catalogue.ids("reviewed")), self.held_out()
        if (reviewed, held_out) != self._listed:
            named = {image_id for image_id in reviewed if self.mask_path(image_id).exists()}
            self.lists.write(named, held_out, set(self.catalogue.ids()), self.catalogue)
            self._listed = (reviewed, held_out) if named == reviewed else None
