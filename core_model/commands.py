"""What a live learner is told: one JSON object a line on stdin, read by a thread of its own."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any, TypeAlias

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20
_SHOWN = 80  # characters of what is no command
_GRACE = 10.0  # seconds after the end of stdin, then the process ends wherever it is


@dataclass(frozen=True)
class Update:
    """A picture to learn from or, held out, to score on, new or corrected; its files lie in the job's folder."""

    id: str
    revision: int  # of the truth: grows with every correction of this picture
    picture: str
    truth: str
    held_out: bool = False


@dataclass(frozen=True)
class Forget:
    """A picture that is not to be learnt from any more."""

    id: str
    revision: int


@dataclass(frozen=True)
class NewClasses:
    """Other classes from here on; what is known of a name stays."""

    revision: int
    classes: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)  # old name → new one; two with one name are merged


@dataclass(frozen=True)
class Pause:
    """Learn nothing until `Resume`."""


@dataclass(frozen=True)
class Resume:
    """Go on."""


@dataclass(frozen=True)
class Stop:
    """End; the end of stdin says the same."""


@dataclass(frozen=True)
class Rubbish:
    """A line that is no command."""

    text: str  # what it is, in words


Command: TypeAlias = Update | Forget | NewClasses | Pause | Resume | Stop | Rubbish


class Inbox:
    """Commands in their order, as they come; it never makes the parent wait."""

    def __init__(self, descriptor: int = 0) -> None:
        """`descriptor`: of the file to read from, stdin by default."""
        self._descriptor = descriptor
        self._queue: Queue[Command] = Queue()
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def take(self, *, wait: bool) -> list[Command]:
        """All that have come by now; `wait`: for one at least."""
        commands = [self._queue.get()] if wait else []
        while True:
            try:
                commands.append(self._queue.get_nowait())
            except Empty:
                return commands

    def _read(self) -> None:
        for line in self._lines():
            if line.strip():
                self._queue.put(command_of(line))
        self._queue.put(Stop())
        time.sleep(_GRACE)  # in the middle of something endless: no orphan stays behind
        os._exit(1)

    def _lines(self) -> Iterator[bytes]:
        """Without Python's buffer: a thread that waits in that one makes the interpreter abort at its end."""
        left = b""
        while some := os.read(self._descriptor, _CHUNK):
            *whole, left = (left + some).split(b"\n")
            yield from whole
            if len(left) > _LONGEST_LINE:
                yield left
                left = b""


def command_of(line: bytes) -> Command:
    """Read one line; Rubbish when it is no command."""
    try:
        said = json.loads(line)
        return _READ[said["command"]](said)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Rubbish(f"not a command: {line.decode(errors='replace').strip()[:_SHOWN]}")


def _update(said: Mapping[str, Any]) -> Update:
    held_out = said.get("held_out", False)
    if not isinstance(held_out, bool):
        raise ValueError("held_out is true or false")
    return Update(_word(said, "id"), int(said["revision"]), _word(said, "picture"), _word(said, "truth"), held_out)


def _classes(said: Mapping[str, Any]) -> NewClasses:
    names, renamed = said["classes"], said.get("renamed", {})
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in [*names, *renamed.values()]):
        raise ValueError("names are texts")
    if not 1 <= len(names) <= 255 or len(set(names)) != len(names):
        raise ValueError("there are 1 to 255 different classes")
    return NewClasses(int(said["revision"]), tuple(names), dict(renamed))


def _word(said: Mapping[str, Any], key: str) -> str:
    if not isinstance(said[key], str) or not said[key]:
        raise ValueError(f"{key} is a text")
    return str(said[key])


_READ: dict[str, Callable[[Mapping[str, Any]], Command]] = {
    "update": _update,
    "forget": lambda said: Forget(_word(said, "id"), int(said["revision"])),
    "classes": _classes,
    "pause": lambda _said: Pause(),
    "resume": lambda _said: Resume(),
    "stop": lambda _said: Stop(),
}
