"""Predictions are scored as their pictures are reviewed: what the panel says, in a real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.domain.geometry import Rect
from app.domain.ink import Label
from app.services import agreement, open_project
from app.services.models import Models
from app.ui.panels.agreement import AgreementPanel
from tests.ui.test_predictions import LABEL, Oracle
from tests.ui.window import SIZE, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    monkeypatch.setattr(Models, "in_use", lambda self: SimpleNamespace(version="oracle-1"))
    return Oracle()


def panel_of(window: Hand) -> AgreementPanel:
    return window.place.window.agreement


def shown(window: Hand) -> AgreementPanel:
    """Brings the panel to the front."""
    window.place.window.docks["agreement"].raise_()
    window.until(lambda: panel_of(window)._looked_at)
    return panel_of(window)


def pre_annotated(window: Hand) -> None:
    """The image on screen is filled with grass, and that is kept."""
    window.key(Qt.Key.Key_P)
    window.until(lambda: bool((window.document.mask.labels == LABEL).all()))


def half_corrected(window: Hand) -> None:
    """The left half of the picture is sky after all."""
    document = window.document
    document.begin("Brush")
    document.paint(Rect(0, 0, SIZE[0] // 2, SIZE[1]), np.ones((SIZE[1], SIZE[0] // 2), bool), Label(0))
    document.commit()


def scored(window: Hand, count: int) -> bool:
    return len(panel_of(window)._points) == count


def test_a_review_shows_how_much_of_the_prediction_was_right(
    hand: Start,
    project: Path,
    oracle: Oracle,
) -> None:
    window = hand(network=oracle)
    window.open(project)
    panel = shown(window)
    assert "No prediction has been scored yet" in panel.text.text()
    assert panel.choice.isHidden()
    assert "biased towards the head that was shown" in panel.bias.text()
    pre_annotated(window)
    half_corrected(window)
    assert window.go(Qt.Key.Key_Return) == "b"
    window.until(lambda: scored(window, 1))
    assert panel.text.text() == (
        "1 of 1: a by oracle-1\nFirst: 0.500 / 0.250, human 0.000 / 0.000\nKept: 0.500 of the first"
    )
    assert panel.plot.lines == [[0.5], [0.25]] * 2
    assert panel.plot.isVisible()

    pre_annotated(window)
    assert window.go(Qt.Key.Key_Return) == "c"
    window.until(lambda: scored(window, 2))
    assert panel.plot.lines[0] == [0.5, 0.75]
    assert "2 of 2: b" in panel.text.text()
    assert "Last 2: 0.750 / 0.375, human 0.000 / 0.000" in panel.text.text()

    window.go(Qt.Key.Key_A)
    window.go(Qt.Key.Key_A)
    assert window.document.image_id == "a"
    window.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    window.until(lambda: scored(window, 1))
    assert panel.plot.lines == [[1.0], [1.0]] * 2
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # the taking back is taken back
    window.until(lambda: scored(window, 2))
    assert panel._points[-1].image == "a"


def test_each_class_has_its_own_curve_and_the_pointer_asks_for_a_picture(
    hand: Start,
    project: Path,
    oracle: Oracle,
) -> None:
    window = hand(network=oracle)
    window.open(project)
    panel = shown(window)
    for _ in range(2):
        pre_annotated(window)
        half_corrected(window)
        window.go(Qt.Key.Key_Return)
    window.until(lambda: scored(window, 2))
    panel.choice.setCurrentIndex(panel.choice.findText("grass"))
    assert panel.plot.lines == [[1.0, 1.0], [0.5, 0.5]] * 2
    assert "Last 2: 1.000 / 0.500, human – / –" in panel.text.text()
    panel.choice.setCurrentIndex(panel.choice.findText("box"))
    assert panel.plot.lines == [[None, None]] * 4
    assert "Last 2: – / –" in panel.text.text()
    window.program.desk.class_edits.rename(2, "crate")
    window.until(lambda: panel.choice.currentText() == "crate")

    view = panel.plot.viewport()
    window.until(lambda: view.width() > 60)
    QTest.mouseMove(view, QPoint(view.width() - 12, view.height() // 3))
    QTest.mouseMove(view, QPoint(40, view.height() // 3))
    window.until(lambda: panel.text.text().startswith("1 of 2: a"))
    QTest.mouseMove(view, QPoint(view.width() - 12, view.height() // 3))
    window.until(lambda: panel.text.text().startswith("2 of 2: b"))


def test_another_version_is_marked_and_all_of_it_is_there_after_a_restart(
    hand: Start,
    project: Path,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = hand(network=oracle)
    window.open(project)
    pre_annotated(window)
    half_corrected(window)
    window.go(Qt.Key.Key_Return)
    monkeypatch.setattr(Models, "in_use", lambda self: SimpleNamespace(version="oracle-2"))
    pre_annotated(window)
    window.key(Qt.Key.Key_Return)
    window.close()  # at once: it is scored all the same

    again = hand(network=oracle)
    again.open(project)
    again.until(lambda: scored(again, 2))
    assert panel_of(again)._plot is None
    panel = shown(again)
    assert panel.plot.lines[0] == [0.5, 0.75]
    assert panel.plot.marks == [1]
    again.close()
    assert panel._points == ()
    closed = open_project(project, read_only=True)
    assert [point.version for point in agreement.curve(closed)] == ["oracle-1", "oracle-2"]
    closed.close()


def test_what_was_never_predicted_is_not_scored(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.stroke((30, 40), (60, 40))
    window.go(Qt.Key.Key_Return)
    window.until(lambda: not window.program.desk.agreement._due)
    assert scored(window, 0)
    assert "No prediction" in panel_of(window).text.text()


def test_a_score_that_cannot_be_made_is_said(hand: Start, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise OSError("the disk is gone")

    monkeypatch.setattr(agreement, "score", broken)
    window = hand()
    window.open(project)
    window.go(Qt.Key.Key_Return)
    window.until(lambda: any("The prediction of a was not scored" in text for text in window.messages))
