"""The history panel: it names the steps, follows every entry, and goes to any of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.domain.mask import Mask
from app.domain.prediction import Prediction
from app.ui import theme
from app.ui.panels.history import START, HistoryPanel, StepList
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


@pytest.fixture
def panel(qtbot: QtBot) -> HistoryPanel:
    made = HistoryPanel()
    qtbot.addWidget(made)
    made.resize(240, 190)
    made.show()
    return made


def document(**options: int) -> Document:
    return Document("a", Mask.empty(8, 8), **options)


def paint(to: Document, name: str) -> None:
    label = (int(to.mask.labels[3, 3]) + 1) % 200
    to.begin(name)
    to.paint(Rect(3, 3, 1, 1), np.ones((1, 1), bool), Label(label))
    to.commit()


def rows(shown: StepList) -> list[str]:
    return [shown.name(row) for row in range(shown.count)]


def wanted(of: Document) -> list[str]:
    return [START, *of.history.undoable, *of.history.redoable]


def colors(shown: StepList, row: int) -> list[QColor]:
    image = shown.viewport().grab(shown.row_rect(row)).toImage()
    return [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]


def brightest(shown: StepList, row: int) -> int:
    return max(color.lightness() for color in colors(shown, row))


def test_any_sequence_leaves_the_rows_as_the_history_is_and_the_current_one_in_view(panel: HistoryPanel) -> None:
    shown = panel.list
    said = Prediction(np.zeros((8, 8), np.uint8), np.zeros((2, 2), np.uint8), "v")
    for seed in range(8):
        chance, made = random.Random(seed), document(budget=900)
        panel.show_document(made)
        for number in range(60):
            act = chance.randrange(10)
            if act < 6:
                paint(made, f"step {number}")
            elif act < 8:
                made.undo()
            elif act < 9:
                made.redo()
            else:
                made.pre_annotate(said, amend=bool(chance.randrange(2)))
            assert rows(shown) == wanted(made)
            assert shown.current == len(made.history.done)
            assert shown.viewport().rect().contains(shown.row_rect(shown.current))


def test_a_step_reads_no_other_step_than_those_in_view(panel: HistoryPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    made = document()
    for number in range(400):
        paint(made, f"step {number}")
    panel.show_document(made)
    read: list[int] = []
    name = StepList.name
    monkeypatch.setattr(StepList, "name", lambda shown, row: read.append(row) or name(shown, row))
    paint(made, "the last")
    panel.list.viewport().repaint()
    assert 0 < len(set(read)) < 20
    assert min(read) > 380


def test_the_current_step_is_marked_and_undone_ones_are_faint(panel: HistoryPanel) -> None:
    made = document()
    panel.show_document(made)
    for name in ("one", "two"):
        paint(made, name)
    made.undo()
    made.undo()
    first, second = colors(panel.list, 0), colors(panel.list, 1)
    assert theme.color("chosen") in first
    assert theme.color("chosen") not in second
    made.redo()
    assert theme.color("chosen") in colors(panel.list, 1)
    done = document()
    panel.show_document(done)
    for name in ("one", "one", "one"):
        paint(done, name)
    done.undo()
    bright = [brightest(panel.list, row) for row in (1, 2, 3)]
    assert bright[1] > bright[0] > bright[2]  # done, current, undone


def test_another_document_is_followed_and_the_one_before_no_more(panel: HistoryPanel) -> None:
    one, other = document(), document()
    panel.show_document(one)
    panel.show_document(other)
    paint(one, "not shown")
    assert rows(panel.list) == [START]
    assert one.on_entry == []
    panel.show_document(None)
    assert rows(panel.list) == []
    assert other.on_entry == []
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 5))


def test_a_click_below_the_rows_or_with_another_button_asks_for_nothing(panel: HistoryPanel) -> None:
    made = document()
    panel.show_document(made)
    asked: list[int] = []
    panel.asked.connect(asked.append)
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 150))
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.RightButton, pos=QPoint(20, 5))
    assert asked == []
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 5))
    assert asked == [0]


def test_a_click_goes_to_any_step(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    masks = [window.document.mask.labels.copy()]
    for number in range(4):
        window.stroke((20 + 30 * number, 30), (35 + 30 * number, 60))
        masks.append(window.document.mask.labels.copy())
    shown = window.place.window.history.list
    assert rows(shown) == [START, "Brush", "Brush", "Brush", "Brush"]
    for row in (1, 4, 0, 3):
        shown.verticalScrollBar().setValue(0)
        QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=shown.row_rect(row).center())
        assert shown.current == row
        assert np.array_equal(window.document.mask.labels, masks[row])
    window.stroke((20, 120), (60, 120))
    assert rows(shown) == [START, "Brush", "Brush", "Brush", "Brush"]
    assert shown.current == 4


def test_a_mask_that_no_longer_fits_its_history_stops_the_way(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    for number in range(3):
        window.stroke((20 + 30 * number, 30), (35 + 30 * number, 30))
    window.document.mask.labels[30, 20:36] = 7  # behind its back: the first step no longer fits
    window.place.window.history.asked.emit(0)
    assert "no longer fits its history" in window.messages[-1]
    assert rows(window.place.window.history.list) == [START]


def test_going_somewhere_finishes_the_stroke_first(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.stroke((20, 30), (60, 30))
    canvas = window.place.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=window.at(20, 90))
    QTest.mouseMove(canvas, window.at(60, 90))
    window.place.window.history.asked.emit(0)
    assert not window.document.editing
    assert (window.document.mask.provenance == 0).all()
    assert window.place.window.history.list.current == 0
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=window.at(60, 90))
