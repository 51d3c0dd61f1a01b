"""Odd pictures under every tool, in a real window: nothing wrong is painted, nothing crashes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.domain.tools import TOOLS
from app.services import create_project
from tests.ui.window import CLASSES, Hand

pytestmark = pytest.mark.window

RANDOM = np.random.default_rng(3)
PICTURES: dict[str, tuple[str, np.ndarray]] = {
    "one": ("png", np.full((1, 1, 3), 90, np.uint8)),
    "line": ("png", RANDOM.integers(0, 255, (1, 5000, 3), np.uint8)),
    "column": ("png", RANDOM.integers(0, 255, (5000, 1, 3), np.uint8)),
    "deep": ("png", RANDOM.integers(0, 65535, (90, 120, 3), np.uint16)),
    "grey": ("jpg", RANDOM.integers(0, 255, (90, 120), np.uint8)),
    "alpha": ("png", RANDOM.integers(0, 255, (90, 120, 4), np.uint8)),
    "flat": ("bmp", np.full((90, 120, 3), 128, np.uint8)),
}


@pytest.fixture
def window(hand: Callable[..., Hand], tmp_path: Path) -> Hand:
    pictures = tmp_path / "odd"
    pictures.mkdir()
    for name, (kind, pixels) in PICTURES.items():
        assert cv2.imwrite(str(pictures / f"{name}.{kind}"), pixels)
    create_project(tmp_path / "labels", pictures, CLASSES).close()
    window = hand()
    window.open(tmp_path / "labels")
    window.key(Qt.Key.Key_2)
    return window


def show(window: Hand, name: str) -> None:
    assert window.program.desk is not None
    navigation = window.program.desk.navigation
    if navigation.wanted != name:
        with window.qtbot.waitSignal(window.program.shown, timeout=20_000):
            navigation.open(name)


@pytest.mark.parametrize("name", PICTURES)
def test_every_tool_and_all_of_it_undone(window: Hand, name: str, tmp_path: Path) -> None:
    show(window, name)
    canvas, document = window.place.canvas, window.document
    assert document.mask.labels.shape == PICTURES[name][1].shape[:2]
    middle = QPoint(canvas.width() // 2, canvas.height() // 2)
    for tool in TOOLS:
        window.place.actions[tool].trigger()
        for start, end in (
            (middle, middle + QPoint(40, 30)),
            (QPoint(2, 2), middle),  # from outside the picture
            (middle, QPoint(canvas.width() + 300, -200)),  # let go outside the window
        ):
            QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
            QTest.mouseMove(canvas, end)
            QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)
            window.until(lambda: not window.program.proposals._runner.has("proposal"))
            if canvas.hand.busy:
                QTest.keyClick(canvas, Qt.Key.Key_Return)
        window.key(Qt.Key.Key_Escape)
        assert not canvas.hand.busy
        assert not document.editing
    assert document.history.done
    labels = document.mask.labels.copy()
    window.saved()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "labels" / "SegmentationClass" / f"{name}.png")), labels)
    while document.history.done:
        window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (document.mask.labels == 255).all()
    assert not [said for said in window.messages if "went wrong" in said]
