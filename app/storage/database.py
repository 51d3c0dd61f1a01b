"""One SQLite file for catalogue and journal: a connection a thread, fast inserts, durable on request."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from app.storage.errors import CatalogueError, NewerProject, ReadOnlyProject

_SCHEMAS = (
    """
CREATE TABLE images (
    id TEXT PRIMARY KEY, file TEXT NOT NULL UNIQUE, width INTEGER, height INTEGER,
    status TEXT NOT NULL DEFAULT 'untouched', split TEXT, problem TEXT, sequence INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE journal (
    number INTEGER PRIMARY KEY, image TEXT NOT NULL, sequence INTEGER NOT NULL, step INTEGER NOT NULL,
    action TEXT NOT NULL, name TEXT NOT NULL, reviewed INTEGER, bytes INTEGER NOT NULL,
    x INTEGER, y INTEGER, width INTEGER, height INTEGER,
    labels BLOB, labels_before INTEGER, labels_after INTEGER,
    provenance BLOB, provenance_before INTEGER, provenance_after INTEGER
);
CREATE UNIQUE INDEX journal_of_image ON journal (image, sequence);
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE models (
    version TEXT PRIMARY KEY, backbone TEXT NOT NULL, card TEXT NOT NULL, created TEXT NOT NULL
);
""",
    """
CREATE TABLE IF NOT EXISTS agreement (
    number INTEGER PRIMARY KEY AUTOINCREMENT, image TEXT NOT NULL, version TEXT NOT NULL, sequence INTEGER NOT NULL,
    learnt INTEGER NOT NULL, every TEXT NOT NULL, human TEXT NOT NULL, UNIQUE (image, version)
);
CREATE TABLE IF NOT EXISTS learnt (
    version TEXT NOT NULL, image TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (version, image)
) WITHOUT ROWID;
""",
)
"""What each version of the catalogue adds to the one before; the first one begins with nothing."""

SCHEMA_VERSION = len(_SCHEMAS)
_WAL_LIMIT = 16 << 20  # bytes of write-ahead log before it is merged; a merge costs the next insert one fsync
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ncpfs", "glusterfs", "ceph", "lustre"}

Row = tuple[Any, ...]


class DamagedCatalogue(CatalogueError):
    """The file is no SQLite database, or a broken one: set it aside and build a new one."""


class Database:
    """The file, open. Safe to use from any thread; every thread gets a connection of its own.

    `synchronous=NORMAL` with a write-ahead log: an insert is 0.02 ms without fsync, a kill loses nothing, a power cut
    what came after the last `checkpoint()`. Where that log is unsafe (network shares), `journal_mode=DELETE` and a line
    in `warnings`. Raises NewerProject, DamagedCatalogue, CatalogueError.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._refusal = f"{path.parent.parent} is open for reading only" if read_only else None
        self.read_only = read_only
        """Whether SQLite itself opened the file for reading only."""
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._journal_mode = "delete" if is_network_share(path.parent) else "wal"
        self._written = False
        self._closed = False
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @classmethod
    def scratch(cls, source: Path) -> Database:
        """A copy in the temporary folder, for a project in a folder that cannot be written; empty without a source."""
        folder = Path(tempfile.mkdtemp(prefix="atrous-"))
        try:
            for suffix in ("", "-wal"):
                file = source.with_name(source.name + suffix)
                if file.exists():
                    shutil.copyfile(file, folder / ("catalogue.sqlite3" + suffix))
            database = cls(folder / "catalogue.sqlite3")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        database._scratch = folder
        return database

    _scratch: Path | None = None

    def refuse(self, why: str) -> None:
        """From now on every write raises ReadOnlyProject with these words."""
        self._refusal = why

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query. Raises CatalogueError."""
        try:
            return self._connection().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def write(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement, a transaction of its own; rows it changed. Raises CatalogueError, ReadOnlyProject."""
        with self.writing() as connection:
            return connection.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows in one transaction. Raises CatalogueError, ReadOnlyProject."""
        with self.transaction() as connection:
            connection.executemany(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements that happen together or not at all. Raises CatalogueError, ReadOnlyProject."""
        with self.writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, for statements that write; SQLite's errors in the project's words."""
        if self._refusal is not None:
            raise ReadOnlyProject(self._refusal)
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise self._error(error) from error
        self._written = True

    def checkpoint(self) -> None:
        """Make everything written so far survive a power cut. For the file thread: it waits for the disk.

        The log is only flushed; it is merged into the database when it has grown, because the insert after a merge
        waits for the disk too. Raises CatalogueError.
        """
        if not self._written or self._journal_mode != "wal":
            return
        self._written = False
        log = self.path.with_name(self.path.name + "-wal")
        try:
            with log.open("r+b") as file:
                os.fsync(file.fileno())
                size = file.seek(0, os.SEEK_END)
            if size > _WAL_LIMIT:
                # first beside the writers, then, when little is left, in their way: only that shortens the log
                self._connection().execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except FileNotFoundError:
            return
        except (OSError, sqlite3.Error) as error:
            self._written = True
            raise self._error(error) from error

    def close(self) -> None:
        """Merge the log and close all connections; no thread may be using one."""
        self._closed = True
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(sqlite3.Error):  # a full disk: the log stays and is read at the next start
                connection.close()
        self._local = threading.local()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _open(self) -> None:
        if not self.read_only:
            self._set_journal_mode()
        version = self.read("PRAGMA user_version")[0][0]
        if version > SCHEMA_VERSION:
            raise NewerProject(
                f"{self.path} was made by a newer Atrous (its catalogue is version {version}, this program reads up to "
                f"{SCHEMA_VERSION}); nothing was changed; update Atrous"
            )
        if version <= 0 and self.read("SELECT 1 FROM sqlite_master"):
            raise DamagedCatalogue(f"{self.path} is not a catalogue of Atrous")
        if (verdict := self.read("PRAGMA quick_check(1)")[0][0]) != "ok":
            raise DamagedCatalogue(f"{self.path} is damaged ({verdict})")
        if version < SCHEMA_VERSION and not self.read_only:
            added = " ".join(_SCHEMAS[max(version, 0) :])
            with self.writing() as connection:
                connection.executescript(f"BEGIN; {added} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

    def _set_journal_mode(self) -> None:
        mode = None
        if self._journal_mode == "wal":
            with contextlib.suppress(CatalogueError):
                mode = self.read("PRAGMA journal_mode=WAL")[0][0]
        if mode != "wal":
            self._journal_mode = "delete"
            self.read("PRAGMA journal_mode=DELETE")
            self.warnings.append(
                f"{self.path.parent} does not support SQLite's write-ahead log (a network share?): strokes are saved "
                "in a slower way; keep the project on a local disk if painting hesitates"
            )

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._closed:
                raise sqlite3.ProgrammingError("the project is closed")
            address = f"{self.path.absolute().as_uri()}?mode={'ro' if self.read_only else 'rwc'}"
            connection = sqlite3.connect(address, uri=True, timeout=5, isolation_level=None, check_same_thread=False)
            with self._lock:
                self._connections.append(connection)
            # a merge in the middle of an insert would wait for the disk: checkpoint() does it elsewhere
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
        return connection

    def _error(self, error: Exception) -> CatalogueError:
        broken = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"))
        return (DamagedCatalogue if broken else CatalogueError)(f"{self.path}: {error}")


def open_catalogue(path: Path, *, writable: bool) -> tuple[Database, str | None]:
    """The database of a project and, where a person should know, what was found.

    An older file is brought up to date, a damaged one set aside under another name and a new one begun. What cannot be
    written to is read where it is, or as a copy where it is older, or SQLite cannot even do that. Raises NewerProject,
    CatalogueError, OSError.
    """
    if not writable:
        with contextlib.suppress(CatalogueError):
            if path.exists():
                database = Database(path, read_only=True)
                if database.read("PRAGMA user_version")[0][0] == SCHEMA_VERSION:
                    return database, None
                database.close()
        try:
            return Database.scratch(path), None
        except DamagedCatalogue as error:
            return Database.scratch(path.with_name("none")), f"{error}; status and history of the images are unknown"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Database(path), None
    except DamagedCatalogue as error:
        number = 1
        while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        for suffix in ("", "-wal", "-shm"):
            file = path.with_name(path.name + suffix)
            if file.exists():
                file.rename(aside.with_name(aside.name + suffix))
        return Database(path), (
            f"{error}; it was set aside as {aside.name} and begun anew from masks and lists: no mask was lost, but "
            "what can be undone, and the images that were skipped"
        )


def is_network_share(folder: Path) -> bool:
    """Whether the folder lies on another computer, as far as the system tells (Linux: mount table, Windows: drive)."""
    if sys.platform == "win32":
        import ctypes

        where = str(folder.absolute())
        return where.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(folder.absolute().anchor) == 4
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return False
    here = str(folder.resolve()) + "/"
    best = ("", "")
    for line in mounts:
        fields = line.split(" ")
        point = fields[1].encode().decode("unicode_escape", "replace").rstrip("/") + "/"  # \040 stands for a space
        if len(fields) > 2 and here.startswith(point) and len(point) >= len(best[0]):
            best = (point, fields[2])
    return best[1] in _NETWORK
