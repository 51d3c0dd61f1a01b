"""Every change of every image, on disk as it happens: undo across restarts, recovery after a crash."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from typing import Literal, cast

from app.domain.geometry import Rect
from app.domain.history import BUDGET, Entry
from app.domain.patch import Patch, Plane
from app.storage.database import Database, Row
from app.storage.errors import CatalogueError

_PATCH = "x, y, width, height, labels, labels_before, labels_after, provenance, provenance_before, provenance_after"
_INSERT = (
    f"INSERT INTO journal (image, sequence, step, action, name, reviewed, bytes, {_PATCH}) "
    f"VALUES ({', '.join('?' * 17)})"
)
Action = Literal["do", "undo", "redo"]
_OVERHEAD = 120  # bytes of a row besides its patch


class Journal:
    """Entries by image, each as it was appended. Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: deque[tuple[str, Entry, str | None]] = deque()
        self._lock = threading.Lock()

    def append(self, image_id: str, entry: Entry, status: str | None = None) -> None:
        """Write one entry, and with it the image's new status, in one go; no fsync.

        Raises CatalogueError when the disk refuses: the entry is then kept in memory, in its order, and written with
        the next one or by `retry()`. Raises ReadOnlyProject; nothing is kept then.
        """
        with self._lock:
            self._kept.append((image_id, entry, status))
            self._write_kept()

    def retry(self) -> None:
        """Write what the disk refused so far. Raises CatalogueError when it still does."""
        with self._lock:
            self._write_kept()

    @property
    def unwritten(self) -> int:
        """Entries that are only in memory because the disk refused them."""
        return len(self._kept)

    def entries(self, image_id: str, after: int = 0) -> list[Entry]:
        """All entries of an image that are newer than `after`, oldest first. Raises CatalogueError."""
        with self._lock:
            kept = [entry for kept_id, entry, _ in self._kept if kept_id == image_id and entry.sequence > after]
        rows = self._database.read(
            f"SELECT sequence, step, action, name, reviewed, {_PATCH} FROM journal "
            "WHERE image = ? AND sequence > ? ORDER BY sequence",
            [image_id, after],
        )
        written = [_entry(row) for row in rows]
        last = written[-1].sequence if written else 0
        return written + [entry for entry in kept if entry.sequence > last]

    def last_sequence(self, image_id: str) -> int:
        """Number of the newest entry of an image, trimmed ones included; 0 before the first."""
        with self._lock:
            kept = max((entry.sequence for kept_id, entry, _ in self._kept if kept_id == image_id), default=0)
        row = self._database.read(
            "SELECT max(coalesce((SELECT max(sequence) FROM journal WHERE image = ?1), 0),"
            " coalesce((SELECT sequence FROM images WHERE id = ?1), 0))",
            [image_id],
        )[0]
        return max(kept, int(row[0]))

    def unsaved(self) -> list[str]:
        """Ids of the images that have entries which their PNGs do not hold yet: after a crash, what to save first."""
        rows = self._database.read(
            "SELECT id FROM images WHERE sequence < (SELECT max(sequence) FROM journal WHERE image = id)"
        )
        return [row[0] for row in rows]

    def bytes(self) -> int:
        """What the journal takes on disk, nearly."""
        return int(self._database.read("SELECT coalesce(sum(bytes), 0) FROM journal")[0][0])

    def trim(self, budget: int = BUDGET) -> None:
        """Drop the oldest entries beyond the budget in bytes; only of images whose PNGs hold all of their entries.

        To be called while no image is open: an open document may still undo what would be dropped.
        """
        excess = self.bytes() - budget
        if excess <= 0:
            return
        rows = self._database.read(
            "SELECT image, journal.sequence, bytes FROM journal LEFT JOIN images ON images.id = journal.image "
            "WHERE images.id IS NULL OR images.sequence >= "
            "(SELECT max(j.sequence) FROM journal AS j WHERE j.image = journal.image) ORDER BY number"
        )
        last: dict[str, int] = {}
        for image_id, sequence, size in rows:
            if excess <= 0:
                break
            last[image_id] = sequence
            excess -= size
        self._database.write_many("DELETE FROM journal WHERE image = ? AND sequence <= ?", last.items())

    def set_aside(self, image_id: str) -> None:
        """Put the entries of an image out of the way, because its mask is no longer the one that they changed.

        They stay in the catalogue under another name until `trim` needs their place.
        """
        names = "SELECT count(DISTINCT image) FROM journal WHERE image LIKE ? ESCAPE '!'"
        pattern = "".join("!" + c if c in "!%_" else c for c in image_id) + "\n%"
        aside = f"{image_id}\n{self._database.read(names, [pattern])[0][0] + 1}"
        with self._lock:
            self._kept = deque((aside if key == image_id else key, entry, status) for key, entry, status in self._kept)
        self._database.write("UPDATE journal SET image = ? WHERE image = ?", [aside, image_id])

    def _write_kept(self) -> None:
        while self._kept:
            image_id, entry, status = self._kept[0]
            try:
                if status is None:
                    self._database.write(_INSERT, _row(image_id, entry))
                else:
                    with self._database.transaction() as connection:
                        connection.execute(_INSERT, _row(image_id, entry))
                        connection.execute("UPDATE images SET status = ? WHERE id = ?", [status, image_id])
            except CatalogueError as error:
                if isinstance(error.__cause__, sqlite3.IntegrityError):  # written twice: trying again cannot help
                    self._kept.popleft()
                    raise
                raise CatalogueError(f"{error}; the work is kept in memory until the disk takes it") from error
            except BaseException:
                self._kept.popleft()
                raise
            self._kept.popleft()


def _row(image_id: str, entry: Entry) -> Row:
    patch = entry.patch
    size = _OVERHEAD + (patch.size if patch else 0)
    head = (image_id, entry.sequence, entry.step, entry.action, entry.name, entry.reviewed, size)
    if patch is None:
        return (*head, *[None] * 10)
    rect, labels, provenance = patch.rect, patch.labels, patch.provenance
    return (
        *head, rect.x, rect.y, rect.width, rect.height,
        labels.data, labels.before, labels.after, provenance.data, provenance.before, provenance.after,
    )  # fmt: skip


def _entry(row: Row) -> Entry:
    sequence, step, action, name, reviewed, x, y, width, height, *planes = row
    patch = None
    if x is not None:
        patch = Patch(Rect(x, y, width, height), Plane(*planes[:3]), Plane(*planes[3:]))
    return Entry(
        sequence,
        step,
        cast("Action", action),
        name,
        patch,
        None if reviewed is None else bool(reviewed),
    )
