"""What is kept of how predictions and people agreed, and of which images a model version has learnt from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.agreement import Agreement, Confusion
from app.storage.database import Database


@dataclass(frozen=True)
class ScoreRecord:
    """A prediction, scored against what the person made of it."""

    image: str
    version: str
    """The model version that predicted."""

    sequence: int
    """The image's last journal entry when it was reviewed."""

    learnt: bool
    """Whether the version had learnt from the image before it predicted it: then the score says nothing."""

    agreement: Agreement


class AgreementTable:
    """One score an image and version, in the order of the reviews. Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, record: ScoreRecord) -> None:
        """Keep a score, as the newest; the one before of that image and version goes."""
        self._database.write(
            "INSERT OR REPLACE INTO agreement (image, version, sequence, learnt, every, human) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                record.image,
                record.version,
                record.sequence,
                record.learnt,
                _text(record.agreement.every),
                _text(record.agreement.human),
            ],
        )

    def remove(self, image_id: str) -> bool:
        """Forget the scores of an image: it is no longer reviewed. Whether there were any."""
        return self._database.write("DELETE FROM agreement WHERE image = ?", [image_id]) > 0

    def scores(self) -> list[ScoreRecord]:
        """All of them, the oldest review first."""
        rows = self._database.read(
            "SELECT image, version, sequence, learnt, every, human FROM agreement ORDER BY number"
        )
        return [
            ScoreRecord(image, version, sequence, bool(learnt), Agreement(_confusion(every), _confusion(human)))
            for image, version, sequence, learnt, every, human in rows
        ]

    def note_learnt(self, version: str, learnt: Mapping[str, int], parent: str | None = None) -> None:
        """Note what a version has learnt from: ids, each with the last journal entry that was learnt.

        It knows what its parent knows, too. Of an image that it was said to know before, the earlier entry stays.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO learnt SELECT ?, image, sequence FROM learnt WHERE version = ?",
                [version, parent],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO learnt VALUES (?, ?, ?)",
                [(version, image_id, sequence) for image_id, sequence in learnt.items()],
            )

    def learnt(self, version: str, image_id: str) -> int | None:
        """The journal entry up to which a version first learnt from an image; None when it never did, as is known."""
        rows = self._database.read("SELECT sequence FROM learnt WHERE version = ? AND image = ?", [version, image_id])
        return int(rows[0][0]) if rows else None

    def rename_version(self, version: str, name: str) -> None:
        """Follow a version to its new name."""
        with self._database.transaction() as connection:
            for table in ("agreement", "learnt"):
                connection.execute(f"UPDATE OR REPLACE {table} SET version = ? WHERE version = ?", [name, version])

    def forget_version(self, version: str) -> None:
        """A version is gone or begins anew: what it had learnt from counts no more. Its scores stay, they were true."""
        self._database.write("DELETE FROM learnt WHERE version = ?", [version])


def _text(confusion: Confusion) -> str:
    return json.dumps([[*pair, pixels] for pair, pixels in confusion.pixels.items()], separators=(",", ":"))


def _confusion(text: str) -> Confusion:
    return Confusion({(person, network): pixels for person, network, pixels in json.loads(text)})
