"""What a person does with mouse, wheel, keys and pen, in a real window."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QImage,
    QInputDevice,
    QMouseEvent,
    QPointingDevice,
    QPointingDeviceUniqueId,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from app.domain.document import Document
from app.domain.footprint import capsule, disc
from app.domain.mask import HUMAN, Mask
from app.domain.tools import TOOLS, Gesture, Pointer, Scene, ToolSettings
from app.ui.canvas import Canvas, Photo
from app.ui.canvas.canvas import MAX_RADIUS

pytestmark = pytest.mark.window

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


class Recorder:
    """A tool that only writes down what its gestures are told."""

    title = "Recorder"
    paints = True
    round = True

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def begin(self, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
        self.told.append(("press", pointer, settings))
        return RecordedStroke(self.told, pointer, settings)

    @property
    def names(self) -> list[str]:
        return [told[0] for told in self.told]

    @property
    def places(self) -> list[tuple[float, float]]:
        return [(told[1].x, told[1].y) for told in self.told]


class RecordedStroke(Gesture):
    def __init__(self, told: list[tuple], pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__()
        self._last = pointer
        self._told = told
        self._settings = settings

    def move(self, pointer: Pointer) -> None:
        self._last = pointer
        self._told.append(("move", pointer, self._settings))

    def release(self, pointer: Pointer) -> None:
        self._told.append(("release", pointer, self._settings))
        self.over = True

    def finish(self) -> None:
        self.release(self._last)

    def cancel(self) -> None:
        self._told.append(("cancel",))
        self.over = True


@pytest.fixture
def brush(canvas: Canvas, shown) -> Document:
    """The brush of class 2 and radius 3 over a picture of 320 x 240, shown 1:1 in the whole window."""
    document = shown(320, 240)
    canvas.set_tool(TOOLS["brush"], ToolSettings(2, 3))
    assert canvas.viewport.zoom == 1
    return document


@pytest.fixture
def recorder(canvas: Canvas, shown) -> Recorder:
    shown(320, 240)
    tool = Recorder()
    canvas.set_tool(tool, ToolSettings(1, 5))
    return tool


def wheel(widget: QWidget, place: QPoint, delta: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
    event = QWheelEvent(
        QPointF(place), QPointF(widget.mapToGlobal(place)), QPoint(), delta, Qt.MouseButton.NoButton, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def hover(canvas: Canvas, x: int, y: int, qtbot) -> None:
    """Without a button, QTest moves the X server's own pointer: its event comes when the server sends it."""
    place = QPoint(x, y)
    with qtbot.waitSignal(canvas.pointer_moved, timeout=3000):
        QTest.mouseMove(canvas, place)


def focus(canvas: Canvas, qtbot) -> None:
    """Gives it the keyboard."""
    canvas.activateWindow()
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus, timeout=3000)


def painted(document: Document) -> np.ndarray:
    return document.mask.provenance == HUMAN


