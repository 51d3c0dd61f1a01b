"""Large pictures come in two steps: a coarse one that can be painted on, then the sharp one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.domain.mask import HUMAN
from app.services import create_project
from app.storage import images
from app.ui.navigation import Opened
from tests.ui.window import CLASSES, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
WIDTH, HEIGHT = 4096, 2056


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A project of three large pictures, the last of them no JPEG."""
    pictures = tmp_path / "large"
    pictures.mkdir()
    rows = np.linspace(0, 255, HEIGHT, dtype=np.uint8)
    rgb = np.stack([np.broadcast_to(rows[:, None], (HEIGHT, WIDTH))] * 3, axis=-1)
    for name in ("a.jpg", "b.jpg", "c.bmp"):
        cv2.imwrite(str(pictures / name), rgb)
    create_project(tmp_path / "project", pictures, CLASSES).close()
    return tmp_path / "project"


class Steps:
    """What navigation tells, in its order."""

    def __init__(self, window: Hand, project: Path) -> None:
        self.told: list[tuple[str, Opened]] = []
        window.program.opening.opened.connect(lambda _project: self._listen(window))
        window.open(project)
        window.until(lambda: window.program.desk.navigation.opened_image.photo.rgb is not None)

    def _listen(self, window: Hand) -> None:
        navigation = window.program.desk.navigation
        navigation.opened.connect(lambda opened: self.told.append(("opened", opened)))
        navigation.sharpened.connect(lambda opened: self.told.append(("sharpened", opened)))


def test_a_coarse_picture_comes_first_and_the_sharp_one_after(hand: Start, large: Path) -> None:
    window = hand()
    steps = Steps(window, large)
    assert [what for what, _ in steps.told] == ["opened", "sharpened"]
    first, second = (opened for _, opened in steps.told)
    assert first.photo.rgb is None
    assert (first.photo.width, first.photo.height) == (WIDTH, HEIGHT)
    assert first.photo.levels[0].pixels.shape[1] < WIDTH / 2
    assert second.photo.rgb.shape == (HEIGHT, WIDTH, 3)
    assert not second.photo.rgb.flags.writeable
    assert second.document is first.document is window.place.canvas.document


def test_other_files_that_decode_no_faster_when_coarse_come_once(hand: Start, large: Path) -> None:
    window = hand()
    steps = Steps(window, large)
    window.go(Qt.Key.Key_D)
    window.until(lambda: window.program.desk.navigation.opened_image.photo.rgb is not None)
    steps.told.clear()
    assert window.go(Qt.Key.Key_D) == "c"
    assert [what for what, _ in steps.told] == ["opened"]
    assert window.place.canvas.document is window.document


def test_the_coarse_picture_can_be_painted_on_and_nothing_is_lost(
    hand: Start, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, gate = images.read, Event()

    def read_when_told(path: Path, longest_side: int | None = None) -> images.RGB:
        assert gate.wait(20)
        return read(path, longest_side)

    monkeypatch.setattr(images, "read", read_when_told)
    window = hand()
    window.open(large)
    navigation = window.program.desk.navigation
    assert navigation.opened_image.photo.rgb is None
    window.stroke((1000, 1000), (2000, 1000))
    assert window.document.mask.provenance[1000, 1500] == HUMAN
    gate.set()
    window.until(lambda: navigation.opened_image.photo.rgb is not None)
    assert window.document.mask.labels[1000, 1500] == 0
    window.saved()
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.document.mask.labels[1000, 1500] == 255


def test_a_picture_whose_preview_only_can_be_read_is_named_and_left(
    hand: Start, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(path: Path, longest_side: int | None = None) -> images.RGB:
        raise images.UnreadableImage("the file is damaged")

    monkeypatch.setattr(images, "read", damaged)
    window = hand()
    window.open(large)
    window.until(lambda: any("a: the file is damaged" in text for text in window.messages))
    assert window.place.canvas.document is None
    assert window.program.desk.navigation.document is None
    assert window.place.images.model.record("a").problem == "the file is damaged"
