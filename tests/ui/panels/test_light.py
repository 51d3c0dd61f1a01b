"""The light panel: the histogram of the picture, and the tone in which it is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.canvas import Photo
from app.ui.canvas.tone import AS_IT_IS, Tone
from app.ui.panels.histogram import histogram
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def shown(window: Hand) -> Hand:
    """Brings the panel to the front."""
    window.place.window.docks["light"].raise_()
    window.until(lambda: window.place.window.light._looked_at)
    return window


def grab(window: Hand) -> np.ndarray:
    image = window.place.canvas.grab().toImage()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[..., :3].astype(np.int16)


def test_the_histogram_counts_every_pixel_of_a_small_picture() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8), 2).reshape(16, 32)
    counts = histogram(Photo.of(np.dstack([grey] * 3)))
    assert counts.tolist() == [2] * 256
    big = histogram(Photo.of(np.full((1500, 2100, 3), 90, np.uint8)))
    assert np.flatnonzero(big).tolist() == [90]
    assert 0 < big.sum() <= 1024 * 1024


def test_the_curve_follows_the_picture_on_screen_but_only_when_somebody_looks(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    panel = window.place.window.light
    assert panel._histogram is None
    shown(window)
    first = panel.histogram._curve.getData()[1].copy()
    assert first.any()
    window.go(Qt.Key.Key_D)
    assert not np.array_equal(panel.histogram._curve.getData()[1], first)


def test_sliders_and_levels_change_how_the_picture_is_shown_and_nothing_else(hand: Start, project: Path) -> None:
    window = shown(hand())
    window.open(project)
    panel = window.place.window.light
    plain = grab(window)
    pixels = window.place.canvas.hand.rgb.copy()
    panel.sliders["brightness"].setValue(30)
    assert grab(window).mean() > plain.mean() + 10
    panel.reset.click()
    assert np.array_equal(grab(window), plain)
    panel.sliders["gamma"].setValue(-60)
    assert grab(window).mean() < plain.mean() - 10
    panel.reset.click()
    panel.histogram._region.setRegion((100, 120))
    assert Tone(**panel.tone) == Tone(black=100, white=120)
    assert grab(window).std() > plain.std() + 10
    assert np.array_equal(window.place.canvas.hand.rgb, pixels)
    QTest.mouseClick(panel.reset, Qt.MouseButton.LeftButton)
    assert Tone(**panel.tone) == AS_IT_IS
    assert np.array_equal(grab(window), plain)


def test_black_stays_below_white_wherever_they_are_dragged(hand: Start, project: Path) -> None:
    window = shown(hand())
    window.open(project)
    panel = window.place.window.light
    for region in ((255, 255), (0, 0), (200, 20), (128.4, 128.6)):
        panel.histogram._region.setRegion(region)
        Tone(**panel.tone)  # ValueError when it cannot be
    for extreme in (-100, 100):
        for slider in panel.sliders.values():
            slider.setValue(extreme)
        Tone(**panel.tone)