class TestStroke:
    def test_a_click_is_a_disc_and_one_step(self, canvas: Canvas, brush: Document, qtbot) -> None:
        with qtbot.waitSignal(canvas.hand.ended, timeout=1000):
            QTest.mouseClick(canvas, LEFT, pos=QPoint(100, 50))
        expected = np.zeros((240, 320), bool)
        expected[47:54, 97:104] = disc(3)
        assert (painted(brush) == expected).all()
        assert (brush.mask.labels[expected] == 2).all()
        assert [step.name for step in brush.history.done] == ["Brush"]
        assert not canvas.hand.busy

    def test_a_fast_drag_has_no_gaps(self, canvas: Canvas, brush: Document) -> None:
        QTest.mousePress(canvas, LEFT, pos=QPoint(20, 30))
        QTest.mouseMove(canvas, QPoint(250, 90))
        assert canvas.hand.busy
        QTest.mouseMove(canvas, QPoint(250, 200))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(250, 200))
        expected = np.zeros((240, 320), bool)
        for start, end in (((20, 30), (250, 90)), ((250, 90), (250, 200))):
            rect, footprint = capsule(start, end, 3)
            expected[rect.slices] |= footprint
        assert (painted(brush) == expected).all()
        assert len(brush.history.done) == 1

    def test_cancelled_it_leaves_no_trace(self, canvas: Canvas, brush: Document, qtbot) -> None:
        before = brush.mask.labels.copy()
        QTest.mousePress(canvas, LEFT, pos=QPoint(20, 30))
        QTest.mouseMove(canvas, QPoint(90, 90))
        with qtbot.assertNotEmitted(canvas.hand.ended):
            canvas.hand.cancel()
            QTest.mouseMove(canvas, QPoint(120, 90))
            QTest.mouseRelease(canvas, LEFT, pos=QPoint(120, 90))
        assert (brush.mask.labels == before).all()
        assert not painted(brush).any()
        assert not brush.editing
        assert not brush.history.done

    def test_a_stroke_may_begin_and_end_outside_the_picture(self, canvas: Canvas, brush: Document) -> None:
        canvas.zoom_to(0.25, QPointF(160, 120))
        QTest.mousePress(canvas, LEFT, pos=QPoint(2, 120))
        QTest.mouseMove(canvas, QPoint(318, 120))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(318, 120))
        columns = painted(brush).any(axis=0)
        assert columns.all()
        assert painted(brush).sum() == 320 * 7

    def test_a_release_outside_the_window_ends_it(self, canvas: Canvas, brush: Document) -> None:
        QTest.mousePress(canvas, LEFT, pos=QPoint(300, 120))
        QTest.mouseMove(canvas, QPoint(900, 120))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(900, -300))
        assert not canvas.hand.busy
        assert painted(brush)[120, 300:].all()

    def test_a_lost_release_ends_it_at_the_next_move(self, canvas: Canvas, recorder: Recorder) -> None:
        for kind, x, button, held in (
            (QEvent.Type.MouseButtonPress, 30, LEFT, LEFT),
            (QEvent.Type.MouseMove, 90, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton),
        ):
            place = QPointF(x, 120)
            event = QMouseEvent(kind, place, QPointF(canvas.mapToGlobal(place)), button, held, NONE)
            QApplication.sendEvent(canvas, event)
        assert recorder.names == ["press", "release"]
        assert recorder.places[-1] == (30.5, 120.5)

    @pytest.mark.parametrize("how", ["focus", "hide", "other image", "clear"])
    def test_whatever_interrupts_it_keeps_what_was_painted(
        self, canvas: Canvas, brush: Document, classes, qtbot, how: str
    ) -> None:
        focus(canvas, qtbot)
        QTest.mousePress(canvas, LEFT, pos=QPoint(20, 30))
        QTest.mouseMove(canvas, QPoint(90, 30))
        match how:
            case "focus":
                canvas.clearFocus()
            case "hide":
                canvas.hide()
            case "other image":
                other = Document("other", Mask.empty(10, 10))
                canvas.show_image(Photo.of(np.zeros((10, 10, 3), np.uint8)), other, classes)
            case "clear":
                canvas.clear()
        assert not canvas.hand.busy
        assert not brush.editing
        assert len(brush.history.done) == 1
        QTest.mouseMove(canvas, QPoint(200, 200))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(200, 200))
        assert not painted(brush)[50:].any()

    def test_other_settings_count_from_the_next_stroke_on(self, canvas: Canvas, recorder: Recorder) -> None:
        QTest.mousePress(canvas, LEFT, pos=QPoint(20, 30))
        canvas.set_tool(TOOLS["eraser"], ToolSettings(2, 50))
        QTest.mouseMove(canvas, QPoint(30, 30))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(30, 30))
        assert recorder.names == ["press", "move", "release"]
        assert {told[2] for told in recorder.told} == {ToolSettings(1, 5)}

    def test_zooming_in_the_middle_of_it_goes_on_where_the_pointer_is(self, canvas: Canvas, recorder: Recorder) -> None:
        QTest.mousePress(canvas, LEFT, pos=QPoint(100, 100))
        wheel(canvas, QPoint(100, 100), QPoint(0, 360))
        QTest.mouseMove(canvas, QPoint(120, 100))
        assert recorder.told[-1][0] == "move"
        assert recorder.told[-1][1].x == pytest.approx(110.25, abs=0.5)

    def test_no_tool_no_settings_no_document_paint_nothing(self, canvas: Canvas, shown) -> None:
        document = shown(320, 240)
        for tool, settings in ((None, None), (TOOLS["brush"], None), (None, ToolSettings(1, 3))):
            canvas.set_tool(tool, settings)
            QTest.mouseClick(canvas, LEFT, pos=QPoint(100, 100))
        canvas.clear()
        canvas.set_tool(TOOLS["brush"], ToolSettings(1, 3))
        QTest.mouseClick(canvas, LEFT, pos=QPoint(100, 100))
        assert not painted(document).any()

    def test_a_failing_listener_ends_the_stroke_all_the_same(self, canvas: Canvas, brush: Document, qtbot) -> None:
        def full_disk(entry: object) -> None:
            raise OSError("no space left")

        brush.on_entry.append(full_disk)
        with pytest.raises(OSError, match="no space left"), qtbot.waitSignal(canvas.hand.ended, timeout=1000):
            QTest.mouseClick(canvas, LEFT, pos=QPoint(50, 50))
        assert not canvas.hand.busy
        brush.on_entry.clear()
        QTest.mouseClick(canvas, LEFT, pos=QPoint(90, 50))
        assert len(brush.history.done) == 2


