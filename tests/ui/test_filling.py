"""Filling from strokes in the real window, with a network of the test's own that waits when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.prediction import Prediction
from app.services import Refusal
from app.services.model import Model
from app.services.models import Models
from app.services.network import Network
from app.storage.project import Project
from tests.ui.window import CLASSES, SIZE, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class Scribe(Network):
    """Fills everything with the highest class that is painted; waits at the gate while that is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.painted: list[NDArray[np.uint8]] = []
        self.shown: list[NDArray[np.uint8] | None] = []
        self.looked: list[tuple[str, object]] = []
        self.error: Exception | None = None

    def fill(
        self,
        project: Project,
        image_id: str,
        model: Model | None,
        painted: NDArray[np.uint8],
        shown: NDArray[np.uint8] | None = None,
    ) -> Prediction | None:
        self.painted.append(painted)
        self.shown.append(shown)
        self.entered.release()
        assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        return said(int(painted[painted != 255].max(initial=0)), "strokes")

    def predict(self, project: Project, image_id: str, model: Model) -> Prediction:
        return said(1, model.version)

    def look(self, project: Project, image_id: str, model: Model | None) -> None:
        self.looked.append((image_id, model))

    def fingerprint(self, project: Project, model: Model, min_confidence: float = 0.0) -> str:
        return model.version


