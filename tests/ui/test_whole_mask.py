"""Operations on the whole mask, from the menu of a real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QDialogButtonBox

from app.domain import operations
from app.domain.classes import UNPAINTED, VOID
from app.domain.mask import HUMAN, MODEL
from app.ui.dialogs.mask_operations import AmountDialog, ReplaceDialog
from app.ui.whole_mask import OPERATIONS
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
AMOUNTS = {"remove_specks": 40, "fill_holes": 400, "smooth_borders": 4, "void_borders": 3}


def prepared(window: Hand, project: Path) -> Hand:
    """A mask of three classes with specks, holes and ragged borders, mostly a model's."""
    window.open(project)
    labels = np.zeros((180, 240), np.uint8)
    labels[90:] = 1
    labels[86:90, ::7] = 1
    labels[30:50, 40:60] = 2
    labels[36:44, 46:52] = VOID
    labels[120:123, 100:104] = 2
    provenance = np.where(labels == VOID, 0, MODEL).astype(np.uint8)
    window.document.replace(labels, provenance, "Prepared")
    return window


def dialog(window: Hand, name: str) -> QDialog:
    window.place.actions[name].trigger()
    made = window.place.window.findChild(AmountDialog if name in OPERATIONS else ReplaceDialog)
    assert isinstance(made, QDialog)
    window.until(made.isVisible)
    return made


def accept(window: Hand, made: QDialog) -> None:
    box = made.findChild(QDialogButtonBox)
    assert isinstance(box, QDialogButtonBox)
    QTest.mouseClick(box.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)
    window.until(lambda: not window.place.canvas.hand.busy)


def planes(window: Hand) -> tuple[np.ndarray, np.ndarray]:
    return window.document.mask.labels.copy(), window.document.mask.provenance.copy()


def same(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> bool:
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_each_operation_does_what_its_function_does_as_one_step(hand: Start, project: Path, name: str) -> None:
    window = prepared(hand(), project)
    before = planes(window)
    wanted = OPERATIONS[name].run(*before, None, AMOUNTS[name])
    made = dialog(window, name)
    made.number.setValue(AMOUNTS[name])
    accept(window, made)
    assert not same(before, wanted)
    assert same(planes(window), wanted)
    assert window.document.history.undoable[-1] == OPERATIONS[name].title
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert same(planes(window), before)


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_a_locked_class_stays_as_it_is(hand: Start, project: Path, name: str) -> None:
    window = prepared(hand(), project)
    labels, provenance = planes(window)
    window.place.painting.toggle_lock(1)
    made = dialog(window, name)
    made.number.setValue(AMOUNTS[name])
    accept(window, made)
    locked = labels == 1
    assert (window.document.mask.labels[locked] == 1).all()
    assert (window.document.mask.provenance[locked] == provenance[locked]).all()
    assert window.document.history.undoable[-1] == OPERATIONS[name].title


def test_the_amount_is_remembered_and_the_one_for_another_operation_is_another(hand: Start, project: Path) -> None:
    window = prepared(hand(), project)
    made = dialog(window, "void_borders")
    usual = made.number.value()
    made.number.setValue(usual + 2)
    accept(window, made)
    window.until(lambda: window.place.window.findChild(AmountDialog) is None)
    again = dialog(window, "void_borders")
    assert again.number.value() == usual + 2
    again.reject()
    window.until(lambda: window.place.window.findChild(AmountDialog) is None)
    other = dialog(window, "remove_specks")
    assert other.number.value() == OPERATIONS["remove_specks"].amount.usual
    other.reject()


@pytest.mark.parametrize(("old", "new"), [(0, 2), (2, VOID), (UNPAINTED, 1), (1, UNPAINTED)])
def test_a_class_is_replaced(hand: Start, project: Path, old: int, new: int) -> None:
    window = prepared(hand(), project)
    before = planes(window)
    one, other = (None if kind == UNPAINTED else kind for kind in (old, new))
    wanted = operations.replace_class(*before, None, one, other)
    made = dialog(window, "replace_class")
    made.old.setCurrentIndex(made.old.findData(old))
    made.new.setCurrentIndex(made.new.findData(new))
    accept(window, made)
    assert not same(before, wanted)
    assert same(planes(window), wanted)
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert same(planes(window), before)


def test_a_class_is_not_replaced_by_itself(hand: Start, project: Path) -> None:
    window = prepared(hand(), project)
    made = dialog(window, "replace_class")
    ok = made.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    made.old.setCurrentIndex(1)
    made.new.setCurrentIndex(1)
    assert not ok.isEnabled()
    made.new.setCurrentIndex(2)
    assert ok.isEnabled()
    made.reject()


def test_a_reviewed_image_may_be_changed_by_the_person(hand: Start, project: Path) -> None:
    window = prepared(hand(), project)
    window.document.set_reviewed(True)
    made = dialog(window, "void_borders")
    accept(window, made)
    assert window.document.reviewed
    assert window.document.history.undoable[-1] == "Void borders"
    assert (window.document.mask.provenance[window.document.mask.labels == VOID] == HUMAN).all()


def test_nothing_to_do_is_said_and_is_no_step(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    accept(window, dialog(window, "fill_holes"))
    assert window.messages[-1].startswith("Nothing changed")
    assert window.document.history.undoable == ()


def test_escape_gives_up_and_what_was_worked_out_is_dropped(hand: Start, project: Path) -> None:
    window = prepared(hand(), project)
    before, steps = planes(window), window.document.history.undoable
    made = dialog(window, "void_borders")
    box = made.findChild(QDialogButtonBox)
    with window.qtbot.waitSignal(window.program.proposals._runner.idle):
        box.button(QDialogButtonBox.StandardButton.Ok).click()
        assert window.place.canvas.hand.busy
        window.place.actions["cancel_stroke"].trigger()
    assert not window.place.canvas.hand.busy
    assert same(planes(window), before)
    assert window.document.history.undoable == steps


def test_what_was_worked_out_for_another_mask_is_not_written(hand: Start, project: Path) -> None:
    window = prepared(hand(), project)
    made = dialog(window, "void_borders")
    made.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()
    window.document.clear()  # before the answer is there
    assert "The mask changed meanwhile" in window.messages[-1]
    assert window.document.history.undoable[-1] == "Clear"