class TestView:
    def test_the_wheel_zooms_at_the_pointer(self, canvas: Canvas, brush: Document, qtbot) -> None:
        before = canvas.viewport.to_picture(70, 200)
        with qtbot.waitSignal(canvas.zoom_changed, timeout=1000) as caught:
            wheel(canvas, QPoint(70, 200), QPoint(0, 240))
        assert caught.args == [canvas.viewport.zoom]
        assert canvas.viewport.zoom == pytest.approx(2 ** (2 / 3))
        assert canvas.viewport.to_picture(70, 200) == pytest.approx(before, abs=0.5)
        wheel(canvas, QPoint(70, 200), QPoint(0, -240))
        assert canvas.viewport.zoom == 1.0

    def test_a_touchpads_small_steps_zoom_smoothly(self, canvas: Canvas, brush: Document) -> None:
        for _ in range(8):
            wheel(canvas, QPoint(70, 200), QPoint(0, 15))
        assert canvas.viewport.zoom == pytest.approx(2 ** (1 / 3))

    @pytest.mark.parametrize("keys", [CTRL, SHIFT])
    def test_with_a_key_it_asks_for_another_radius(self, canvas: Canvas, brush: Document, qtbot, keys) -> None:
        asked: list[int] = []
        canvas.radius_asked.connect(asked.append)
        for radius, delta in ((3, 120), (3, -120), (0, -120), (0, 120), (100, 120), (2000, 120), (2000, -120)):
            canvas.set_tool(TOOLS["brush"], ToolSettings(2, radius))
            wheel(canvas, QPoint(70, 70), QPoint(0, delta), keys)
        assert asked == [4, 2, 0, 1, 112, MAX_RADIUS, 1750]
        assert canvas.viewport.zoom == 1.0

    @pytest.mark.parametrize("button", [MIDDLE, LEFT])
    def test_a_drag_pans_by_what_it_drags(self, canvas: Canvas, brush: Document, button) -> None:
        canvas.zoom_to(4.0, QPointF(160, 120))
        before = canvas.viewport.to_picture(100, 100)
        if button == LEFT:
            QTest.keyPress(canvas, Qt.Key.Key_Space)
            assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
        QTest.mousePress(canvas, button, pos=QPoint(100, 100))
        assert canvas.cursor().shape() == Qt.CursorShape.ClosedHandCursor
        QTest.mouseMove(canvas, QPoint(120, 90))
        QTest.mouseMove(canvas, QPoint(163, 71))
        QTest.mouseRelease(canvas, button, pos=QPoint(163, 71))
        QTest.keyRelease(canvas, Qt.Key.Key_Space)
        assert canvas.viewport.to_picture(163, 71) == before
        assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor
        assert not painted(brush).any()
        QTest.mouseClick(canvas, LEFT, pos=QPoint(163, 71))
        assert painted(brush).any()

    def test_arrows_pan(self, canvas: Canvas, brush: Document) -> None:
        canvas.zoom_to(8.0, QPointF(160, 120))
        left, top = canvas.viewport.origin
        ratio = canvas.devicePixelRatioF()
        QTest.keyClick(canvas, Qt.Key.Key_Right)
        QTest.keyClick(canvas, Qt.Key.Key_Down, SHIFT)
        assert canvas.viewport.origin == (left + 64 * ratio, top + 256 * ratio)
        QTest.keyClick(canvas, Qt.Key.Key_Left)
        QTest.keyClick(canvas, Qt.Key.Key_Up, SHIFT)
        assert canvas.viewport.origin == (left, top)

    def test_fit_one_to_one_in_and_out(self, canvas: Canvas, shown, qtbot) -> None:
        shown(640, 240)
        ratio = canvas.devicePixelRatioF()
        assert canvas.viewport.zoom == 0.5 * ratio
        canvas.actual_pixels()
        assert canvas.viewport.zoom == 1.0
        canvas.zoom_in()
        assert canvas.viewport.zoom == pytest.approx(2 ** (1 / 3))
        canvas.zoom_out()
        canvas.zoom_out()
        assert canvas.viewport.zoom == pytest.approx(2 ** (-1 / 3))
        canvas.fit()
        assert canvas.viewport == canvas.viewport.fitted()

    def test_a_fitted_picture_stays_fitted_until_one_looks_elsewhere(self, canvas: Canvas, shown) -> None:
        shown(640, 240)
        canvas.resize(200, 150)
        assert canvas.viewport == canvas.viewport.fitted()
        canvas.zoom_in()
        zoom = canvas.viewport.zoom
        canvas.resize(320, 240)
        assert canvas.viewport.zoom == zoom

    def test_the_same_document_keeps_the_view_another_one_is_fitted(self, canvas: Canvas, shown, classes) -> None:
        document = shown(320, 240)
        canvas.zoom_to(3.0, QPointF(10, 10))
        view = canvas.viewport
        canvas.show_image(Photo.of(np.full((240, 320, 3), 9, np.uint8)), document, classes)
        assert canvas.viewport == view
        canvas.set_photo(Photo.preview(np.zeros((24, 32, 3), np.uint8), 320, 240))
        assert canvas.viewport == view
        shown(320, 240)
        assert canvas.viewport == view.fitted()


