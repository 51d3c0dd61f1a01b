"""Fixtures for tests in a real window; a test that leaves a thread or a timer alive fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main import start as dress
from app.services import create_project
from tests.ui.window import CLASSES, Hand, start, write_scenes


@pytest.fixture
def hand(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Hand]]:
    """Starts programs; each is closed at the end, and must have ended its threads and timers."""
    dress()
    before = set(threading.enumerate())
    made: list[Hand] = []

    def make(**options: object) -> Hand:
        made.append(start(qtbot, tmp_path, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.answers.leave.append(True)
        each.close()
        assert not each.place.window.isVisible()
        assert _running(each.program) == []
        each.program.deleteLater()
        each.place.window.deleteLater()
    QApplication.processEvents()
    left = {thread.name for thread in set(threading.enumerate()) - before if not thread.daemon}
    assert not left, f"threads left alive: {left}"


def _running(program: QObject) -> list[str]:
    place = program.place  # type: ignore[attr-defined]
    threads = [runner._thread for runner in (place.files, place.worker, place.learner, place.live, place.fetcher)]
    alive = [thread.objectName() for thread in threads if isinstance(thread, QThread) and thread.isRunning()]
    timers = [timer for timer in program.findChildren(QTimer) if timer.isActive()]
    return alive + [f"timer of {timer.parent()}" for timer in timers]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project over four pictures of scenes: sky, grass, box."""
    pictures = write_scenes(tmp_path / "pictures")
    create_project(tmp_path / "project", pictures, CLASSES).close()
    return tmp_path / "project"
