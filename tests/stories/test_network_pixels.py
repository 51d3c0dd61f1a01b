"""A person takes the network's pixels back and makes them their own, in a real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.domain.mask import HUMAN, MODEL
from tests.stories.test_brushes import covered, on_disk
from tests.ui.test_predictions import LABEL, Oracle, oracle
from tests.ui.window import Hand

__all__ = ["oracle"]

pytestmark = pytest.mark.window


@pytest.fixture
def window(hand: Callable[..., Hand], project: Path, oracle: Oracle) -> Hand:
    window = hand(network=oracle)
    window.open(project)
    window.key(Qt.Key.Key_P)
    window.until(lambda: bool((window.document.mask.provenance == MODEL).all()))
    window.place.painting.set_radius(12)
    return window


def test_the_restore_brush_brings_the_networks_pixels_back(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_3)
    window.stroke((50, 50), (120, 60))
    assert (on_disk(window, project) == 2).any()
    window.key(Qt.Key.Key_T)
    window.stroke((50, 50), (120, 60))
    assert (on_disk(window, project) == LABEL).all()
    assert (window.document.mask.provenance == MODEL).all()


def test_the_accept_brush_makes_them_a_persons_and_no_model_writes_there_again(window: Hand, project: Path) -> None:
    window.key(Qt.Key.Key_Y)
    window.stroke((50, 50), (120, 60))
    human = window.document.mask.provenance == HUMAN
    assert (human == covered((50, 50), (120, 60), 12)).all()
    assert (on_disk(window, project) == LABEL).all()


def test_it_is_still_known_after_a_restart(window: Hand, hand: Callable[..., Hand], project: Path) -> None:
    window.key(Qt.Key.Key_3)
    window.stroke((50, 50), (120, 60))
    window.saved()
    window.close()
    later = hand(settings="later.ini")
    later.open(project)
    assert later.program.desk is not None
    later.until(lambda: later.program.desk.predictions.known is not None)
    later.place.painting.set_radius(12)
    later.key(Qt.Key.Key_T)
    later.stroke((50, 50), (120, 60))
    assert (on_disk(later, project) == LABEL).all()


def test_without_a_prediction_it_says_what_to_do(hand: Callable[..., Hand], project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_T)
    window.stroke((50, 50), (120, 60))
    assert any("pre-annotate" in said for said in window.messages)
    assert not window.document.history.done
