"""The classes panel: the eye and the lock of each class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.domain.classes import VOID
from app.services import create_project
from app.ui.panels.classes import ClassesPanel, mark_rect
from app.ui.panels.classes_model import HIDDEN, LOCKED
from tests.ui.window import CLASSES, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
SHIFT = Qt.KeyboardModifier.ShiftModifier


def click(panel: ClassesPanel, row: int, mark: str, double: bool = False) -> None:
    place = mark_rect(panel.list.visualRect(panel.model.index(row)), mark).center()
    act = QTest.mouseDClick if double else QTest.mouseClick
    act(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def marked(panel: ClassesPanel, role: int) -> list[int]:
    return [row for row in range(panel.model.rowCount()) if panel.model.index(row).data(role)]


def pixel(window: Hand, x: int, y: int) -> tuple[int, int, int]:
    color = window.place.canvas.grab().toImage().pixelColor(window.at(x, y))
    return color.red(), color.green(), color.blue()


def test_a_locked_class_is_never_painted_over(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    panel = window.place.classes
    window.place.painting.set_radius(4)
    window.stroke((20, 20), (60, 20))
    click(panel, 0, "lock")
    assert marked(panel, LOCKED) == [0]
    assert window.place.painting.label == 0  # a click on a mark chooses no class
    window.key(Qt.Key.Key_2)
    window.stroke((40, 20), (90, 20))
    labels = window.document.mask.labels
    assert (labels[20, 50], labels[20, 80]) == (0, 1)
    click(panel, 0, "lock")
    window.stroke((40, 20), (90, 20))
    assert labels[20, 50] == 1


def test_a_hidden_class_is_not_shown_and_its_pixels_stay(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.place.painting.set_radius(10)
    bare = pixel(window, 60, 60)
    window.key(Qt.Key.Key_3)
    window.stroke((40, 60), (90, 60))
    window.place.canvas.leaveEvent(None)
    painted = pixel(window, 60, 60)
    assert painted != bare
    before = window.document.mask.labels.copy()
    click(window.place.classes, 2, "hide")
    assert marked(window.place.classes, HIDDEN) == [2]
    assert pixel(window, 60, 60) == bare
    click(window.place.classes, 2, "hide", double=True)
    assert pixel(window, 60, 60) == painted
    assert np.array_equal(window.document.mask.labels, before)


def test_the_keys_hide_and_lock_the_class_that_is_painted(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    panel = window.place.classes
    window.key(Qt.Key.Key_2)
    window.key(Qt.Key.Key_L, SHIFT)
    window.key(Qt.Key.Key_H, SHIFT)
    assert (marked(panel, LOCKED), marked(panel, HIDDEN)) == ([1], [1])
    window.key(Qt.Key.Key_L, SHIFT)
    window.key(Qt.Key.Key_H, SHIFT)
    assert (marked(panel, LOCKED), marked(panel, HIDDEN)) == ([], [])


def test_void_has_a_row_that_is_locked_and_painted_but_not_renamed(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    panel = window.place.classes
    assert panel.model.rowCount() == 4
    last = panel.model.index(3)
    assert not last.flags() & Qt.ItemFlag.ItemIsEditable
    QTest.mouseClick(
        panel.list.viewport(), Qt.MouseButton.LeftButton, pos=panel.list.visualRect(last).topLeft() + QPoint(50, 8)
    )
    assert window.place.painting.tool == "void_brush"
    window.stroke((20, 20), (60, 20))
    click(panel, 3, "lock")
    window.key(Qt.Key.Key_1)
    window.stroke((40, 20), (90, 20))
    assert window.document.mask.labels[20, 50] == VOID
    assert window.document.mask.labels[20, 80] == 0


def test_hidden_and_locked_are_for_as_long_as_the_project_is_open(hand: Start, project: Path, tmp_path: Path) -> None:
    window = hand()
    window.open(project)
    click(window.place.classes, 0, "lock")
    click(window.place.classes, 1, "hide")
    window.go(Qt.Key.Key_D)
    assert (marked(window.place.classes, LOCKED), marked(window.place.classes, HIDDEN)) == ([0], [1])
    create_project(tmp_path / "other", project.with_name("pictures"), CLASSES).close()
    window.open(tmp_path / "other")
    assert (marked(window.place.classes, LOCKED), marked(window.place.classes, HIDDEN)) == ([], [])
    assert window.place.painting.settings.locked == window.place.painting.hidden == frozenset()