class TestPointer:
    def test_it_tells_the_pixel_under_it_or_nothing(self, canvas: Canvas, brush: Document, qtbot) -> None:
        canvas.zoom_to(0.5, QPointF(160, 120))  # the picture now covers 80 … 240, 60 … 180
        hover(canvas, 10, 10, qtbot)
        told: list[object] = []
        canvas.pointer_moved.connect(told.append)
        for x, y in ((80, 60), (239, 179), (240, 100), (100, 100)):
            hover(canvas, x, y, qtbot)
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
        assert told == [(1, 1), (319, 239), None, (41, 81), None]

    def test_it_tells_again_when_the_picture_moves_under_it(self, canvas: Canvas, brush: Document, qtbot) -> None:
        hover(canvas, 101, 100, qtbot)
        with qtbot.waitSignal(canvas.pointer_moved, timeout=1000) as told:
            QTest.keyClick(canvas, Qt.Key.Key_Right)
        assert told.args == [(101 + 64, 100)]

    def test_the_outline_follows_and_goes(self, canvas: Canvas, brush: Document, qtbot) -> None:
        def reach(x: int, y: int) -> np.ndarray:
            """How far the bright pixels are from there."""
            image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
            grey = np.frombuffer(image.constBits(), np.uint8).reshape(240, image.bytesPerLine())[:, :320]
            rows, columns = (grey > 200).nonzero()
            return np.hypot(columns - x, rows - y)

        canvas.set_tool(TOOLS["brush"], ToolSettings(2, 20))
        hover(canvas, 100, 110, qtbot)
        assert reach(100, 110) == pytest.approx(20.5, abs=1.5)
        hover(canvas, 200, 60, qtbot)
        assert reach(200, 60) == pytest.approx(20.5, abs=1.5)
        canvas.set_tool(TOOLS["brush"], ToolSettings(2, 40))
        assert reach(200, 60) == pytest.approx(40.5, abs=1.5)
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
        assert not reach(200, 60).size


class TestPen:
    @staticmethod
    def send(canvas: Canvas, kind: QEvent.Type, place: QPointF, pressure: float, button=LEFT) -> QTabletEvent:
        device = QPointingDevice(
            "pen", 7, QInputDevice.DeviceType.Stylus, QPointingDevice.PointerType.Pen,
            QInputDevice.Capability.Position | QInputDevice.Capability.Pressure, 1, 1, "", QPointingDeviceUniqueId(),
        )  # fmt: skip
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else button
        event = QTabletEvent(
            kind, device, place, QPointF(canvas.mapToGlobal(place)), pressure, 0, 0, 0, 0, 0, NONE, button, held
        )
        QApplication.sendEvent(canvas, event)
        return event

    def test_it_paints_with_its_pressure_and_between_pixels(self, canvas: Canvas, recorder: Recorder) -> None:
        for kind, x, pressure in (
            (QEvent.Type.TabletPress, 50.25, 0.25),
            (QEvent.Type.TabletMove, 60.5, 0.5),
            (QEvent.Type.TabletRelease, 70.75, 0.0),
        ):
            assert self.send(canvas, kind, QPointF(x, 40.5), pressure).isAccepted()
        pointers = [told[1] for told in recorder.told]
        assert recorder.names == ["press", "move", "release"]
        assert [pointer.x for pointer in pointers] == [50.25, 60.5, 70.75]
        assert [pointer.pressure for pointer in pointers] == pytest.approx([0.25, 0.5, 0.0], abs=1e-3)

    def test_with_space_it_pans(self, canvas: Canvas, recorder: Recorder) -> None:
        QTest.keyPress(canvas, Qt.Key.Key_Space)
        assert not self.send(canvas, QEvent.Type.TabletPress, QPointF(50, 40), 1).isAccepted()
        assert recorder.names == []


