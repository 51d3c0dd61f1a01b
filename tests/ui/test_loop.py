"""Painting, undo, review and saving in the real window, without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from app.domain.mask import EMPTY, HUMAN
from tests.ui.window import Hand

pytestmark = pytest.mark.window

Start = Callable[..., Hand]


def labels(project: Path, image_id: str) -> np.ndarray:
    return np.asarray(Image.open(project / "SegmentationClass" / f"{image_id}.png"))


def test_a_stroke_of_a_chosen_class_is_on_disk_a_moment_later(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_3)
    window.key(Qt.Key.Key_BracketLeft)
    window.stroke((30, 40), (60, 40))
    assert window.document.mask.labels[40, 45] == 2
    assert window.document.mask.provenance[40, 45] == HUMAN
    window.saved()
    written = labels(project, "a")
    assert written.dtype == np.uint8
    assert written[40, 45] == 2
    assert written[5, 5] == 255
    assert Image.open(project / "SegmentationClass" / "a.png").mode == "P"


def test_eraser_makes_empty_and_the_void_brush_makes_void(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_1)
    window.stroke((20, 30), (120, 30))
    window.key(Qt.Key.Key_E)
    window.stroke((40, 30), (40, 30))
    window.key(Qt.Key.Key_V)
    window.stroke((90, 30), (90, 30))
    mask = window.document.mask
    assert [(int(mask.labels[30, x]), int(mask.provenance[30, x])) for x in (40, 65, 90)] == [
        (255, EMPTY),
        (0, HUMAN),
        (255, HUMAN),
    ]
    window.saved()
    provenance = np.asarray(Image.open(project / ".atrous" / "provenance" / "a.png"))
    assert (provenance == mask.provenance).all()
    assert (labels(project, "a") == mask.labels).all()


def test_undo_and_redo_name_their_steps_and_clear_is_one_of_them(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.stroke((20, 30), (60, 30))
    window.stroke((20, 60), (60, 60))
    both = window.document.mask.labels.copy()
    window.key(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert (window.document.mask.labels == 255).all()
    assert window.place.actions["undo"].text() == "Undo clear"
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (window.document.mask.labels == both).all()
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (window.document.mask.labels == 255).all()
    for _ in range(2):
        window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert (window.document.mask.labels == both).all()


def test_reviewed_fills_what_is_empty_writes_the_lists_and_goes_on(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_2)
    window.stroke((30, 100), (100, 100))
    assert window.go(Qt.Key.Key_Return) == "b"
    window.saved()
    assert (project / "ImageSets" / "Segmentation" / "trainval.txt").read_text().split() == ["a"]
    assert window.place.images.position.text().endswith("1 of 4 reviewed")
    assert window.go(Qt.Key.Key_A) == "a"
    assert window.document.reviewed
    assert (window.document.mask.provenance == HUMAN).all()
    window.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert not window.document.reviewed
    assert window.document.mask.labels[100, 60] == 1
    assert window.document.mask.provenance[5, 5] == EMPTY
    window.saved()
    assert (project / "ImageSets" / "Segmentation" / "trainval.txt").read_text().split() == []


def test_without_going_on_the_image_stays(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    window.key(Qt.Key.Key_Return)
    assert window.document.image_id == "a"
    assert window.document.reviewed


def test_skipped_images_are_left_out_and_taken_in_again(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    assert window.go(Qt.Key.Key_S) == "b"
    model = window.place.images.model
    assert model.record("a").status == "skipped"
    assert window.go(Qt.Key.Key_PageUp) == "a"
    window.key(Qt.Key.Key_S)
    assert model.record("a").status == "untouched"


def test_the_filter_narrows_the_list_and_what_next_means(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.go(Qt.Key.Key_S)
    window.go(Qt.Key.Key_D)
    window.go(Qt.Key.Key_S)
    panel = window.place.images
    window.key(Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    assert panel.model.rowCount() == 2
    assert panel.status.currentData() == "skipped"
    assert window.go(Qt.Key.Key_D) == "a"
    assert panel.position.text().startswith("1 of 2")
    assert window.go(Qt.Key.Key_PageDown) == "c"
    window.key(Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert panel.model.rowCount() == 4


def test_keys_that_are_typed_stay_text(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_E)
    window.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    window.type("b.p")
    window.key(Qt.Key.Key_Return)
    assert window.place.images.search.text() == "b.p"
    assert window.place.images.model.rowCount() == 1
    assert window.place.painting.tool == "eraser"
    assert not window.document.reviewed
    assert window.document.image_id == "a"


def test_radius_by_keys_and_by_the_wheel(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    assert window.place.painting.radius == 12
    window.key(Qt.Key.Key_BracketRight)
    assert window.place.painting.radius == 14
    assert window.program.tools.options.radius.box.value() == 14
    for _ in range(30):
        window.key(Qt.Key.Key_BracketLeft)
    assert window.place.painting.radius == 0
    window.stroke((50, 50))
    assert int((window.document.mask.labels != 255).sum()) == 1


def test_the_overlay_hides_while_h_is_held(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_2)
    window.stroke((60, 20), (90, 20))
    place = window.at(75, 20)

    def color() -> tuple[int, ...]:
        return window.place.canvas.grab().toImage().pixelColor(place).getRgb()

    covered = color()
    window.press(Qt.Key.Key_H, True)
    bare = color()
    window.press(Qt.Key.Key_H, False)
    assert bare != covered
    assert color() == covered


def test_what_lies_under_the_pointer_is_said(hand: Start, project: Path) -> None:
    from PySide6.QtTest import QTest

    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_3)
    window.stroke((60, 20), (90, 20))
    QTest.mouseMove(window.place.canvas, window.at(75, 20))
    window.until(lambda: window.place.window.status.pointer.text() == "75, 20   box   by a human")
    QTest.mouseMove(window.place.canvas, window.at(75, 100))
    window.until(lambda: window.place.window.status.pointer.text() == "75, 100   empty")


def test_everything_comes_back_after_a_restart(hand: Start, project: Path) -> None:
    first = hand()
    first.open(project)
    first.go(Qt.Key.Key_D)
    first.stroke((20, 30), (60, 30))
    painted = first.document.mask.labels.copy()
    first.close()
    second = hand()
    second.open(None)
    assert second.document.image_id == "b"
    assert (second.document.mask.labels == painted).all()
    second.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (second.document.mask.labels == 255).all()
    second.key(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert (second.document.mask.labels == painted).all()


def test_a_stroke_under_way_is_kept_when_the_window_closes(hand: Start, project: Path) -> None:
    from PySide6.QtTest import QTest

    window = hand()
    window.open(project)
    QTest.mousePress(window.place.canvas, Qt.MouseButton.LeftButton, pos=window.at(40, 40))
    QTest.mouseMove(window.place.canvas, window.at(90, 40))
    window.close()
    assert (labels(project, "a")[40, 45:85] == 0).all()
