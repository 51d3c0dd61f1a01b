"""What the project knows of its images and models, apart from pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.storage.agreement import AgreementTable
from app.storage.database import Database, Row
from app.storage.errors import StorageError
from app.storage.images import natural

STATUSES = ("untouched", "predicted", "corrected", "reviewed", "skipped")
SPLITS = ("train", "val")
_COLUMNS = "id, file, width, height, status, split, problem, sequence"


class UnknownImage(StorageError):
    """The project has no image of that id."""


@dataclass(frozen=True)
class ImageRecord:
    """One image of the project."""

    id: str
    file: str
    """Path of the picture relative to the picture folder, forward slashes."""

    width: int | None = None
    height: int | None = None
    """Size of the upright picture in pixels; None until it was looked at."""

    status: str = "untouched"
    split: str | None = None
    """ "val": held out. "train": named by the train list that came with the dataset. None: neither."""

    problem: str | None = None
    """Why the image cannot be worked on, in words; None where it can."""

    sequence: int = 0
    """Last journal entry that both of its PNGs hold."""


@dataclass(frozen=True)
class ModelRecord:
    """One model version; its file lies in the project under its name."""

    version: str
    backbone: str
    """SHA-256 of the backbone's file."""

    card: str
    """The card as JSON."""

    created: str
    """ISO 8601."""


class Catalogue:
    """Images, models, agreement and single values of a project. Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.agreement = AgreementTable(database)

    def images(self, status: str | None = None) -> list[ImageRecord]:
        """All images, or those of one status, in natural order of their files."""
        where, values = ("WHERE status = ?", [_status(status)]) if status else ("", [])
        records = [ImageRecord(*row) for row in self._database.read(f"SELECT {_COLUMNS} FROM images {where}", values)]
        return sorted(records, key=lambda record: natural(record.file))

    def image(self, image_id: str) -> ImageRecord:
        """One image. Raises UnknownImage."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM images WHERE id = ?", [image_id])
        if not rows:
            raise UnknownImage(f'this project has no image "{image_id}"')
        return ImageRecord(*rows[0])

    def ids(self, status: str | None = None, *, split: str | None = None) -> list[str]:
        """Ids of all images, or of those of a status or of a split, in no order."""
        rows = self._database.read(
            "SELECT id FROM images WHERE status = coalesce(?, status) AND (? IS NULL OR split = ?)",
            [_status(status) if status else None, split, split],
        )
        return [row[0] for row in rows]

    def counts(self) -> dict[str, int]:
        """Number of images by status, every status named."""
        rows = self._database.read("SELECT status, count(*) FROM images GROUP BY status")
        return dict.fromkeys(STATUSES, 0) | dict(rows)

    def register(self, records: Iterable[ImageRecord]) -> None:
        """Add images. Raises CatalogueError when an id or a file is there already."""
        self._database.write_many(
            f"INSERT INTO images ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(r.id, r.file, r.width, r.height, _status(r.status), r.split, r.problem, r.sequence) for r in records],
        )

    def set_status(self, image_id: str, status: str) -> None:
        """Change the status of one image to one of STATUSES."""
        self._set([(_status(status), image_id)], "status = ?")

    def set_problem(self, image_id: str, problem: str | None) -> None:
        """Say why the image cannot be worked on, or that it can again."""
        self._set([(problem, image_id)], "problem = ?")

    def set_examined(self, records: Iterable[ImageRecord]) -> None:
        """Note size and problem of many images."""
        self._set([(r.width, r.height, r.problem, r.id) for r in records], "width = ?, height = ?, problem = ?")

    def set_split(self, image_ids: Iterable[str], split: str | None) -> None:
        """Put images into "train", "val" or neither."""
        if split is not None and split not in SPLITS:
            raise ValueError(f"no split: {split}")
        self._set([(split, image_id) for image_id in image_ids], "split = ?")

    def set_saved(self, image_id: str, sequence: int) -> None:
        """Note that both PNGs hold the journal up to this entry."""
        self._set([(sequence, image_id)], "sequence = ?")

    def get(self, key: str) -> str | None:
        """A single value of the project's state; None where it was never set."""
        rows = self._database.read("SELECT value FROM state WHERE key = ?", [key])
        return str(rows[0][0]) if rows else None

    def set(self, key: str, value: str | None) -> None:
        """Keep a single value; None removes it."""
        if value is None:
            self._database.write("DELETE FROM state WHERE key = ?", [key])
        else:
            self._database.write("INSERT OR REPLACE INTO state VALUES (?, ?)", [key, value])

    def models(self) -> list[ModelRecord]:
        """All model versions, oldest first."""
        return [ModelRecord(*row) for row in self._database.read(f"{_MODELS} ORDER BY created, rowid")]

    def model(self, version: str) -> ModelRecord | None:
        """One model version; None where there is none of that name."""
        rows: list[Row] = self._database.read(f"{_MODELS} WHERE version = ?", [version])
        return ModelRecord(*rows[0]) if rows else None

    def add_model(self, record: ModelRecord) -> None:
        """Add a model version, or replace the one of that name."""
        self._database.write(
            "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?)",
            [record.version, record.backbone, record.card, record.created],
        )

    def rename_model(self, version: str, name: str) -> None:
        """Call a model version otherwise. Raises CatalogueError when another one has that name."""
        self._database.write("UPDATE models SET version = ? WHERE version = ?", [name, version])
        self.agreement.rename_version(version, name)

    def remove_model(self, version: str) -> None:
        """Forget a model version; its file is not touched."""
        self._database.write("DELETE FROM models WHERE version = ?", [version])
        self.agreement.forget_version(version)

    def _set(self, rows: list[tuple[object, ...]], assignment: str) -> None:
        self._database.write_many(f"UPDATE images SET {assignment} WHERE id = ?", rows)


_MODELS = "SELECT version, backbone, card, created FROM models"


def _status(status: str) -> str:
    if status not in STATUSES:
        raise ValueError(f"no status: {status}")
    return status