class TestBadInput:
    def test_a_window_without_height_or_width(self, canvas: Canvas, brush: Document) -> None:
        for size in ((320, 0), (0, 240), (0, 0), (1, 1)):
            canvas.resize(*size)
            QApplication.processEvents()
            canvas.fit()
            wheel(canvas, QPoint(0, 0), QPoint(0, 120))
            QTest.mouseClick(canvas, LEFT, pos=QPoint(0, 0))
            canvas.grab()
        canvas.resize(320, 240)
        canvas.fit()
        QTest.mouseClick(canvas, LEFT, pos=QPoint(100, 100))
        assert painted(brush)[100, 100]

    def test_without_a_document_everything_is_harmless(self, canvas: Canvas) -> None:
        canvas.set_tool(TOOLS["brush"], ToolSettings(1, 5))
        QTest.mousePress(canvas, LEFT, pos=QPoint(10, 10))
        QTest.mouseMove(canvas, QPoint(100, 100))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(100, 100))
        QTest.mouseClick(canvas, MIDDLE, pos=QPoint(10, 10))
        wheel(canvas, QPoint(10, 10), QPoint(0, 120))
        for key in (Qt.Key.Key_F, Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Escape):
            QTest.keyClick(canvas, key)
        for act in (canvas.fit, canvas.actual_pixels, canvas.zoom_in, canvas.zoom_out, canvas.clear):
            act()
        canvas.hand.cancel()
        canvas.hand.finish()
        canvas.set_opacity(7)
        assert canvas.opacity == 1.0
        canvas.set_photo(Photo.of(np.zeros((4, 4, 3), np.uint8)))
        assert (np.array(canvas.grab().toImage().pixelColor(5, 5).getRgb()[:3]) == 0x2B).all()

    def test_a_photo_of_another_size_is_refused_and_nothing_changes(self, canvas: Canvas, brush, classes) -> None:
        with pytest.raises(ValueError, match="20 x 10"):
            canvas.show_image(Photo.of(np.zeros((10, 20, 3), np.uint8)), Document("x", Mask.empty(20, 10)), classes)
        assert canvas.document is brush

    def test_keys_it_does_not_know_go_on_to_the_window(self, qtbot) -> None:
        class Window(QWidget):
            def __init__(self) -> None:
                super().__init__()
                self.keys: list[int] = []

            def keyPressEvent(self, event) -> None:
                self.keys.append(event.key())

        window = Window()
        qtbot.addWidget(window)
        canvas = Canvas(window)
        for key in (Qt.Key.Key_Q, Qt.Key.Key_Escape, Qt.Key.Key_1, Qt.Key.Key_Left):
            QTest.keyClick(canvas, key)
        assert window.keys == [Qt.Key.Key_Q, Qt.Key.Key_Escape, Qt.Key.Key_1]

    def test_a_document_that_is_no_longer_shown_does_not_know_the_canvas(self, canvas: Canvas, brush, shown) -> None:
        assert brush.on_pixels
        shown(320, 240)
        assert not brush.on_pixels

    def test_losing_the_keyboard_to_another_field_lets_go_of_space(self, qtbot, classes) -> None:
        window = QWidget()
        qtbot.addWidget(window)
        layout = QVBoxLayout(window)
        canvas, line = Canvas(), QLineEdit()
        canvas.setMinimumSize(200, 100)
        layout.addWidget(canvas)
        layout.addWidget(line)
        with qtbot.waitExposed(window):
            window.show()
        focus(canvas, qtbot)
        QTest.keyPress(canvas, Qt.Key.Key_Space)
        assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
        line.setFocus()
        qtbot.waitUntil(lambda: canvas.cursor().shape() == Qt.CursorShape.ArrowCursor, timeout=3000)
