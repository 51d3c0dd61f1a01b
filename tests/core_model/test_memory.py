"""How much memory is needed and was taken, and that the child says so."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core_model.events import Events
from core_model.memory import lowered_batch, memory_free, memory_needed
from tests.core_model.job_folder import learn, write_job

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


MEASURED = [  # recipe, variant, side, pictures a step, bf16, MiB at most in a process of its own on the CPU
    ("full", "xception_slim", 257, 2, True, 739),
    ("full", "xception_slim", 385, 2, True, 1010),
    ("full", "xception", 257, 2, True, 1141),
    ("full", "xception", 385, 2, True, 1550),
    ("full", "xception_slim", 257, 2, False, 931),
    ("full", "xception_slim", 385, 2, False, 1474),
    ("quick", "xception", 257, 2, True, 659),
    ("quick", "xception", 385, 2, True, 828),
    ("quick", "xception", 513, 2, True, 1022),
    ("quick", "xception", 257, 2, False, 762),
    ("quick", "xception", 385, 2, False, 973),
]


@pytest.mark.parametrize(("recipe", "variant", "side", "batch", "bf16", "megabytes"), MEASURED)
def test_what_is_estimated_is_what_was_measured(
    recipe: str, variant: str, side: int, batch: int, bf16: bool, megabytes: int
) -> None:
    estimated = memory_needed(recipe, variant, (side, side), batch, bf16=bf16) >> 20
    assert 0.95 * megabytes < estimated < 1.15 * megabytes


def test_more_pictures_a_larger_size_and_a_larger_network_need_more() -> None:
    plain = memory_needed("full", "xception_slim", (257, 257), 2)
    assert plain < memory_needed("full", "xception_slim", (257, 257), 3)
    assert plain < memory_needed("full", "xception_slim", (257, 385), 2)
    assert plain < memory_needed("full", "xception", (257, 257), 2)
    assert plain < memory_needed("full", "xception_slim", (257, 257), 2, bf16=False)
    assert plain > memory_needed("quick", "xception_slim", (257, 257), 2)
    assert plain > memory_needed("linear", "xception_slim", (257, 257), 2)


@pytest.mark.parametrize(
    ("wanted", "free", "least", "batch", "said"),
    [
        (8, None, 1, 8, None),
        (8, 9 << 30, 1, 8, None),
        (
            8,
            (9 << 30) - 1,
            1,
            7,
            "9.0 GB of memory are needed for 8 pictures a step, and 9.0 GB are free: learns with 7",
        ),
        (8, 3 << 30, 1, 2, "3.0 GB are free: learns with 2"),
        (8, 3 << 30, 4, 4, "close other programs"),
        (8, 1 << 30, 1, 1, "close other programs"),
        (1, 1 << 30, 2, 1, "close other programs"),
    ],
)
def test_as_many_pictures_a_step_as_fit(
    wanted: int, free: int | None, least: int, batch: int, said: str | None
) -> None:
    found, warning = lowered_batch(lambda batch: (1 + batch) << 30, wanted, free, least)
    assert found == batch
    assert warning is None if said is None else said in (warning or "")


def test_memory_that_is_free_is_known_on_linux() -> None:
    free = memory_free(torch.device("cpu"))
    assert (free is not None and free > 0) == Path("/proc/meminfo").is_file()
    assert free is None or free <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("recipe", ["quick", "full"])
def test_a_learning_says_what_it_needs_and_takes_less_where_that_is_not_there(
    tmp_path: Path, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = learn(write_job(tmp_path / "plenty", recipe=recipe, steps=1))
    (needs,) = (event for event in events if event["event"] == "needs")
    assert needs["batch"] == 2
    assert 300 < needs["megabytes"] < 900
    monkeypatch.setattr("core_model.fit.memory_free", lambda _device: 1 << 20)
    events = learn(write_job(tmp_path / "none", recipe=recipe, steps=1))
    assert any("0.0 GB are free" in event["text"] for event in events if event["event"] == "warning")
    assert events[-1]["event"] == "done"
