"""What is on the screen, device pixel by device pixel, in a real window; at device pixel ratio 1, and at others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.domain.document import Document
from app.domain.mask import EMPTY, MODEL
from app.domain.tools import TOOLS, Pointer, Scene, ToolSettings
from app.ui.canvas import Canvas, Photo
from app.ui.canvas.codes import MODEL_TONE
from app.ui.canvas.photo import BACKGROUND
from tests.domain.gestures import drive

pytestmark = pytest.mark.window

RATIO = float(os.environ.get("QT_SCALE_FACTOR", "1"))
KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
LOOSE = settings(
    deadline=None,
    max_examples=50,
    phases=[Phase.explicit, Phase.generate],  # waiting for a screen that never comes right is slow: no shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def ratio(qapp: QApplication) -> float:
    """Device pixels a logical one, as the environment asks for it."""
    assert qapp.devicePixelRatio() == RATIO
    return RATIO


def on_screen(canvas: Canvas) -> np.ndarray:
    """A copy of the canvas's place on the X server's screen: (height, width) 0xFFRRGGBB of device pixels."""
    window = canvas.window()
    shot = canvas.screen().grabWindow(window.winId()).toImage().convertToFormat(QImage.Format.Format_RGB32)
    lines = np.frombuffer(shot.constBits(), np.uint32).reshape(shot.height(), shot.bytesPerLine() // 4)
    corner = canvas.mapTo(window, QPoint(0, 0))
    width, height = int(canvas.width() * RATIO), int(canvas.height() * RATIO)  # the whole pixels
    x, y = round(corner.x() * RATIO), round(corner.y() * RATIO)
    return lines[y : y + height, x : x + width] | 0xFF000000


def wait_for(canvas: Canvas, expected: np.ndarray) -> None:
    """Lets the window paint until the screen shows exactly that; says where not when it never does."""
    for _ in range(200):
        QApplication.processEvents()
        seen = on_screen(canvas)
        if RATIO % 1:  # the view also counts a last pixel of which the widget covers a part
            expected = expected[: seen.shape[0], : seen.shape[1]]
        assert seen.shape == expected.shape
        if (seen == expected).all():
            return
        QTest.qWait(5)
    rows, columns = (seen != expected).nonzero()
    pytest.fail(
        f"{len(rows)} device pixels differ, {canvas.viewport}: first x {columns[0]}, y {rows[0]}, "
        f"{seen[rows[0], columns[0]]:08x} instead of {expected[rows[0], columns[0]]:08x}"
    )


@dataclass(frozen=True)
class Renderer:
    """The mask over a black picture by formula, every device pixel on its own; knows nothing of caches."""

    palette: np.ndarray
    opacity: float

    def pixels(self, canvas: Canvas, document: Document) -> np.ndarray:
        """(height, width) 0xFFRRGGBB."""
        width, height = canvas.device_size
        view, mask = canvas.viewport, document.mask
        j, i = np.mgrid[0:height, 0:width]
        x = np.floor((i + np.floor(view.left + 0.5) + 0.5) / view.zoom).astype(int)
        y = np.floor((j + np.floor(view.top + 0.5) + 0.5) / view.zoom).astype(int)
        inside = (x >= 0) & (x < mask.width) & (y >= 0) & (y < mask.height)
        label, origin = mask.labels[y[inside], x[inside]], mask.provenance[y[inside], x[inside]]
        alpha = np.where(origin == MODEL, round(255 * self.opacity * MODEL_TONE), round(255 * self.opacity))
        alpha[origin == EMPTY] = 0
        red, green, blue = ((self.palette[label].astype(int) * alpha[:, None] + 127) // 255).T
        out = np.full((height, width), BACKGROUND, np.uint32)
        out[inside] = (0xFF << 24 | red << 16 | green << 8 | blue).astype(np.uint32)
        return out


def turn_wheel(canvas: Canvas, place: QPoint, delta: int) -> None:
    """A wheel event as the system sends it; QTest has none."""
    position = QPointF(place)
    event = QWheelEvent(
        position, QPointF(canvas.mapToGlobal(place)), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


places = st.builds(QPoint, st.integers(0, 319), st.integers(0, 239))
acts = st.one_of(
    st.tuples(st.just("dab"), places, st.sampled_from(tuple(TOOLS)), st.integers(0, 4), st.integers(0, 30)),
    st.tuples(st.just("wheel"), places, st.sampled_from((120, -120, 360, -240, 37, -55))),
    st.tuples(st.just("arrow"), st.sampled_from(KEYS)),
    st.tuples(st.just("drag"), places, places),
    st.tuples(st.just("fit")),
    st.tuples(st.just("size"), st.integers(40, 320), st.integers(30, 240)),
    st.tuples(st.just("undo")),
)


@LOOSE
@given(things=st.lists(acts, max_size=8), size=st.sampled_from([(203, 317), (64, 64), (1, 1), (1, 900), (1500, 2100)]))
def test_after_anything_the_screen_is_the_mask(
    ratio: float, canvas: Canvas, shown: Callable[..., Document], scribbled, classes, things: list, size: tuple
) -> None:
    canvas.resize(320, 240)
    document = shown(document=scribbled(*size))
    canvas.set_opacity(1.0)
    reference = Renderer(classes.palette(), 1.0)
    for act, *rest in things:
        match act, rest:
            case "dab", (place, tool, label, radius):
                where = Pointer(*canvas.viewport.to_picture(place.x() * ratio, place.y() * ratio))
                there = Pointer(where.x + 20 / canvas.viewport.zoom, where.y - 9)
                chosen = ToolSettings(label, radius)
                drive(TOOLS[tool], Scene(document), chosen, where, there)
            case "wheel", (place, delta):
                turn_wheel(canvas, place, delta)
            case "arrow", (key,):
                QTest.keyClick(canvas, key)
            case "drag", (start, end):
                QTest.mousePress(canvas, Qt.MouseButton.MiddleButton, pos=start)
                QTest.mouseMove(canvas, end)
                QTest.mouseRelease(canvas, Qt.MouseButton.MiddleButton, pos=end)
            case "fit", ():
                canvas.fit()
            case "size", (width, height):
                canvas.resize(width, height)
            case "undo", ():
                document.undo()
        wait_for(canvas, reference.pixels(canvas, document))


@pytest.mark.parametrize("opacity", [0.0, 0.37, 0.5])
def test_a_faint_mask_is_mixed_with_the_picture(canvas: Canvas, shown, scribbled, classes, opacity: float) -> None:
    document = shown(document=scribbled(120, 160))
    canvas.set_opacity(opacity)
    wait_for(canvas, Renderer(classes.palette(), opacity).pixels(canvas, document))


def test_a_hidden_mask_leaves_the_bare_picture_at_once(canvas: Canvas, scribbled, classes, ratio: float) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (int(240 * ratio), int(320 * ratio), 3), np.uint8)
    document = scribbled(*rgb.shape[:2])
    canvas.show_image(Photo.of(rgb), document, classes)
    assert canvas.viewport.zoom == 1
    red, green, blue = rgb.astype(np.uint32).transpose(2, 0, 1)
    picture = 0xFF000000 | red << 16 | green << 8 | blue
    canvas.set_overlay_visible(False)
    wait_for(canvas, picture)
    canvas.set_overlay_visible(True)
    QTest.qWait(1)
    assert (on_screen(canvas) != picture).any()


def test_other_colours_show_at_once(canvas: Canvas, shown, scribbled, classes) -> None:
    document = shown(document=scribbled(60, 80))
    canvas.set_opacity(1.0)
    wait_for(canvas, Renderer(classes.palette(), 1.0).pixels(canvas, document))
    other = classes.recolored(1, (250, 0, 250)).recolored(3, (1, 2, 3))
    canvas.set_classes(other)
    wait_for(canvas, Renderer(other.palette(), 1.0).pixels(canvas, document))


@pytest.mark.parametrize("zoom", [0.31, 1.0, 1.7, 9.0])
def test_the_pixel_under_the_mouse_is_the_one_that_is_painted(
    canvas: Canvas, shown, classes, ratio: float, zoom: float
) -> None:
    document = shown(2200, 1700)
    canvas.set_opacity(1.0)
    canvas.zoom_to(zoom, QPointF(160, 120) * ratio)
    for place in (QPoint(160, 120), QPoint(101, 77), QPoint(230, 199)):
        canvas.set_tool(TOOLS["brush"], ToolSettings(3, 0))
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
        canvas.set_tool(None, None)  # so that no outline is on top
        expected = Renderer(classes.palette(), 1.0).pixels(canvas, document)
        red, green, blue = classes[3].color
        assert expected[int(place.y() * ratio), int(place.x() * ratio)] == 0xFF000000 | red << 16 | green << 8 | blue
        wait_for(canvas, expected)
    assert np.count_nonzero(document.mask.labels == 3) == 3


def test_in_a_window_with_other_things_borders_are_exact_too(qtbot, scribbled, classes, ratio: float) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(200, 150)
    canvas = Canvas(window)
    canvas.setGeometry(13, 17, 151, 101)
    canvas.set_grid(False)
    canvas.set_overview(False)
    with qtbot.waitExposed(window):
        window.show()
    document = scribbled(90, 70)
    canvas.show_image(Photo.of(np.zeros((90, 70, 3), np.uint8)), document, classes)
    canvas.set_opacity(1.0)
    canvas.zoom_to(3.3, QPointF(30, 40))
    wait_for(canvas, Renderer(classes.palette(), 1.0).pixels(canvas, document))
    canvas.clear()


@pytest.mark.slow
@pytest.mark.skipif(RATIO != 1, reason="is that run")
@pytest.mark.parametrize("ratio", ["2", "1.5"])
def test_all_of_this_at_other_device_pixel_ratios(ratio: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env=os.environ | {"QT_SCALE_FACTOR": ratio}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
