"""What the verbs of the command line share: options that check themselves, and an open project."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from pathlib import Path

import click

from app import services
from app.console import notes
from app.storage.project import Project

FOLDER = click.Path(path_type=Path)
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def _device(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _DEVICE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is none of auto, cpu, cuda, cuda:N, mps")
    return value


def share(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """0 … 1, for click."""
    if not 0 <= value <= 1:  # refuses NaN too
        raise click.BadParameter(f"{value} is not between 0 and 1")
    return value


def positive(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """Above 0 and finite, for click."""
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value} is not above 0")
    return value


DEVICE = click.option("--device", default="auto", callback=_device, help="auto, cpu, cuda, cuda:N or mps.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, and nothing else.")
PROJECT = click.argument("project", type=FOLDER)


@contextlib.contextmanager
def opened(path: Path, *, to_write: bool = True) -> Iterator[Project]:
    """A project for the length of a verb; what could not be saved at the end is a failure."""
    project = services.open_project(path)
    try:
        notes(f"note: {warning}" for warning in project.warnings)
        if to_write and project.read_only:
            raise services.Refusal(f"nothing was done: {project.refusal}")
        yield project
    finally:
        project.close()
    if failures := project.saver.failures:
        what, why = next(iter(failures.items()))
        raise services.Refusal(f"{len(failures)} could not be saved, first {what}: {why}; make room, then run it again")
