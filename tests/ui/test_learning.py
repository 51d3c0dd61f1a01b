"""Learning in the window, with a learner of the test's own in place of the child process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.jobs.job import Job, Progress
from app.services import learning
from app.services.errors import NothingLearnt
from app.services.learning import LearningFailed, TrainResult
from app.services.network import Network
from app.services.run_folder import Run, Unfinished
from app.services.runs import TrainRequest
from app.storage.project import Project
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
RESULT = TrainResult("quick-1", "quick", True, "the first model of this project", None, None, None, 1, 0, 8, 1.0)


class Learner:
    """Stands for `services.learning.fit`: reports what it is told to, and ends as it is told to."""

    def __init__(self) -> None:
        self.requests: list[TrainRequest] = []
        self.go = threading.Event()
        self.closed = threading.Event()
        self.error: Exception | None = None

    def __call__(self, project: Project, request: TrainRequest) -> Job[TrainResult]:
        self.requests.append(request)
        try:
            yield Progress(0, 1, "preparing a")
            yield Progress(0, 1, "", {"event": "started", "images": 1, "held_out": 0, "device": "cpu"})
            for step in range(4):
                at = {"phase": "learn", "fraction": step / 8, "step": step, "loss": 2.0 - step / 4}
                yield Progress(step / 8, 1, "", {"event": "progress", **at})
            yield Progress(0.5, 1, "", {"event": "scores", "step": 4, "miou": 0.5, "pixel_accuracy": 0.75})
            while not self.go.wait(0.02):
                yield Progress(0.5, 1, "learning")
            if self.error is not None:
                raise self.error
            return RESULT
        finally:
            self.closed.set()


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Learner]:
    made = Learner()
    monkeypatch.setattr(learning, "fit", made)
    yield made
    made.go.set()


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch, learner: Learner, tmp_path: Path) -> list[Unfinished]:
    """A learning that was stopped, for as long as it is in the list."""
    run = Run(tmp_path / "run", "quick", tmp_path / "backbone", None, ("a",), (), {0: "sky"})
    kept = [Unfinished(run, 0.62, 240_400_000)]

    def recover(_project: Project) -> Job[Unfinished | None]:
        yield Progress(text="looking")
        return kept[0] if kept else None

    def resume(project: Project, which: Unfinished) -> Job[TrainResult]:
        assert which is kept.pop()
        return (yield from learner(project, TrainRequest("go on")))

    def drop(_project: Project) -> None:
        kept.clear()

    for name, stands_in in {"recover": recover, "resume": resume, "drop": drop}.items():
        monkeypatch.setattr(learning, name, stands_in)
    return kept


def test_what_was_stopped_is_offered_and_goes_on(hand: Start, project: Path, learner: Learner, stopped: object) -> None:
    window = hand()
    window.open(project)
    panel = window.place.learning
    window.until(panel.resume.isVisible)
    assert panel.stopped.text() == "A learning was stopped (quick, 62%; 240 MB on disk)."
    QTest.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    window.until(lambda: len(panel.plots.miou.points) == 1)
    assert learner.requests == [TrainRequest("go on")]
    assert not panel.resume.isVisible()
    learner.go.set()
    window.until(lambda: any("quick-1 predicts from now on" in text for text in window.messages))
    window.until(lambda: not panel.stopped.text())
    assert not panel.resume.isVisible()


def test_what_was_stopped_can_be_dropped(hand: Start, project: Path, stopped: list[Unfinished]) -> None:
    window = hand()
    window.open(project)
    panel = window.place.learning
    window.until(panel.drop.isVisible)
    QTest.mouseClick(panel.drop, Qt.MouseButton.LeftButton)
    window.until(lambda: not panel.stopped.text())
    assert not stopped
    assert not panel.drop.isVisible()


def test_after_a_stop_it_is_offered_at_once(
    hand: Start, project: Path, learner: Learner, stopped: list[Unfinished]
) -> None:
    offered = [stopped.pop()]
    window = hand()
    window.open(project)
    begun(window)
    stopped += offered
    window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    window.until(window.place.learning.resume.isVisible)


@pytest.mark.parametrize(("device", "begins"), [("cuda:0", True), ("cpu", False)])
def test_full_begins_by_itself_on_a_gpu_after_so_many_reviewed_images(
    hand: Start, project: Path, learner: Learner, monkeypatch: pytest.MonkeyPatch, device: str, begins: bool
) -> None:
    monkeypatch.setattr(Network, "device", device)
    window = hand()
    window.place.remembered.keep("full_every", 2)
    window.open(project)
    window.go(Qt.Key.Key_Return)
    assert not learner.requests
    assert window.place.learning.every.isVisible() == begins
    window.key(Qt.Key.Key_Return)
    if begins:
        window.until(lambda: len(window.place.learning.plots.miou.points) == 1)
        assert [(request.recipe, request.asked) for request in learner.requests] == [("full", False)]
        assert any("2 images reviewed since the last Full" in text for text in window.messages)
    else:
        window.until(lambda: window.place.images.model.count("reviewed") == 2)
        assert not learner.requests
        assert window.place.learning.start.isVisible()


def begun(window: Hand) -> None:
    window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: len(window.place.learning.plots.miou.points) == 1)


def test_loss_and_scores_are_drawn_as_they_come(hand: Start, project: Path, learner: Learner) -> None:
    window = hand()
    window.open(project)
    panel = window.place.learning
    panel.minutes.setValue(3)
    begun(window)
    a_core_less = max(1, (os.cpu_count() or 1) - 1)
    assert learner.requests == [TrainRequest(recipe="quick", minutes=3.0, threads=a_core_less)]
    assert panel.plots.loss.points == [(0, 2.0), (1, 1.75), (2, 1.5), (3, 1.25)]
    assert panel.plots.miou.points == [(4, 0.5)]
    assert "none held out, on cpu" in panel.events.toPlainText()
    assert "loss 1.250" in panel.state.text()
    assert panel.stop.isVisible()
    assert not panel.start.isVisible()
    window.stroke((20, 30), (60, 30))
    assert window.document.mask.labels[30, 40] == 0
    learner.go.set()
    window.until(lambda: any("quick-1 predicts from now on" in text for text in window.messages))
    assert panel.start.isVisible()
    assert "the first model" in panel.events.toPlainText()


def test_a_second_learning_is_refused(hand: Start, project: Path, learner: Learner) -> None:
    window = hand()
    window.open(project)
    begun(window)
    window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert "under way" in window.messages[-1]
    assert len(learner.requests) == 1


def test_stop_closes_the_learner_before_it_is_said(hand: Start, project: Path, learner: Learner) -> None:
    window = hand()
    window.open(project)
    begun(window)
    with window.qtbot.waitSignal(window.program.desk.learning.learnt):
        QTest.mouseClick(window.place.learning.stop, Qt.MouseButton.LeftButton)
        assert window.place.learning.state.text() == "Stopping…"
    assert learner.closed.is_set()
    assert window.place.learning.start.isVisible()


def test_a_failure_is_reported_with_its_last_lines(hand: Start, project: Path, learner: Learner) -> None:
    window = hand()
    window.open(project)
    begun(window)
    learner.error = LearningFailed("the learning process was ended by signal 9; its last lines: boom")
    learner.go.set()
    window.until(lambda: any("its last lines: boom" in text for text in window.messages))
    assert window.place.window.messages.isVisible()
    assert window.place.learning.start.isVisible()


def test_nothing_to_learn_from_is_a_hint_and_no_error(hand: Start, project: Path, learner: Learner) -> None:
    window = hand()
    window.open(project)
    assert "paint a few strokes" in window.place.learning.state.text()
    learner.error = NothingLearnt("there is nothing to learn from yet: paint a few strokes of each class")
    learner.go.set()
    window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: any("nothing to learn from yet" in text for text in window.messages))
    assert window.place.messages.log[-1].kind == "info"


def test_closing_the_window_ends_the_learner(hand: Start, project: Path, learner: Learner) -> None:
    window = hand()
    window.open(project)
    begun(window)
    window.close()
    assert learner.closed.is_set()
    assert not window.place.window.isVisible()


def test_the_panel_counts_what_would_be_learnt_from(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.stroke((20, 30), (60, 30))
    assert window.place.learning.state.text() == "From the human pixels of 1 corrected image."
    window.go(Qt.Key.Key_Return)
    window.stroke((20, 30), (60, 30))
    assert window.place.learning.state.text() == "From 1 reviewed image and the human pixels of 1 corrected image."
