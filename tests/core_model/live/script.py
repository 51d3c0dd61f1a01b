"""Stands for the inbox: says each thing when it is its time, and ends the child after the last."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core_model.commands import Command, Stop, Update
from core_model.events import Events
from core_model.fit import live
from core_model.job import Job
from core_model.live import Pace
from tests.core_model.job_folder import write_job

Event = dict[str, Any]
Act = tuple[Callable[[list[Event]], object], Sequence[Command]]
"""What has to have been said by then, and the commands that follow."""

FAST = Pace(least=2, few=2, round_seconds=0.2, rounds=3)
WAIT = 300.0  # seconds for all of it; nothing is that slow unless it is broken


class Script:
    """Acts, one after the other; when the last one's time has come, the end."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.stream = io.StringIO()
        self.taken = 0  # how often it was asked
        self._end = time.monotonic() + WAIT

    @property
    def events(self) -> list[Event]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def take(self, *, wait: bool) -> Sequence[Command]:
        self.taken += 1
        events = self.events
        if self.acts and self.acts[0][0](events):
            return self.acts.pop(0)[1]
        if not self.acts:
            return [Stop()]
        assert not wait, f"nobody says anything any more: {events[-3:]}"
        assert time.monotonic() < self._end, events[-3:]
        return []


def play(folder: Path, *acts: Act, pace: Pace = FAST, **changes: Any) -> list[Event]:
    """Play a script to a child in this process; all that it said."""
    if not folder.exists():
        write_job(folder, train=12, held_out=0, recipe="linear", steps=None, **changes)
    script = Script(*acts)
    threads = torch.get_num_threads()
    try:
        live(Job.read(folder), Events(script.stream), script, pace)  # type: ignore[arg-type]
    finally:
        torch.set_num_threads(threads)
    return script.events


def at_once(_events: list[Event]) -> bool:
    return True


def said(kind: str, **fields: Any) -> Callable[[list[Event]], bool]:
    """Whether there was an event of a kind with these fields."""
    return lambda events: any(
        event["event"] == kind and all(event.get(key) == value for key, value in fields.items()) for event in events
    )


def pictures(*numbers: int, revision: int = 1, held_out: bool = False) -> list[Command]:
    """Updates of pictures of the job."""
    updates = [Update(f"p{n}", revision, f"pictures/{n}.png", f"truth/{n}.png") for n in numbers]
    return [replace(update, held_out=held_out) for update in updates]


def holds(*numbers: int, head: str = "quick", revision: int = 1) -> Callable[[list[Event]], bool]:
    """Whether the last head that was published holds these pictures."""

    def last(events: list[Event]) -> bool:
        published = [event for event in events if event["event"] == "published"]
        if not published or published[-1]["head"] != head:
            return False
        return all(published[-1]["revisions"].get(f"p{n}") == revision for n in numbers)

    return last
