"""What the canvas shows beside the mask: prediction, heat map, difference, swipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.domain.geometry import Rect
from app.domain.ink import Label
from app.domain.prediction import Prediction
from app.ui.comparing import LAYERS, NOTHING
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
SHIFT = Qt.KeyboardModifier.ShiftModifier


def told(window: Hand, project: Path) -> Hand:
    """The network says: left sky, right grass, sure above. The mask: class 2, empty at the right edge."""
    window.open(project)
    window.place.actions["grid"].setChecked(False)
    labels = np.zeros((180, 240), np.uint8)
    labels[:, 120:] = 1
    confidence = np.full((45, 60), 255, np.uint8)
    confidence[22:] = 0
    assert window.program.desk is not None
    window.program.desk.predictions.known_changed.emit(Prediction(labels, confidence, "v"))
    document = window.document
    document.begin("All")
    document.paint(Rect(0, 0, 220, 180), np.ones((180, 220), bool), Label(2))
    document.commit()
    QTest.mouseMove(window.place.images.search)  # away from the canvas: no outline of the brush
    return window


def at(window: Hand, x: int, y: int) -> tuple[int, int, int]:
    window.place.canvas.set_mark("outline", None)
    color = window.place.canvas.grab().toImage().pixelColor(window.at(x, y))
    return color.red(), color.green(), color.blue()


def three(window: Hand) -> list[tuple[int, int, int]]:
    """A pixel on the left, on the right, and at the right edge."""
    return [at(window, x, 40) for x in (30, 180, 230)]


def checked(window: Hand) -> list[str]:
    return [name for name in LAYERS if window.place.actions[name].isChecked()]


def test_without_a_prediction_the_mask_stays_and_it_is_said(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    for key in (Qt.Key.Key_U, Qt.Key.Key_D, Qt.Key.Key_S):
        window.place.messages.log.clear()
        window.key(key, SHIFT)
        assert window.messages == [NOTHING]
        assert checked(window) == ["layer_mask"]
    window.place.messages.log.clear()
    window.press(Qt.Key.Key_Z, True)
    window.press(Qt.Key.Key_Z, False)
    assert window.messages == [NOTHING]


def test_the_prediction_shows_while_its_key_is_held(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    mask = three(window)
    window.press(Qt.Key.Key_Z, True)
    shown = three(window)
    assert all(one != other for one, other in zip(mask, shown, strict=True))
    window.press(Qt.Key.Key_Z, False)
    assert three(window) == mask


def test_the_difference_shows_only_where_mask_and_prediction_contradict(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    mask = three(window)
    window.press(Qt.Key.Key_Z, True)
    prediction = three(window)
    window.press(Qt.Key.Key_Z, False)
    window.key(Qt.Key.Key_D, SHIFT)
    assert checked(window) == ["layer_difference"]
    assert three(window) == [*prediction[:2], mask[2]]  # at the edge nobody has said anything: nothing contradicts
    window.stroke((30, 40), (31, 40))  # the person says sky there, as the network does
    assert at(window, 30, 40) != prediction[0]


def test_the_heat_map_shows_where_the_network_is_unsure(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    window.place.painting.set_opacity(0)
    sure, unsure = at(window, 30, 20), at(window, 30, 160)
    window.place.painting.set_opacity(60)
    window.key(Qt.Key.Key_U, SHIFT)
    assert checked(window) == ["layer_unsure"]
    far = [sum(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in (
        (at(window, 30, 20), sure), (at(window, 30, 160), unsure),
    )]  # fmt: skip
    assert far[1] > 2 * far[0] + 20


def test_the_swipe_has_the_mask_left_and_the_prediction_right_of_the_pointer(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    mask = three(window)
    window.press(Qt.Key.Key_Z, True)
    prediction = three(window)
    window.press(Qt.Key.Key_Z, False)
    window.key(Qt.Key.Key_S, SHIFT)
    canvas = window.place.canvas
    QTest.mouseMove(canvas, window.at(100, 90))
    window.until(lambda: three(window) == [mask[0], *prediction[1:]])
    QTest.mouseMove(canvas, window.at(200, 90))
    window.until(lambda: three(window) == [*mask[:2], prediction[2]])
    canvas.pan(-9, 4)
    assert at(window, 30, 40) == mask[0]
    assert at(window, 230, 40) == prediction[2]
    window.key(Qt.Key.Key_S, SHIFT)
    canvas.pan(9, -4)
    assert three(window) == mask


def test_the_same_key_again_and_the_entry_of_the_mask_bring_the_mask_back(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    mask = three(window)
    for back in (Qt.Key.Key_U, Qt.Key.Key_M):
        window.key(Qt.Key.Key_U, SHIFT)
        assert three(window) != mask
        window.key(back, SHIFT)
        assert checked(window) == ["layer_mask"]
        assert three(window) == mask


def test_the_next_image_shows_its_mask_until_its_prediction_is_known(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    window.key(Qt.Key.Key_U, SHIFT)
    window.go(Qt.Key.Key_D)
    bare = three(window)
    assert window.place.canvas.hand.prediction is None
    tell = window.program.desk.predictions.known_changed.emit
    tell(Prediction(np.zeros((180, 240), np.uint8), np.zeros((45, 60), np.uint8), "v"))
    assert checked(window) == ["layer_unsure"]
    assert three(window) != bare
    tell(Prediction(np.zeros((9, 9), np.uint8), np.zeros((3, 3), np.uint8), "v"))
    assert three(window) == bare  # a prediction of another size is none of this image


def test_outlines_leave_the_inside_bare(hand: Start, project: Path) -> None:
    window = told(hand(), project)
    filled = at(window, 100, 90)
    window.key(Qt.Key.Key_O, SHIFT)
    assert at(window, 100, 90) != filled
    window.key(Qt.Key.Key_O, SHIFT)
    assert at(window, 100, 90) == filled


def test_another_mask_takes_the_place_of_the_prediction_until_the_next_image(
    hand: Start, project: Path, tmp_path: Path
) -> None:
    window = told(hand(), project)
    other = np.zeros((180, 240), np.uint8)
    other[:90] = 1
    Image.fromarray(other).save(tmp_path / "other.png")
    Image.fromarray(other[:20]).save(tmp_path / "small.png")
    (tmp_path / "text.png").write_text("not a picture")
    plain = three(window)
    window.answers.files += [tmp_path / "small.png", tmp_path / "text.png", tmp_path / "other.png", None]
    window.place.actions["compare_file"].trigger()
    window.until(lambda: any("another size" in said for said in window.messages))
    window.place.actions["compare_file"].trigger()
    window.until(lambda: any("not a PNG" in said for said in window.messages))
    assert checked(window) == ["layer_mask"]
    window.place.actions["compare_file"].trigger()
    window.until(lambda: checked(window) == ["layer_swipe"])
    window.key(Qt.Key.Key_D, SHIFT)
    assert checked(window) == ["layer_difference"]
    there = three(window)
    assert np.allclose(there[0], there[1], atol=15)  # grass everywhere above, in the other mask
    assert not np.allclose(there[0], plain[0], atol=15)
    window.place.actions["compare_file"].trigger()
    window.key(Qt.Key.Key_M, SHIFT)
    assert three(window) == plain
    window.go(Qt.Key.Key_D)
    window.key(Qt.Key.Key_S, SHIFT)
    assert checked(window) == ["layer_mask"]
