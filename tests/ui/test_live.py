"""Live learning in the window, with a learner of the test's own in place of the child process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt

from app.domain.mask import EMPTY, MODEL
from app.jobs.job import Job, Progress
from app.services.errors import Refusal
from app.services.learning import LearningFailed
from app.services.live import LiveState
from app.services.models import Models
from app.services.slot import LiveHead
from app.ui import live
from app.ui.live import Live
from tests.ui.test_learning import RESULT
from tests.ui.test_predictions import LABEL, Oracle, oracle
from tests.ui.window import Hand

__all__ = ["oracle"]

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


class Learner:
    """Stands for `LiveLearner`: reports what it is given, and notes what it is asked."""

    made: list[Learner]

    def __init__(self, _project: object) -> None:
        self.looks = 0
        self.pauses: list[bool] = []
        self.says: Queue[object] = Queue()
        self.closed = threading.Event()
        self.made.append(self)

    def look(self) -> None:
        self.looks += 1

    def pause(self, asleep: bool) -> None:
        self.pauses.append(asleep)

    def run(self) -> Job[None]:
        try:
            yield Progress(value=LiveState("starting"))
            while True:
                value = None if self.says.empty() else self.says.get()
                if isinstance(value, Exception):
                    raise value
                if value is None:
                    self.closed.wait(0.01)
                yield Progress(value=value)
        finally:
            self.closed.set()


@pytest.fixture
def learners(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Learner]]:
    Learner.made = []
    monkeypatch.setattr(live, "LiveLearner", Learner)
    yield Learner.made
    assert all(learner.closed.is_set() for learner in Learner.made)  # none outlives the window's project


@pytest.fixture
def window(hand: Start, project: Path, oracle: Oracle, learners: list[Learner]) -> Iterator[Hand]:
    window = hand(network=oracle, reads_ahead=True, live=True)
    window.open(project)
    window.until(lambda: window.place.learning.live.text() == "Live: starting…")
    yield window
    window.close()


def head(*, used: bool = True) -> LiveHead:
    return LiveHead(SimpleNamespace(version="live"), used)  # type: ignore[arg-type]


def live_of(window: Hand) -> Live:
    assert window.program.desk is not None
    return window.program.desk.live


def test_what_is_reviewed_or_taken_back_is_told(window: Hand, learners: list[Learner]) -> None:
    assert learners[0].looks == 0
    window.go(Qt.Key.Key_Return)
    assert learners[0].looks == 1
    window.go(Qt.Key.Key_A)
    window.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert learners[0].looks == 2


def test_strokes_are_told_when_the_image_is_left(window: Hand, learners: list[Learner]) -> None:
    window.key(Qt.Key.Key_1)
    window.stroke((20, 30), (60, 30))
    assert learners[0].looks == 0
    window.go(Qt.Key.Key_D)
    assert learners[0].looks == 1
    window.go(Qt.Key.Key_D)
    assert learners[0].looks == 1


def test_an_image_opens_pre_annotated_and_that_is_no_step(window: Hand) -> None:
    window.until(lambda: bool((window.document.mask.provenance == MODEL).all()))
    assert (window.document.mask.labels == LABEL).all()
    assert not window.document.history.done
    window.go(Qt.Key.Key_D)
    window.until(lambda: bool((window.document.mask.provenance == MODEL).all()))


def test_a_new_head_asks_the_network_again_where_it_predicts(
    window: Hand, oracle: Oracle, learners: list[Learner]
) -> None:
    window.until(lambda: len(oracle.asked) == 3)
    learners[0].says.put(head(used=False))
    learners[0].says.put(LiveState("paused", "nothing improves", images=7, seconds=2.14))
    window.until(lambda: window.place.learning.live.text() == "Live: 7 pictures learnt, the last one within 2.1 s.")
    assert len(oracle.asked) == 3
    learners[0].says.put(head())
    window.until(lambda: len(oracle.asked) == 6)


def test_what_a_person_has_emptied_stays_empty(window: Hand, oracle: Oracle, learners: list[Learner]) -> None:
    window.until(lambda: bool((window.document.mask.provenance == MODEL).all()))
    window.key(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    asked = len(oracle.asked)
    learners[0].says.put(head())
    window.until(lambda: len(oracle.asked) >= asked + 3)
    window.until(lambda: not window.place.worker.has(("predict", window.document.image_id)))
    assert (window.document.mask.provenance == EMPTY).all()


def test_one_click_stops_it_and_it_is_remembered(
    window: Hand, hand: Start, project: Path, learners: list[Learner]
) -> None:
    window.place.learning.live_switch.click()
    assert window.place.learning.live.text() == "Live learning is off."
    window.until(learners[0].closed.is_set)
    assert window.place.remembered.number("live", 1) == 0
    window.go(Qt.Key.Key_Return)
    assert len(learners) == 1
    window.place.actions["live"].trigger()
    window.until(lambda: window.place.learning.live.text() == "Live: starting…")
    assert len(learners) == 2


def test_it_waits_for_another_learning(window: Hand, learners: list[Learner]) -> None:
    assert window.program.desk is not None
    window.program.desk.learning.running.emit(True)
    window.program.desk.learning.running.emit(False)
    assert learners[0].pauses == [True, False]


def test_a_failure_is_said_and_the_next_review_starts_it_again_but_not_for_ever(
    window: Hand, learners: list[Learner]
) -> None:
    for number in range(1, 4):
        learners[-1].says.put(LearningFailed(f"ended by itself, {number}"))
        window.until(lambda number=number: any(f"itself, {number}" in text for text in window.messages))  # type: ignore[misc]
        assert "stopped" in window.place.learning.live.text()
        window.go(Qt.Key.Key_Return)
        assert len(learners) == min(number + 1, 3)


def test_a_version_is_kept_before_another_head_takes_over(
    window: Hand, monkeypatch: pytest.MonkeyPatch, learners: list[Learner]
) -> None:
    def refuse(_project: object) -> Job[None]:
        yield Progress()
        raise Refusal("review a picture first")

    monkeypatch.setattr("app.services.slot.keep_version", refuse)
    assert window.program.desk is not None
    live_of(window)._taken_over(RESULT)
    live_of(window)._taken_over(None)
    assert not window.place.live.has("keep live")
    window.place.actions["keep_live"].trigger()
    window.until(lambda: any("review a picture first" in text for text in window.messages))


def test_nothing_starts_where_nothing_is_read_ahead(hand: Start, project: Path, learners: list[Learner]) -> None:
    window = hand(live=True)
    window.open(project)
    window.go(Qt.Key.Key_Return)
    assert learners == []
    assert Models(window.program.desk.project).in_use() is None
