"""While a tool works something out: the line at the bottom says so, and drops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, get_ident

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.domain.change import Change
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.ui.whole_mask import Operating
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


@pytest.fixture
def go() -> Iterator[Event]:
    """What the slow tool waits for."""
    event = Event()
    yield event
    event.set()


def ask(window: Hand, go: Event) -> None:
    """A tool that takes until `go`."""
    document = window.document

    def compute() -> Change | None:
        go.wait(20)
        return Change.painting(document.mask, Rect(0, 0, 9, 9), np.ones((9, 9), bool), Label(1))

    gesture = Operating("Slow thing", document, 1, meant=True)
    gesture.propose(compute)
    window.place.canvas.hand.begin(gesture)


def test_what_takes_long_is_named_until_it_is_there(hand: Start, project: Path, go: Event) -> None:
    window = hand()
    window.open(project)
    status = window.place.window.status
    ask(window, go)
    assert not status.tool.isVisible()  # not at once: most are there before anybody can read it
    window.until(status.tool.isVisible)
    assert status.tool.text() == "Slow thing…"
    go.set()
    window.until(lambda: not status.tool.isVisible())
    assert not status.drop.isVisible()
    assert window.document.history.undoable == ("Slow thing",)


def test_cancel_beside_it_drops_it(hand: Start, project: Path, go: Event) -> None:
    window = hand()
    window.open(project)
    status = window.place.window.status
    ask(window, go)
    window.until(status.drop.isVisible)
    QTest.mouseClick(status.drop, Qt.MouseButton.LeftButton)
    assert not status.tool.isVisible()
    assert not window.place.canvas.hand.busy
    with window.qtbot.waitSignal(window.program.proposals._runner.idle):
        go.set()
    assert window.document.history.undoable == ()
    assert (window.document.mask.labels == 255).all()


def test_leaving_the_image_drops_it_and_the_line_goes(hand: Start, project: Path, go: Event) -> None:
    window = hand()
    window.open(project)
    status = window.place.window.status
    ask(window, go)
    window.until(status.tool.isVisible)
    window.go(Qt.Key.Key_D)
    assert not status.tool.isVisible()
    assert window.messages[-1] == "Slow thing was not done yet, and was dropped."
    with window.qtbot.waitSignal(window.program.proposals._runner.idle):
        go.set()
    assert window.document.history.undoable == ()


class Kept(Operating):
    """A short one."""

    @property
    def kept(self) -> bool:
        return self.settled


def test_what_is_short_is_waited_for_in_its_thread_when_the_image_is_left(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    document, threads = window.document, list[int]()

    def compute() -> Change | None:
        threads.append(get_ident())
        return Change.painting(document.mask, Rect(0, 0, 9, 9), np.ones((9, 9), bool), Label(1))

    gesture = Kept("Short thing", document, 1, meant=True)
    gesture.propose(compute)
    window.place.canvas.hand.begin(gesture)
    window.go(Qt.Key.Key_D)
    assert document.history.undoable == ("Short thing",)
    assert len(threads) == 1
    assert threads[0] != get_ident()


def test_another_gesture_takes_the_place_of_one_under_way(hand: Start, project: Path, go: Event) -> None:
    window = hand()
    window.open(project)
    ask(window, go)
    first = window.place.canvas.hand._gesture
    ask(window, go)
    assert first.over
    go.set()
    window.until(lambda: not window.place.canvas.hand.busy)
    assert window.document.history.undoable == ("Slow thing",)
