"""That what is drawn again stays what changed: times against those of a copy of the view, in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.domain.geometry import Rect
from app.domain.tools import TOOLS, ToolSettings
from app.ui.canvas import Canvas
from app.ui.canvas.view_cache import ViewCache
from app.ui.canvas.viewport import Viewport

pytestmark = pytest.mark.window

SIZE = (1200, 800)
ROUNDS = 30


def seconds(act: Callable[[], object]) -> float:
    """From an act to the screen."""
    start = time.perf_counter()
    act()
    QApplication.processEvents()
    QApplication.instance().sync()
    return time.perf_counter() - start


@pytest.mark.parametrize("zoom", [0.37, 1.0, 8.0])
def test_a_dab_a_pan_and_a_zoom_take_so_many_copies_of_the_view_at_most(
    canvas: Canvas, shown, scribbled, zoom: float
) -> None:
    """Normal are about 8, 20 and 60 copies."""
    canvas.resize(*SIZE)
    shown(document=scribbled(2400, 3200))
    canvas.set_tool(TOOLS["brush"], ToolSettings(3, max(1, round(30 / zoom))))
    view, copy = np.zeros((2, *canvas.device_size), np.uint32)
    times: dict[str, list[float]] = {"copy": [], "dab": [], "pan": [], "zoom": []}
    middle = QPointF(600, 400)
    for number in range(ROUNDS):
        place = QPoint(300 + 17 * number, 200 + 11 * number)
        times["zoom"].append(seconds(lambda n=number: canvas.zoom_to(zoom * (1 + 0.001 * (n % 7)), middle)))
        times["pan"].append(seconds(lambda n=number: canvas.pan(20 - n, n - 15)))
        QTest.mouseMove(canvas, place)
        QApplication.processEvents()
        times["dab"].append(seconds(lambda at=place: QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at)))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place)
        times["copy"].append(seconds(lambda: np.copyto(copy, view)))
    least = {name: min(each) for name, each in times.items()}  # what else the machine does only adds to it
    assert least["dab"] < 40 * least["copy"]
    assert least["pan"] < 150 * least["copy"]
    assert least["zoom"] < 400 * least["copy"]


@pytest.mark.parametrize("zoom", [0.37, 1.0, 8.0])
def test_a_dab_and_a_pan_mix_what_changed_and_no_more(
    canvas: Canvas, shown, scribbled, zoom: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Device pixels; the radius of the dab is 30 of them."""
    canvas.resize(*SIZE)
    shown(document=scribbled(2400, 3200))
    canvas.set_tool(TOOLS["brush"], ToolSettings(3, max(1, round(30 / zoom))))
    canvas.zoom_to(zoom, QPointF(600, 400))
    QTest.mouseMove(canvas, QPoint(500, 300))
    QApplication.processEvents()
    mixed: list[int] = []
    mix = ViewCache._mix

    def counted(self: ViewCache, viewport: Viewport, rects: list[Rect]) -> None:
        mixed.append(sum(rect.width * rect.height for rect in rects))
        mix(self, viewport, rects)

    monkeypatch.setattr(ViewCache, "_mix", counted)

    def pixels(act: Callable[[], object]) -> int:
        mixed.clear()
        act()
        QApplication.processEvents()
        return sum(mixed)

    width, height = SIZE
    whole = pixels(lambda: canvas.zoom_to(zoom * 1.01, QPointF(600, 400)))
    assert whole >= 0.5 * width * height
    dab = pixels(lambda: QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(500, 300)))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(500, 300))
    QApplication.processEvents()
    assert 60 * 60 / 2 < dab < 3 * 90 * 90
    assert 0 < pixels(lambda: canvas.pan(20, -15)) < 1.5 * (20 * height + 15 * width)
