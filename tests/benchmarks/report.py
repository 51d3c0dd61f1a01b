"""How a benchmark says what it measured: a table for people, one JSON list for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One measured number. `goal` and `met` are None for aims, for information, and where the hardware is not there."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    met: bool | None = None


def at_most(name: str, value: float, unit: str, goal: float) -> Row:
    """A number that must not be larger than its goal."""
    return Row(name, value, unit, goal, value <= goal)


def at_least(name: str, value: float, unit: str, goal: float) -> Row:
    """A number that must not be smaller than its goal."""
    return Row(name, value, unit, goal, value >= goal)


def report(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print all of it on stdout."""
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    table = Table("", "measured", "goal", "", box=None)
    for column in (1, 2):
        table.columns[column].justify = "right"
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:g}"
        met = "" if row.met is None else "yes" if row.met else "[bold red]NO[/]"
        table.add_row(row.name, f"{_short(row.value)} {row.unit}".rstrip(), goal, met)
    Console().print(table)


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
