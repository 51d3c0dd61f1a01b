"""The runner: order, replacement, cancellation, and that its thread ends."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from threading import get_native_id

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from app.jobs.job import Job, Progress
from app.jobs.runner import NICE, Runner

pytestmark = pytest.mark.window


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[Runner]:
    made = Runner("test")
    yield made
    made.close()
    assert not made._thread.isRunning()


class Gate:
    """A job that stops at each step until it is let on; notes what happened to it."""

    def __init__(self, name: str, log: list[str], steps: int = 3) -> None:
        self.name, self.log, self.steps = name, log, steps
        self.go = threading.Semaphore(0)
        self.reached = threading.Semaphore(0)

    def __call__(self) -> Job[str]:
        try:
            for step in range(self.steps):
                self.reached.release()
                assert self.go.acquire(timeout=10)
                self.log.append(f"{self.name}{step}")
                yield Progress(step + 1, self.steps, self.name)
        finally:
            self.log.append(f"{self.name} closed")
        return self.name

    def open(self) -> Gate:
        for _ in range(self.steps):
            self.go.release()
        return self


def test_a_result_and_every_step_arrive_in_the_thread_that_asked(runner: Runner, qtbot: QtBot) -> None:
    threads: list[object] = []
    steps: list[float] = []
    runner.progressed.connect(lambda _key, progress: steps.append(progress.done))
    runner.progressed.connect(lambda *_: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(runner.finished) as ended:
        runner.submit("job", Gate("a", []).open())
    assert ended.args == ["job", "a"]
    assert steps == [1, 2, 3]
    assert set(threads) == {runner.thread()}
    assert not runner.has("job")


def test_an_error_is_a_report_and_the_next_job_runs(runner: Runner, qtbot: QtBot) -> None:
    def broken() -> Job[None]:
        yield Progress()
        raise OSError("no disk")

    with qtbot.waitSignal(runner.failed) as failed:
        runner.submit("broken", broken)
    assert failed.args[0] == "broken"
    assert str(failed.args[1]) == "no disk"
    with qtbot.waitSignal(runner.finished):
        runner.submit("next", Gate("b", []).open())


def test_what_is_urgent_is_served_between_two_steps_of_what_is_not(runner: Runner, qtbot: QtBot) -> None:
    log: list[str] = []
    slow, urgent = Gate("slow", log), Gate("urgent", log, steps=1).open()
    ended: list[object] = []
    runner.finished.connect(lambda key, _result: ended.append(key))
    runner.submit("slow", slow)
    assert slow.reached.acquire(timeout=10)
    runner.submit("urgent", urgent, urgency=1)
    with qtbot.waitSignal(runner.idle):
        slow.open()
    assert log == ["slow0", "urgent0", "urgent closed", "slow1", "slow2", "slow closed"]
    assert ended == ["urgent", "slow"]


def test_a_newer_request_replaces_the_one_that_runs_and_the_one_that_waits(runner: Runner, qtbot: QtBot) -> None:
    log: list[str] = []
    first, second, third = Gate("first", log), Gate("second", log), Gate("third", log).open()
    reports: list[tuple[str, object]] = []
    runner.finished.connect(lambda _key, result: reports.append(("finished", result)))
    runner.cancelled.connect(lambda key: reports.append(("cancelled", key)))
    runner.submit("picture", first)
    assert first.reached.acquire(timeout=10)
    runner.submit("picture", second)
    runner.submit("picture", third)
    with qtbot.waitSignal(runner.idle):
        first.open()
    assert reports == [("finished", "third")]
    assert log[:2] == ["first0", "first closed"]
    assert not any(line.startswith("second") for line in log)


def test_cancelling_closes_the_job_before_it_is_said(runner: Runner, qtbot: QtBot) -> None:
    log: list[str] = []
    job = Gate("job", log)
    runner.submit("job", job)
    assert job.reached.acquire(timeout=10)
    closed: list[bool] = []
    runner.cancelled.connect(lambda _key: closed.append("job closed" in log))
    with qtbot.waitSignal(runner.cancelled):
        runner.cancel("job")
        job.open()
    assert closed == [True]
    assert log == ["job0", "job closed"]


def test_a_result_that_is_on_its_way_is_not_delivered_after_a_cancel(runner: Runner, qtbot: QtBot) -> None:
    finished: list[object] = []
    runner.finished.connect(lambda key, _result: finished.append(key))
    job = Gate("job", [], steps=1).open()
    runner.submit("job", job)
    with runner._changed:
        assert runner._changed.wait_for(lambda: not runner._tasks, timeout=10)
    with qtbot.waitSignal(runner.cancelled):
        runner.cancel("job")
    assert finished == []


def test_settling_leaves_nothing_at_work(runner: Runner) -> None:
    log: list[str] = []
    job = Gate("job", log).open()
    runner.submit("job", job)
    runner.submit("later", Gate("later", log).open())
    runner.settle()
    assert runner._tasks == []
    assert log.count("job closed") <= 1


def test_closing_joins_the_thread_and_refuses_what_comes_later(qtbot: QtBot) -> None:
    runner = Runner("test")
    job = Gate("job", [])
    runner.submit("job", job)
    assert job.reached.acquire(timeout=10)
    job.open()
    runner.close()
    runner.submit("late", Gate("late", []).open())
    assert not runner.has("late")
    assert not runner._thread.isRunning()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority is the whole process's")
@pytest.mark.parametrize("gives_way", [False, True])
def test_it_gives_way_to_the_window_when_it_is_to(qtbot: QtBot, gives_way: bool) -> None:
    def priority() -> Job[int]:
        yield Progress()
        return os.getpriority(os.PRIO_PROCESS, get_native_id())

    runner = Runner("test", gives_way=gives_way)
    with qtbot.waitSignal(runner.finished, timeout=10_000) as told:
        runner.submit("priority", priority)
    runner.close()
    here = os.getpriority(os.PRIO_PROCESS, get_native_id())
    assert told.args[1] == (max(here, NICE) if gives_way else here)
