from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.storage import database
from app.storage.database import DamagedCatalogue, Database, open_catalogue
from app.storage.errors import CatalogueError, NewerProject, ReadOnlyProject


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".atrous"
    folder.mkdir(parents=True)
    return folder / "catalogue.sqlite3"


def test_settings_of_sqlite(path: Path) -> None:
    made = Database(path)
    assert made.read("PRAGMA journal_mode") == [("wal",)]
    assert made.read("PRAGMA synchronous") == [(1,)]
    assert made.read("PRAGMA busy_timeout") == [(5000,)]
    assert made.read("PRAGMA wal_autocheckpoint") == [(0,)]
    assert made.warnings == []
    made.close()


def test_every_thread_has_its_own_connection(path: Path) -> None:
    made = Database(path)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for i in range(50):
                made.write("INSERT INTO state VALUES (?, ?)", [f"{number}-{i}", "x"])
                made.read("SELECT count(*) FROM state")
        except CatalogueError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert made.read("SELECT count(*) FROM state") == [(200,)]
    made.close()


def test_a_transaction_is_all_or_nothing(path: Path) -> None:
    made = Database(path)

    def half_done(second: str) -> None:
        with made.transaction() as connection:
            connection.execute("INSERT INTO state VALUES ('a', 'b')")
            connection.execute(second)

    with pytest.raises(CatalogueError):
        half_done("INSERT INTO nothing VALUES (1)")
    with pytest.raises(TypeError):
        half_done(None)  # type: ignore[arg-type]
    assert made.read("SELECT * FROM state") == []
    made.close()


def test_a_newer_catalogue_is_refused_and_left_alone(path: Path) -> None:
    Database(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = path.read_bytes()
    with pytest.raises(NewerProject, match="made by a newer Atrous"):
        Database(path)
    with pytest.raises(NewerProject):
        open_catalogue(path, writable=False)
    assert path.read_bytes() == before


def test_without_wal_it_says_so_and_works(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "is_network_share", lambda folder: True)
    made = Database(path)
    assert made.read("PRAGMA journal_mode") == [("delete",)]
    assert "network share" in made.warnings[0]
    made.write("INSERT INTO state VALUES ('a', 'b')")
    made.checkpoint()
    made.close()
    assert not path.with_name(path.name + "-wal").exists()


def test_network_shares_are_known_by_the_mount_table(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/a\\040b nfs4 rw 0 0\n/dev/sdb /mnt/a\\040b/local ext4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda self, **options: table)
    monkeypatch.setattr(database.sys, "platform", "linux")
    assert database.is_network_share(Path("/mnt/a b/c"))
    assert not database.is_network_share(Path("/mnt/a b/local/c"))
    assert not database.is_network_share(Path("/mnt/a"))


def test_checkpoint_leaves_the_log_small(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAL_LIMIT", 50_000)
    made = Database(path)
    log = path.with_name(path.name + "-wal")
    for round_ in range(5):
        for i in range(30):
            made.write("INSERT INTO state VALUES (?, ?)", [f"{round_} {i}", "x" * 4000])
        made.checkpoint()
        assert log.stat().st_size <= 50_000
    made.close()
    assert not log.exists()


def test_a_closed_database_stays_closed(path: Path) -> None:
    made = Database(path)
    made.close()
    with pytest.raises(CatalogueError, match="closed"):
        made.read("SELECT 1")


def test_refusing(path: Path) -> None:
    made = Database(path)
    made.write("INSERT INTO state VALUES ('a', 'b')")
    made.refuse("somebody else works here")
    for attempt in (
        lambda: made.write("DELETE FROM state"),
        lambda: made.write_many("DELETE FROM state WHERE key = ?", [("a",)]),
    ):
        with pytest.raises(ReadOnlyProject, match="somebody else"):
            attempt()
    assert made.read("SELECT * FROM state") == [("a", "b")]
    made.close()


def test_reading_beside_a_writer_sees_what_it_writes(path: Path) -> None:
    writer = Database(path)
    reader, _ = open_catalogue(path, writable=False)
    writer.write("INSERT INTO state VALUES ('a', 'b')")
    assert reader.read("SELECT * FROM state") == [("a", "b")]
    with pytest.raises(ReadOnlyProject):
        reader.write("DELETE FROM state")
    reader.close()
    writer.close()


def test_reading_where_there_is_nothing_works_on_a_scratch_copy(path: Path) -> None:
    made, _ = open_catalogue(path, writable=False)
    made.write("INSERT INTO state VALUES ('a', 'b')")
    assert not path.exists()
    scratch = made.path.parent
    made.close()
    assert not scratch.exists()


def test_a_damaged_file_is_set_aside(path: Path) -> None:
    for number in (1, 2):
        path.write_bytes(b"this was a catalogue once" * 100)
        made, found = open_catalogue(path, writable=True)
        assert found is not None
        assert "set aside" in found
        made.write("INSERT INTO state VALUES ('a', 'b')")
        made.close()
        assert path.with_name(f"catalogue.sqlite3.damaged-{number}").read_bytes().startswith(b"this was")
        path.unlink()


def test_another_programs_database_is_set_aside(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(DamagedCatalogue):
        Database(path)


@pytest.mark.parametrize("version", [-1, -9, 0])
def test_a_version_that_cannot_be_is_damage(path: Path, version: int) -> None:
    Database(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(DamagedCatalogue):
        Database(path)


def test_a_version_that_was_turned_back_is_brought_up_to_date_again(path: Path) -> None:
    Database(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    made = Database(path)
    assert made.read("PRAGMA user_version") == [(database.SCHEMA_VERSION,)]
    made.close()


@given(
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=200)), min_size=1, max_size=4),
    st.floats(0.01, 1),
)
@settings(max_examples=40, deadline=None)
def test_damage_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, bytes]], cut: float
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "catalogue.sqlite3"
    made = Database(path)
    made.write_many("INSERT INTO state VALUES (?, ?)", [(str(i), "x" * 300) for i in range(50)])
    made.close()
    data = bytearray(path.read_bytes())
    for place, value in changes:
        at = int(place * (len(data) - 1))
        data[at : at + len(value)] = value
    path.write_bytes(bytes(data[: int(len(data) * cut)]))
    with contextlib.suppress(NewerProject):  # the damage may hit the version
        made, _ = open_catalogue(path, writable=True)
        with contextlib.suppress(CatalogueError):
            made.read("SELECT * FROM state")
            made.write("INSERT OR REPLACE INTO state VALUES ('a', 'b')")
        made.close()