def said(label: int, version: str) -> Prediction:
    width, height = SIZE
    return Prediction(
        np.full((height, width), label, np.uint8), np.full((height // 4, width // 4), 255, np.uint8), version
    )


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    used = SimpleNamespace(version="oracle-1", classes=CLASSES)
    monkeypatch.setattr(Models, "in_use", lambda self: used)


def fill(window: Hand) -> None:
    """One key, and what comes of it has been written."""
    with window.qtbot.waitSignal(window.program.desk.filling.filled):
        window.key(Qt.Key.Key_P, SHIFT)


def paint(window: Hand, key: Qt.Key, row: int) -> None:
    window.key(key)
    window.stroke((30, row), (60, row))


def live(window: Hand) -> None:
    window.key(Qt.Key.Key_P, CTRL)
    assert window.place.actions["fill_live"].isChecked()


def all_model(window: Hand, label: int) -> bool:
    mask = window.document.mask
    model = mask.provenance == MODEL
    return bool(model.any() and (mask.provenance != EMPTY).all() and (mask.labels[model] == label).all())


def test_one_key_fills_all_that_no_human_has_touched_as_one_step(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    paint(window, Qt.Key.Key_1, 40)
    paint(window, Qt.Key.Key_3, 80)
    human = window.document.mask.provenance == HUMAN
    before = window.document.mask.labels.copy()
    fill(window)
    mask = window.document.mask
    assert all_model(window, 2)
    assert np.array_equal(mask.provenance == HUMAN, human)
    assert np.array_equal(mask.labels[human], before[human])
    assert window.document.history.undoable == ("Brush", "Brush", "Fill from strokes")
    assert np.array_equal(scribe.painted[0], before)
    assert not window.place.window.status.stop.isVisible()
    window.key(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(mask.labels, before)
    assert not (mask.provenance == MODEL).any()


def test_the_next_fill_is_told_what_the_last_one_said(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    paint(window, Qt.Key.Key_1, 40)
    paint(window, Qt.Key.Key_3, 80)
    fill(window)
    paint(window, Qt.Key.Key_2, 60)
    fill(window)
    mask, (first, second) = window.document.mask, scribe.shown
    assert first is not None
    assert second is not None
    assert (first == 255).all()
    human = mask.provenance == HUMAN
    assert (second[human] == 255).all()
    assert (second[~human] == 2).all()


def test_with_nothing_to_go_by_it_says_what_to_do(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    window.key(Qt.Key.Key_P, SHIFT)
    window.until(lambda: bool(window.messages))
    assert "paint a few strokes of each class first" in window.messages[-1]
    paint(window, Qt.Key.Key_3, 40)
    window.key(Qt.Key.Key_P, SHIFT)
    window.until(lambda: "only box is painted" in window.messages[-1])
    assert not scribe.painted
    assert not window.place.window.status.stop.isVisible()


@pytest.mark.usefixtures("model")
def test_a_reviewed_image_is_not_filled(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    window.go(Qt.Key.Key_Return)
    window.go(Qt.Key.Key_A)
    window.key(Qt.Key.Key_P, SHIFT)
    assert "reviewed" in window.messages[-1]
    assert not scribe.painted


@pytest.mark.usefixtures("model")
def test_reviewed_while_the_network_was_at_it_stays_as_it_is(hand: Start, project: Path, scribe: Scribe) -> None:
    scribe.gate.clear()
    window = hand(network=scribe)
    window.open(project)
    window.place.actions["go_on"].setChecked(False)
    paint(window, Qt.Key.Key_3, 40)
    window.key(Qt.Key.Key_P, SHIFT)
    assert scribe.entered.acquire(timeout=10)
    window.key(Qt.Key.Key_Return)
    with window.qtbot.waitSignal(window.place.worker.finished):
        scribe.gate.set()
    assert (window.document.mask.provenance == HUMAN).all()
    assert not window.place.window.status.stop.isVisible()


@pytest.mark.usefixtures("model")
def test_live_undo_takes_back_stroke_and_fill_together(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    live(window)
    for key, row, label in ((Qt.Key.Key_2, 40, 1), (Qt.Key.Key_3, 80, 2)):
        with window.qtbot.waitSignal(window.program.desk.filling.filled):
            paint(window, key, row)
        assert all_model(window, label)
    assert window.document.history.undoable == ("Brush", "Brush")
    window.key(Qt.Key.Key_Z, CTRL)
    assert all_model(window, 1)
    window.key(Qt.Key.Key_Z, CTRL)
    assert (window.document.mask.provenance == EMPTY).all()
    window.key(Qt.Key.Key_Y, CTRL)
    assert all_model(window, 1)
    assert len(scribe.painted) == 2


@pytest.mark.usefixtures("model")
def test_fast_strokes_do_not_queue(hand: Start, project: Path, scribe: Scribe) -> None:
    scribe.gate.clear()
    window = hand(network=scribe)
    window.open(project)
    live(window)
    paint(window, Qt.Key.Key_1, 20)
    assert scribe.entered.acquire(timeout=10)
    for row in (40, 60, 80, 100):
        paint(window, Qt.Key.Key_3, row)
    assert (window.document.mask.labels == 2).any()
    with window.qtbot.waitSignal(window.place.worker.idle):
        scribe.gate.set()
    assert len(scribe.painted) == 2
    assert (scribe.painted[-1][[20, 40, 60, 80, 100], 45] == [0, 2, 2, 2, 2]).all()
    assert all_model(window, 2)
    assert (window.document.mask.labels[[20, 40, 60, 80, 100], 45] == [0, 2, 2, 2, 2]).all()
    assert window.document.history.undoable == ("Brush",) * 5


@pytest.mark.usefixtures("model")
def test_what_comes_during_a_stroke_waits_for_its_end(hand: Start, project: Path, scribe: Scribe) -> None:
    scribe.gate.clear()
    window = hand(network=scribe)
    window.open(project)
    paint(window, Qt.Key.Key_3, 40)
    window.key(Qt.Key.Key_P, SHIFT)
    assert scribe.entered.acquire(timeout=10)
    canvas = window.place.canvas
    window.key(Qt.Key.Key_2)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=window.at(30, 80))
    with window.qtbot.waitSignal(window.place.worker.finished):
        scribe.gate.set()
    assert window.document.editing
    assert not (window.document.mask.provenance == MODEL).any()
    with window.qtbot.waitSignal(window.program.desk.filling.filled):
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=window.at(60, 80))
    assert all_model(window, 2)
    assert window.document.mask.labels[80, 45] == 1


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("act", ["undo", "leave", "stop", "clear"])
def test_what_is_no_longer_wanted_is_dropped(hand: Start, project: Path, scribe: Scribe, act: str) -> None:
    scribe.gate.clear()
    window = hand(network=scribe)
    window.open(project)
    live(window)
    paint(window, Qt.Key.Key_2, 40)
    assert scribe.entered.acquire(timeout=10)
    paint(window, Qt.Key.Key_3, 80)
    if act == "leave":
        assert window.go(Qt.Key.Key_D) == "b"
    elif act == "stop":
        window.key(Qt.Key.Key_Period, CTRL)
    else:
        window.place.actions[act].trigger()
    with window.qtbot.waitSignal(window.place.worker.idle):
        scribe.gate.set()
    assert not (window.document.mask.provenance == MODEL).any()
    assert len(scribe.painted) == 1
    assert window.document.history.redoable == (("Brush",) if act == "undo" else ())


@pytest.mark.usefixtures("model")
def test_live_follows_people_only(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    live(window)
    with window.qtbot.waitSignal(window.program.desk.filling.filled):
        paint(window, Qt.Key.Key_3, 40)
    window.key(Qt.Key.Key_P)
    window.until(lambda: all_model(window, 1))
    assert not window.place.worker.has(("fill", "a"))
    window.place.actions["clear"].trigger()
    assert (window.document.mask.provenance == EMPTY).all()
    assert len(scribe.painted) == 1


@pytest.mark.usefixtures("model")
def test_a_live_fill_that_fails_says_so_once(hand: Start, project: Path, scribe: Scribe) -> None:
    scribe.error = Refusal("the backbone is gone")
    window = hand(network=scribe)
    window.open(project)
    live(window)
    paint(window, Qt.Key.Key_3, 40)
    window.until(lambda: bool(window.messages))
    assert window.messages == ["a was not filled: the backbone is gone"]
    assert not window.place.actions["fill_live"].isChecked()
    paint(window, Qt.Key.Key_3, 80)
    assert len(scribe.painted) == 1


def test_live_waits_for_strokes_of_two_classes(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    live(window)
    with window.qtbot.waitSignal(window.place.worker.failed):
        paint(window, Qt.Key.Key_1, 40)
    assert window.messages == []
    with window.qtbot.waitSignal(window.program.desk.filling.filled):
        paint(window, Qt.Key.Key_3, 80)
    assert all_model(window, 2)


@pytest.mark.usefixtures("model")
def test_it_goes_on_live_where_it_was_left(hand: Start, project: Path, scribe: Scribe) -> None:
    first = hand(network=scribe)
    first.open(project)
    assert not first.place.actions["fill_live"].isChecked()
    live(first)
    first.close()
    window = hand(network=scribe)
    window.open(project)
    with window.qtbot.waitSignal(window.program.desk.filling.filled):
        paint(window, Qt.Key.Key_3, 40)
    assert all_model(window, 2)


@pytest.mark.usefixtures("model")
def test_the_restore_brush_brings_the_fill_back(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe)
    window.open(project)
    paint(window, Qt.Key.Key_3, 40)
    fill(window)
    paint(window, Qt.Key.Key_1, 80)
    assert window.document.mask.labels[80, 45] == 0
    window.key(Qt.Key.Key_T)
    window.stroke((30, 80), (60, 80))
    assert window.document.mask.labels[80, 45] == 2
    assert window.document.mask.provenance[80, 45] == MODEL


def test_pictures_are_looked_at_before_there_is_a_model(hand: Start, project: Path, scribe: Scribe) -> None:
    window = hand(network=scribe, reads_ahead=True)
    window.open(project)
    window.until(lambda: len(scribe.looked) == 3 and not window.place.worker.has(("predict", "c")))
    assert scribe.looked == [("a", None), ("b", None), ("c", None)]
    assert window.messages == []
    quiet = hand(network=Scribe(), settings="quiet.ini")
    quiet.open(project)
    assert quiet.place.network.looked == []
