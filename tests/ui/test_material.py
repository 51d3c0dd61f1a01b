"""The learn panel says what would be learnt from, as it is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def test_pixels_of_each_class_and_what_is_rare_follow_the_hand(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    panel = window.place.learning
    assert not panel.material.isVisible()
    assert not panel.rare.isVisible()
    window.place.painting.set_radius(12)
    window.stroke((20, 30), (120, 30))
    window.key(Qt.Key.Key_2)
    window.place.painting.set_radius(3)
    window.stroke((20, 150), (40, 150))
    window.until(lambda: "grass" in panel.material.text())
    human = int((window.document.mask.provenance == 2).sum())
    sky, grass = (int((window.document.mask.labels == label).sum()) for label in (0, 1))
    assert panel.material.text() == (
        f"{human / 1000:.3g} k human pixels in corrected images.\nPixels: sky {sky / 1000:.3g} k, grass {grass}."
    )
    assert panel.rare.text() == f"Rare: grass ({grass} pixels), box (nothing yet)"
    assert f"sky: {sky:,} pixels in 1 picture" in panel.material.toolTip()
    panel.show_running(True)
    assert not panel.material.isVisible()
    panel.show_running(False)
    assert panel.rare.isVisible()
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: "grass (nothing yet)" in panel.rare.text())
    window.program.leave()
    assert panel.material.text() == panel.rare.text() == ""
