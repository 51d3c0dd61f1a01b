"""One writer a project: a lock that the system lets go of when the program ends, however it ends."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import sys
from pathlib import Path
from typing import IO

from app.storage.errors import reason


class ProjectLock:
    """The lock file of a project. Whoever does not get it learns from the file who holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> str | None:
        """Take the lock; None when it is ours now, else who holds it: "user on host (process 12)".

        Raises OSError where the file cannot be made: a folder that cannot be written.
        """
        file = self.path.open("a+b")
        try:
            _take(file)
        except (BlockingIOError, PermissionError):
            holder = self._holder(file)
            file.close()
            return holder
        except OSError:
            pass  # a file system without locks: better to work unguarded than not at all
        self._file = file
        file.truncate(0)
        file.write(json.dumps({"user": _user(), "host": socket.gethostname(), "pid": os.getpid()}).encode())
        file.flush()
        return None

    def release(self) -> None:
        """Let go; the file stays, empty."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
            self._file.close()
            self._file = None

    def _holder(self, file: IO[bytes]) -> str:
        try:
            file.seek(0)
            who = json.loads(file.read())
            return f"{who['user']} on {who['host']} (process {who['pid']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another program"


def guard(lock: ProjectLock, root: Path) -> str | None:
    """Take the lock of the project in `root`; None, or in words why the project can only be read."""
    try:
        lock.path.parent.mkdir(parents=True, exist_ok=True)
        holder = lock.acquire()
    except OSError as error:
        return f"{root} cannot be written to ({reason(error)}): it is open for reading only"
    if holder is not None:
        return f"{root} is open for reading only: {holder} is working on it"
    return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry for this user: containers
        return "somebody"


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        """Windows locks forbid reading what they cover: lock one byte far behind the text."""
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
