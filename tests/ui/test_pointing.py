"""What lies under the pointer, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.domain.prediction import Prediction
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def test_place_class_author_and_what_the_network_says(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)

    def says(text: str) -> None:
        window.until(lambda: window.place.window.status.pointer.text() == text)

    window.key(Qt.Key.Key_2)
    window.stroke((20, 20), (60, 20))
    QTest.mouseMove(window.place.canvas, window.at(40, 20))
    says("40, 20   grass   by a human")
    QTest.mouseMove(window.place.canvas, window.at(40, 120))
    says("40, 120   empty")
    labels = np.zeros((180, 240), np.uint8)
    labels[:, 200:] = 255
    window.program.desk.predictions.known_changed.emit(Prediction(labels, np.full((45, 60), 204, np.uint8), "v"))
    says("40, 120   empty   network: sky 80%")
    QTest.mouseMove(window.place.canvas, window.at(40, 20))
    says("40, 20   grass   by a human   network: sky 80%")
    QTest.mouseMove(window.place.canvas, window.at(210, 20))
    says("210, 20   empty   network: nothing")
    QTest.mouseMove(window.place.canvas, window.at(30, 20))
    says("30, 20   grass   by a human   network: sky 80%")
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # the pointer rests
    says("30, 20   empty   network: sky 80%")
    window.go(Qt.Key.Key_D)
    QTest.mouseMove(window.place.canvas, window.at(40, 21))
    says("40, 21   empty")
