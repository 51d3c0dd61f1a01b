"""What takes long, as a generator: the same job runs inline, in a worker thread, or is dropped half-way."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` (0: nobody knows), a line for people, a partial result for the caller."""

    done: float = 0
    total: float = 0
    text: str = ""
    value: object = None


Job = Generator[Progress, None, T]
"""A job yields Progress and returns its result; closing it cancels it, and its `finally` blocks tidy up."""


def run(job: Job[T], on_progress: Callable[[Progress], None] | None = None) -> T:
    """Runs a job to its end in this thread and returns its result; an error or Ctrl-C closes the job first."""
    try:
        while True:
            progress = next(job)
            if on_progress is not None:
                on_progress(progress)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        job.close()
