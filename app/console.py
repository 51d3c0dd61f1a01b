"""What the command line shows: progress on stderr, results on stdout, one line for what went wrong."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from app.jobs.job import Job, Progress, run

T = TypeVar("T")

_EVERY = 10.0  # seconds between plain lines
_WIDE = 200  # columns where nobody's terminal says how many


def follow(job: Job[T], verb: str) -> T:
    """Runs a job and shows how far it is, on stderr: a bar on a terminal, a plain line now and then elsewhere."""
    with _Bar(verb) if sys.stderr.isatty() else _Lines(verb) as shown:
        return run(job, shown.show)


class _Bar:
    """A bar that disappears when the job ends."""

    def __init__(self, verb: str) -> None:
        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(verb, total=None)
        self._verb = verb

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        text = f"{self._verb}: {progress.text}" if progress.text else self._verb
        self._bar.update(self._task, completed=progress.done, total=progress.total or None, description=text)


class _Lines:
    """A line at the start, and every few seconds where there is something new."""

    def __init__(self, verb: str) -> None:
        self._verb, self._at, self._said = verb, 0.0, ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""

    def show(self, progress: Progress) -> None:
        now, text = time.monotonic(), f"{self._verb}: {_share(progress)}{progress.text}"
        if progress.text and text != self._said and (now - self._at >= _EVERY or not self._said):
            self._at, self._said = now, text
            note(text)


def _share(progress: Progress) -> str:
    if progress.total == 1:
        return f"{progress.done:.0%} "
    return f"{progress.done:.0f} of {progress.total:.0f} " if progress.total else ""


def note(text: str) -> None:
    """A line on stderr."""
    click.echo(text, err=True)


def notes(lines: Iterable[str]) -> None:
    """Lines on stderr."""
    for line in lines:
        note(line)


def say(text: str) -> None:
    """A line on stdout."""
    click.echo(text)


def print_json(document: Any) -> None:
    """The one JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A small table on stdout; columns whose name begins with `>` stand to the right."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        shown.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(shown)
