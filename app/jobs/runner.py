"""Runs jobs in a thread of their own, the most urgent first.

A job is a generator, so a more urgent job is served between two steps of a less urgent one: pre-annotating a
whole folder never makes the picture on screen wait for more than one picture.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, get_native_id

from PySide6.QtCore import QEventLoop, QObject, Qt, QThread, Signal

from app.jobs.job import Job, Progress

log = logging.getLogger(__name__)
NICE = 10
"""Of threads that give way: the system's scale from 0 to 19."""

_ENDS = ("finished", "failed", "cancelled")


@dataclass
class _Task:
    """One submitted job: waiting until `job` is made by the thread, running from then on."""

    key: Hashable
    number: int
    factory: Callable[[], Job[object]]
    urgency: int
    job: Job[object] | None = None
    cancelled: bool = False


class Runner(QObject):
    """A thread that runs jobs; made in the thread that submits, where all of its signals arrive.

    Every job ends with exactly one of finished, failed or cancelled, except one that a newer job of the same key has
    replaced: nobody hears of it any more. `cancelled` comes when the job really has been closed.
    """

    started = Signal(object)  # key
    progressed = Signal(object, object)  # key, Progress
    finished = Signal(object, object)  # key, the job's result
    failed = Signal(object, object)  # key, the exception
    cancelled = Signal(object)  # key
    idle = Signal()  # nothing waits and nothing runs

    _reported = Signal(str, object, object)  # from the thread: kind, task, value

    def __init__(self, name: str, parent: QObject | None = None, *, gives_way: bool = False) -> None:
        """`gives_way`: its work leaves the processor to the window whenever that wants it."""
        super().__init__(parent)
        self._tasks: list[_Task] = []  # guarded by _changed
        self._changed = Condition()
        self._closing = False
        self._current: dict[Hashable, _Task] = {}  # submitting thread only: whose reports are passed on
        self._numbers = 0
        self._reported.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        self._thread = _Thread(self._serve, gives_way)
        self._thread.setObjectName(name)

    def has(self, key: Hashable) -> bool:
        """Whether a job of this key waits or runs, or has been cancelled but not closed yet."""
        return key in self._current

    def submit(self, key: Hashable, factory: Callable[[], Job[object]], urgency: int = 0) -> None:
        """Asks for a job, in place of an older one of that key; a higher urgency is served first, then the older."""
        self.cancel(key)
        self._numbers += 1
        task = _Task(key, self._numbers, factory, urgency)
        with self._changed:
            if self._closing:
                return
            self._current[key] = task
            self._tasks.append(task)
            self._changed.notify_all()
        if not self._thread.isRunning():
            self._thread.start()

    def cancel(self, key: Hashable) -> None:
        """Ends the job of this key, if there is one: before it starts, or at its next step."""
        if (task := self._current.get(key)) is not None:
            with self._changed:
                task.cancelled = True
                self._changed.notify_all()

    def cancel_all(self) -> None:
        """Ends every job."""
        for key in list(self._current):
            self.cancel(key)

    def settle(self) -> None:
        """Ends every job and waits until none of them touches anything any more: for the length of one step."""
        self.cancel_all()
        with self._changed:
            self._changed.wait_for(lambda: not self._tasks)

    def wait_for(self, key: Hashable) -> None:
        """Returns when the job of this key has ended; the window stays alive meanwhile, deaf to the person."""
        loop = QEventLoop()

        def ended(which: Hashable, _value: object = None) -> None:
            if which == key:
                loop.quit()

        signals = (self.finished, self.failed, self.cancelled)
        for signal in signals:
            signal.connect(ended)
        if self.has(key):
            loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        for signal in signals:
            signal.disconnect(ended)

    def close(self) -> None:
        """Ends every job and joins the thread; the step that runs is waited for."""
        self.cancel_all()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.wait()

    def _pass_on(self, kind: str, task: _Task, value: object) -> None:
        if self._current.get(task.key) is not task:
            return
        if kind == "started" and not task.cancelled:
            self.started.emit(task.key)
        elif kind == "progressed" and not task.cancelled:
            self.progressed.emit(task.key, value)
        elif kind in _ENDS:
            del self._current[task.key]
            if task.cancelled:
                self.cancelled.emit(task.key)
            else:
                (self.finished if kind == "finished" else self.failed).emit(task.key, value)
            if not self._current:
                self.idle.emit()

    # the thread

    def _serve(self) -> None:
        while (task := self._next()) is not None:
            kind, value = _step(task)
            if kind in _ENDS:
                with self._changed:
                    self._tasks.remove(task)
                    self._changed.notify_all()
            self._reported.emit(kind, task, value)

    def _next(self) -> _Task | None:
        """The task to advance by one step, cancelled ones first; waits for one; None when the thread is to end."""
        with self._changed:
            while not self._tasks:
                if self._closing:
                    return None
                self._changed.wait()
            return min(self._tasks, key=lambda task: (not task.cancelled, -task.urgency, task.number))


def _step(task: _Task) -> tuple[str, object]:
    """Advances a task by one step; returns what happened and its value."""
    try:
        if task.cancelled:
            if task.job is not None:
                task.job.close()
            return "cancelled", None
        if task.job is None:
            task.job = task.factory()
            return "started", None
        progress: Progress = next(task.job)
    except StopIteration as end:
        return "finished", end.value
    except Exception as error:  # the boundary of the thread: whatever a job raises becomes its report
        log.info("job %r failed", task.key, exc_info=error)
        return "failed", error
    return "progressed", progress


class _Thread(QThread):
    """Runs one function; a QThread, so that signals and thread-bound Qt objects of a job work."""

    def __init__(self, function: Callable[[], None], gives_way: bool) -> None:
        super().__init__()
        self._function = function
        self._gives_way = gives_way

    def run(self) -> None:
        """Called by Qt in the new thread."""
        if self._gives_way and sys.platform == "linux":  # elsewhere a priority is the whole process's
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)  # threads that this one starts inherit it
        self._function()
