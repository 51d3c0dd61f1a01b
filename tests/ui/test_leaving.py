"""Between two images, and between two projects: nothing lands where nobody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.domain.mask import HUMAN
from app.jobs.job import Job, Progress
from app.services import create_project
from app.services.runs import TrainRequest
from tests.ui.window import CLASSES, WAIT, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def test_a_stroke_while_the_next_image_is_decoded_paints_nothing(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    left = window.document
    gate = threading.Event()

    def busy() -> Job[None]:
        yield Progress()
        gate.wait(30)

    window.place.files.submit("busy", busy, urgency=100)
    window.key(Qt.Key.Key_D)
    assert window.program.desk.navigation.wanted == "b"
    window.stroke((40, 40), (60, 40))
    assert left.sequence == 0
    with window.qtbot.waitSignal(window.program.shown, timeout=WAIT):
        gate.set()
    assert window.document.image_id == "b"
    window.stroke((40, 40), (60, 40))
    assert (window.document.mask.provenance == HUMAN).any()
    assert not (left.mask.provenance == HUMAN).any()


def test_only_what_may_repeat_repeats_while_its_key_is_held(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    actions = window.place.actions
    assert {action.objectName() for action in actions if action.autoRepeat()} >= {"undo", "next", "larger"}
    assert not any(actions[name].autoRepeat() for name in ("review", "skip", "clear", "pre_annotate", "learn"))


def test_another_project_finds_the_learning_panel_ready(
    hand: Start, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create_project(tmp_path / "other", tmp_path / "pictures", CLASSES)
    other.close()
    started = threading.Event()

    def endless(_project: object, _request: TrainRequest) -> Job[None]:
        while True:
            started.set()
            threading.Event().wait(0.02)
            yield Progress(text="learning")

    monkeypatch.setattr("app.services.learning.fit", endless)
    window = hand()
    window.open(project)
    window.stroke((40, 40))
    window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    window.until(started.is_set)
    assert window.place.learning.stop.isVisible()
    window.open(tmp_path / "other")
    assert window.place.learning.start.isVisible()
    assert not window.place.learning.stop.isVisible()


def test_a_warning_that_arises_later_is_said(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.program.desk.project.warnings.append("a.png was changed by another program")
    window.go(Qt.Key.Key_D)
    assert "a.png was changed by another program" in window.messages
    assert np.count_nonzero([text.startswith("a.png was changed") for text in window.messages]) == 1
