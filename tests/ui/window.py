"""A hand on the real window: keys, strokes, answers to questions; and pictures to work on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QPointingDeviceUniqueId, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.domain.classes import Color
from app.domain.document import Document
from app.main import Program
from app.services.network import Network
from app.ui.remembered import Remembered

WAIT = 20_000  # ms, for anything that has to happen; nothing is ever that slow unless it is broken
CLASSES = ("sky", "grass", "box")
SIZE = (240, 180)


class Answers:
    """What the person answers when the window asks; every answer is used once, and each must have been expected."""

    def __init__(self) -> None:
        self.folders: list[Path | None] = []
        self.files: list[Path | None] = []
        self.new_files: list[Path | None] = []
        self.deletions: list[bool] = []
        self.colors: list[Color | None] = []
        self.leave: list[bool] = []
        self.reasons: list[str] = []

    def folder(self, title: str, start: Path | None = None) -> Path | None:
        return self.folders.pop(0)

    def file(self, title: str, pattern: str, start: Path | None = None) -> Path | None:
        return self.files.pop(0)

    def new_file(self, title: str, pattern: str, start: Path) -> Path | None:
        return self.new_files.pop(0)

    def delete(self, version: str) -> bool:
        return self.deletions.pop(0)

    def color(self, title: str, start: Color) -> Color | None:
        return self.colors.pop(0)

    def quit_unsaved(self, reason: str) -> bool:
        self.reasons.append(reason)
        return self.leave.pop(0)


class Hand:
    """One running program and the person in front of it."""

    def __init__(self, program: Program, qtbot: QtBot, answers: Answers) -> None:
        self.program = program
        self.place = program.place
        self.qtbot = qtbot
        self.answers = answers

    @property
    def document(self) -> Document:
        assert self.program.desk is not None
        document = self.program.desk.navigation.document
        assert document is not None
        return document

    @property
    def messages(self) -> list[str]:
        return [message.text for message in self.place.messages.log]

    def until(self, holds: Callable[[], bool], timeout: int = WAIT) -> None:
        """Waits until something holds."""
        self.qtbot.waitUntil(holds, timeout=timeout)

    def open(self, path: Path | None) -> None:
        """Opens a project as from the command line, and waits for its picture."""
        with self.qtbot.waitSignal(self.program.shown, timeout=WAIT):
            self.program.begin(path)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Presses and lets go of a key, wherever the keyboard is."""
        QTest.keyClick(self.focus(), key, modifier)

    def type(self, text: str) -> None:
        """Types letters, wherever the keyboard is."""
        QTest.keyClicks(self.focus(), text)

    def focus(self) -> QWidget:
        widget = QApplication.focusWidget()
        return widget if widget is not None else self.place.window

    def press(self, key: Qt.Key, down: bool) -> None:
        (QTest.keyPress if down else QTest.keyRelease)(self.focus(), key)

    def go(self, key: Qt.Key) -> str:
        """Presses a key that brings another image; returns its id when it is on screen."""
        with self.qtbot.waitSignal(self.program.shown, timeout=WAIT) as shown:
            self.key(key)
        return str(shown.args[0])

    def at(self, x: float, y: float) -> QPoint:
        """Where a pixel of the picture stands in the canvas (device pixel ratio 1)."""
        across, down = self.place.canvas.viewport.to_view(x + 0.5, y + 0.5)
        return QPoint(int(across), int(down))

    def stroke(self, *points: tuple[float, float]) -> None:
        """Paints along pixels of the picture."""
        canvas = self.place.canvas
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=self.at(*points[0]))
        for point in points[1:]:
            QTest.mouseMove(canvas, self.at(*point))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=self.at(*points[-1]))

    def click(self, *places: tuple[float, float], button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        """Moves to each of these pixels of the picture and clicks."""
        for place in places:
            QTest.mouseMove(self.place.canvas, self.at(*place))
            QTest.mouseClick(self.place.canvas, button, pos=self.at(*place))

    def drag(
        self,
        start: tuple[float, float],
        *way: tuple[float, float],
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Presses, moves along, lets go, with keys held. (QTest's moves hold no keys: only press and release do.)"""
        canvas = self.place.canvas
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, keys, self.at(*start))
        for place in way:
            QTest.mouseMove(canvas, self.at(*place))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, keys, self.at(*way[-1]))

    def pen(self, kind: QEvent.Type, place: tuple[float, float], pressure: float, *, eraser: bool = False) -> None:
        """An event of a pen, or of its other end, as Qt delivers it."""
        end = QPointingDevice.PointerType.Eraser if eraser else QPointingDevice.PointerType.Pen
        device = QPointingDevice(
            "pen", 7, QInputDevice.DeviceType.Stylus, end, QInputDevice.Capability.Pressure, 1, 3, "",
            QPointingDeviceUniqueId(),
        )  # fmt: skip
        canvas, left = self.place.canvas, Qt.MouseButton.LeftButton
        there = QPointF(self.at(*place))
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else left
        event = QTabletEvent(
            kind, device, there, QPointF(canvas.mapToGlobal(there)), pressure, 0, 0, 0, 0, 0,
            Qt.KeyboardModifier.NoModifier, button, left,
        )  # fmt: skip
        QApplication.sendEvent(canvas, event)

    def saved(self) -> None:
        """Waits until the files hold everything."""
        self.until(lambda: self.place.window.status.saved.text() == "All saved")

    def close(self) -> None:
        self.place.window.close()


def start(
    qtbot: QtBot,
    folder: Path,
    *,
    network: Network | None = None,
    reads_ahead: bool = False,
    settings: str = "window.ini",
    live: bool = False,
) -> Hand:
    """A program with a window state of its own, shown and active; `live`: it learns by itself."""
    remembered = Remembered(QSettings(str(folder / settings), QSettings.Format.IniFormat))
    remembered.keep("live", int(live))
    answers = Answers()
    program = Program(
        remembered, folder / "sample", asking=lambda _window: answers, network=network, reads_ahead=reads_ahead
    )
    program.place.window.show()
    qtbot.waitExposed(program.place.window)
    program.place.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is program.place.window, timeout=WAIT)
    return Hand(program, qtbot, answers)


def scene(number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A small picture of sky, grass and a box, and its truth: (H, W, 3) RGB, (H, W) class indices."""
    random = np.random.default_rng(number)
    width, height = SIZE
    horizon = int(random.integers(70, 110))
    truth = np.zeros((height, width), np.uint8)
    truth[horizon:] = 1
    x, y = int(random.integers(15, 150)), int(random.integers(horizon - 30, horizon + 5))
    truth[y : y + 56, x : x + 70] = 2
    colors = np.array([(120, 170, 230), (60, 140, 50), (190, 70, 40)], np.int16)
    noise = cv2.GaussianBlur(random.normal(0, 20, (height, width, 3)).astype(np.float32), (0, 0), 1.5)
    return np.clip(colors[truth] + noise, 0, 255).astype(np.uint8), truth


def write_scenes(folder: Path, count: int = 4) -> Path:
    """Writes pictures of scenes as PNG files a, b, c, …"""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(scene(number)[0]).save(folder / f"{chr(97 + number)}.png")
    return folder
