from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.geometry import Rect
from app.domain.history import Entry, History
from app.domain.mask import Mask
from app.domain.patch import Patch
from app.storage.catalogue import Catalogue, ImageRecord
from app.storage.database import Database
from app.storage.errors import CatalogueError, ReadOnlyProject
from app.storage.journal import Journal
from tests.storage.conftest import labels


@pytest.fixture
def database(tmp_path: Path) -> Database:
    (tmp_path / ".atrous").mkdir()
    made = Database(tmp_path / ".atrous" / "catalogue.sqlite3")
    Catalogue(made).register([ImageRecord("a", "a.png"), ImageRecord("b", "b.png")])
    return made


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


def patch(seed: int = 0) -> Patch:
    made = Patch.between(Rect(3, 4, 48, 32), Mask.empty(32, 48), Mask.from_labels(labels(seed)))
    assert made is not None
    return made


def entry(sequence: int, seed: int = 0) -> Entry:
    return Entry(sequence, sequence, "do", f"Brush {sequence}", patch(seed), None)


def test_verbatim_round_trip(journal: Journal) -> None:
    written = [
        Entry(1, 1, "do", "Brush ä", patch(1), None),
        Entry(2, 1, "do", "Brush", patch(2), None),
        Entry(3, 3, "do", "Reviewed", None, True),
        Entry(4, 3, "undo", "Reviewed", None, False),
        Entry(5, 3, "redo", "Reviewed", None, True),
        Entry(6, 0, "do", "Fill", patch(3), None),
    ]
    for one in written:
        journal.append("a", one)
    journal.append("b", entry(1))
    assert journal.entries("a") == written
    assert journal.entries("a", after=4) == written[4:]
    assert journal.last_sequence("a") == 6
    assert journal.last_sequence("nobody") == 0
    assert History.rebuilt(journal.entries("a")).undoable == History.rebuilt(written).undoable


def test_status_and_entry_are_one(journal: Journal, database: Database) -> None:
    journal.append("a", entry(1), "corrected")
    assert Catalogue(database).image("a").status == "corrected"
    with pytest.raises(CatalogueError):
        journal.append("a", entry(1), "reviewed")  # the same entry again
    assert Catalogue(database).image("a").status == "corrected"
    assert journal.unwritten == 0


def test_what_the_disk_refuses_is_kept_and_written_later_in_order(
    journal: Journal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append("a", entry(1))
    write = database.write

    def full(sql: str, values: object = ()) -> int:
        raise CatalogueError("database or disk is full")

    monkeypatch.setattr(database, "write", full)
    for sequence in (2, 3):
        with pytest.raises(CatalogueError, match="kept in memory"):
            journal.append("a", entry(sequence))
    assert journal.unwritten == 2
    assert [one.sequence for one in journal.entries("a")] == [1, 2, 3]
    assert journal.last_sequence("a") == 3
    monkeypatch.setattr(database, "write", write)
    journal.append("a", entry(4))
    assert journal.unwritten == 0
    assert [one.sequence for one in Journal(database).entries("a")] == [1, 2, 3, 4]


def test_trim_drops_the_oldest_of_images_that_are_saved(journal: Journal, database: Database) -> None:
    for sequence in range(1, 11):
        journal.append("a", entry(sequence))
        journal.append("b", entry(sequence))
    catalogue = Catalogue(database)
    catalogue.set_saved("a", 10)
    catalogue.set_saved("b", 9)  # one entry is not in its PNGs yet
    size = journal.bytes()
    journal.trim(size)
    assert journal.bytes() == size
    journal.trim(size - 3 * size // 20)
    assert [one.sequence for one in journal.entries("a")] == list(range(4, 11))
    journal.trim(0)
    assert journal.entries("a") == []
    assert len(journal.entries("b")) == 10
    assert journal.last_sequence("a") == 10  # the numbers go on
    assert journal.unsaved() == ["b"]


@pytest.mark.parametrize("image_id", ["a", "100 %_!", "ä b/c"])
def test_entries_put_aside_are_out_of_the_way_but_there(journal: Journal, database: Database, image_id: str) -> None:
    for round_ in (1, 2):
        journal.append(image_id, entry(1))
        journal.append(image_id + "x", entry(round_))
        journal.set_aside(image_id)
        assert journal.entries(image_id) == []
        assert journal.entries(f"{image_id}\n{round_}") == [entry(1)]
    assert len(journal.entries(image_id + "x")) == 2
    journal.trim(0)
    assert journal.entries(f"{image_id}\n1") == []


def test_a_read_only_journal_keeps_nothing(journal: Journal, database: Database) -> None:
    database.refuse("read only")
    with pytest.raises(ReadOnlyProject):
        journal.append("a", entry(1))
    assert journal.unwritten == 0
    assert journal.entries("a") == []


def test_large_numbers(journal: Journal) -> None:
    big = Patch(Rect(0, 0, 2**31, 1), *(type(patch().labels)(b"x", 2**32 - 1, 2**32 - 1),) * 2)
    journal.append("a", Entry(2**40, 2**40, "do", "", big, None))
    assert journal.entries("a")[0].patch == big


def test_bytes_are_counted(journal: Journal) -> None:
    journal.append("a", entry(1, seed=5))
    assert patch(5).size < journal.bytes() < patch(5).size + 1000
