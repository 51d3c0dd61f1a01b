"""The learning child: started, listened to, stopped. It can print anything, hang or die; nothing here waits for it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

COMMAND = (sys.executable, "-m", "core_model.fit")
THREADS = max(1, (os.cpu_count() or 1) - 1)
"""Of a child beside a window: one core is the window's."""
_GRACE = 2.0  # seconds between asking it to end and killing it
_HEARTBEAT = 0.2
_LONGEST_LINE = 1 << 20
_TAIL = 12

Event = dict[str, Any]


class Child:
    """`python -m core_model.fit JOB` in a process of its own, its events as they come.

    A thread reads its stdout, so that it never waits for us; its stderr goes to `JOB/stderr.txt`. It is in a session
    of its own: Ctrl-C in a terminal reaches us, and we stop it.
    """

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND, *, live: bool = False) -> None:
        """`live`: it stays and is told what is new (`tell`); it ends when we do."""
        self._errors = folder / "stderr.txt"
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, str(folder), *(["--live"] if live else [])],
                stdin=subprocess.PIPE if live else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self._lines: Queue[bytes | None] = Queue(maxsize=10_000)
        self._stopped = False
        self._rubbish: deque[str] = deque(maxlen=_TAIL)
        self._reader = threading.Thread(target=self._read, name="learning events", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def events(self) -> Iterator[Event | None]:
        """Each event; None whenever there was none for a moment, so that the caller stays awake. Ends when it ends,
        or soon after where something that it started holds its stdout open."""
        silent = 0.0
        while silent < _GRACE:
            try:
                line = self._lines.get(timeout=_HEARTBEAT)
            except Empty:
                silent = silent + _HEARTBEAT if self.exit_code is not None else 0.0
                yield None
                continue
            if line is None:
                self._process.wait()
                return
            if (event := _event(line)) is not None:
                yield event
            elif text := line.decode(errors="replace").strip():
                self._rubbish.append(text[:500])

    def tell(self, command: str, **fields: object) -> None:
        """Say something to a live child; one that has ended hears nothing, and `events` ends."""
        assert self._process.stdin is not None
        line = json.dumps({"command": command, **fields}, ensure_ascii=False)
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    @property
    def exit_code(self) -> int | None:
        """0 when it says that all went well, negative: the signal that ended it, None: it runs."""
        return self._process.poll()

    def last_lines(self) -> list[str]:
        """The last it said that was no event: what stderr ends with, and what else stood on stdout."""
        try:
            with self._errors.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
                said = file.read().decode(errors="replace").splitlines()
        except OSError:
            said = []
        return [*self._rubbish, *(line.rstrip() for line in said if line.strip())][-_TAIL:]

    def stop(self) -> None:
        """End it: ask first, then kill after two seconds. Harmless when it has ended."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._stopped = True
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # what it has not read is lost
                self._process.stdin.close()
        self._reader.join(_GRACE)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):  # closed while reading
            while line := self._process.stdout.readline(_LONGEST_LINE):
                self._put(line)
        self._put(None)

    def _put(self, line: bytes | None) -> None:
        """Hand a line on; dropped once nobody listens any more."""
        while not self._stopped:
            with contextlib.suppress(Full):
                self._lines.put(line, timeout=_HEARTBEAT)
                return


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
