"""How much memory was taken at most, and that the child says so."""

from __future__ import annotations

import io
import json
import subprocess
import sys

from core_model.events import Events

TAKING = """
from core_model.memory import peak_megabytes
before = peak_megabytes()
held = bytearray(b"x") * ((before + 128) << 20)  # more than was ever held before
taken = peak_megabytes()
del held
print(taken - before, peak_megabytes() - taken)
"""


def test_it_grows_with_what_is_taken_and_does_not_shrink() -> None:
    done = subprocess.run([sys.executable, "-c", TAKING], capture_output=True, text=True, check=True)
    grown, since = map(int, done.stdout.split())
    assert grown >= 128
    assert since >= -2  # the system counts pages in batches, a thread at a time


def test_progress_and_end_say_it_and_nothing_else_does() -> None:
    stream = io.StringIO()
    for event in ("started", "progress", "scores", "done"):
        Events(stream).emit(event)
    said = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["event"] for one in said if "memory" in one] == ["progress", "done"]
