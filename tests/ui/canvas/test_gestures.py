"""Gestures of many presses, proposals and modifiers, with real events in a real window."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QPointingDeviceUniqueId, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow

from app.domain.document import Document
from app.domain.footprint import capsule
from app.domain.mask import HUMAN, Mask
from app.domain.tools import TOOLS, Proposal, ToolSettings
from app.ui.canvas import Canvas, Photo

pytestmark = pytest.mark.window

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
SETTINGS = ToolSettings(2, 3)


@pytest.fixture
def document(canvas: Canvas, classes) -> Document:
    """A light picture of 320 x 240 with a dark box, shown 1:1 in the whole window."""
    rgb = np.full((240, 320, 3), 220, np.uint8)
    rgb[80:160, 100:200] = (40, 60, 30)
    document = Document("picture", Mask.empty(240, 320))
    canvas.show_image(Photo.of(rgb), document, classes)
    assert canvas.viewport.zoom == 1
    return document


def take(canvas: Canvas, tool: str, **settings) -> None:
    canvas.set_tool(TOOLS[tool], ToolSettings(2, 3, **settings))


def click(canvas: Canvas, *places: tuple[int, int], keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for place in places:
        QTest.mouseMove(canvas, QPoint(*place))
        QTest.mouseClick(canvas, LEFT, keys, QPoint(*place))


def drag(canvas: Canvas, *places: tuple[int, int], keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mousePress(canvas, LEFT, keys, QPoint(*places[0]))
    for place in places[1:]:
        QTest.mouseMove(canvas, QPoint(*place))
    QTest.mouseRelease(canvas, LEFT, keys, QPoint(*places[-1]))


def answers(canvas: Canvas) -> list[Proposal]:
    """Works out at once whatever is proposed from now on, and keeps it."""
    asked: list[Proposal] = []

    def answer(proposal: Proposal) -> None:
        asked.append(proposal)
        canvas.hand.take(proposal, proposal.compute())

    canvas.hand.proposed.connect(answer)
    return asked


class TestPolygon:
    @pytest.mark.parametrize("how", ["enter", "double click", "first corner", "another tool", "finish"])
    def test_corner_by_corner_and_closed(self, canvas: Canvas, document: Document, how: str) -> None:
        take(canvas, "polygon")
        click(canvas, (50, 50), (150, 50), (150, 120))
        assert canvas.hand.waiting
        assert not document.history.done
        match how:
            case "enter":
                QTest.keyClick(canvas, Qt.Key.Key_Return)
            case "double click":
                QTest.mouseDClick(canvas, LEFT, pos=QPoint(150, 120))
            case "first corner":
                click(canvas, (53, 48))
            case "another tool":
                take(canvas, "brush")
            case "finish":
                canvas.hand.finish()
        assert not canvas.hand.busy
        assert document.history.undoable == ("Polygon",)
        assert document.mask.labels[60, 140] == 2
        assert document.mask.labels[110, 60] == 255

    def test_backspace_takes_corners_back_to_none(self, canvas: Canvas, document: Document) -> None:
        take(canvas, "polygon")
        click(canvas, (50, 50), (150, 50))
        for _ in range(2):
            assert canvas.hand.busy
            QTest.keyClick(canvas, Qt.Key.Key_Backspace)
        assert not canvas.hand.busy
        assert not document.history.done

    def test_other_keys_go_on_to_the_menus_and_enter_too_when_nothing_waits(self, qtbot, classes) -> None:
        window, canvas = QMainWindow(), Canvas()
        window.setCentralWidget(canvas)
        pressed: list[str] = []
        for key in ("Return", "Backspace", "D"):
            window.addAction(key, key, lambda key=key: pressed.append(key))
        qtbot.addWidget(window)
        window.resize(320, 240)
        with qtbot.waitExposed(window):
            window.show()
        window.activateWindow()
        canvas.setFocus()
        qtbot.waitUntil(canvas.hasFocus)
        canvas.show_image(Photo.of(np.zeros((240, 320, 3), np.uint8)), Document("a", Mask.empty(240, 320)), classes)
        take(canvas, "polygon")
        click(canvas, (50, 50), (150, 50), (150, 120))
        QTest.keyClick(canvas, Qt.Key.Key_D)
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        assert (pressed, canvas.hand.busy) == (["D"], False)
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        QTest.keyClick(canvas, Qt.Key.Key_Backspace)
        assert pressed == ["D", "Return", "Backspace"]
        canvas.clear()

    def test_losing_the_keyboard_keeps_it_open(self, canvas: Canvas, document: Document) -> None:
        take(canvas, "polygon")
        click(canvas, (50, 50), (150, 50), (150, 120))
        canvas.clearFocus()
        assert canvas.hand.waiting
        assert not document.history.done

    def test_its_lines_follow_the_view(self, canvas: Canvas, document: Document, qtbot) -> None:
        take(canvas, "polygon")
        click(canvas, (50, 50), (150, 50))
        qtbot.waitUntil(lambda: canvas.grab().toImage().pixelColor(100, 50).red() == 255)
        canvas.pan(0, 40)
        qtbot.waitUntil(lambda: canvas.grab().toImage().pixelColor(100, 90).red() == 255)
        assert canvas.grab().toImage().pixelColor(100, 50).red() < 255
        canvas.hand.cancel()
        qtbot.waitUntil(lambda: canvas.grab().toImage().pixelColor(100, 90).red() < 255)


class TestProposals:
    def test_a_fill_is_written_when_its_answer_comes(self, canvas: Canvas, document: Document) -> None:
        asked: list[Proposal] = []
        canvas.hand.proposed.connect(asked.append)
        take(canvas, "fill")
        click(canvas, (120, 100))
        assert len(asked) == 1
        assert not document.history.done
        canvas.hand.take(asked[0], asked[0].compute())
        assert np.array_equal(document.mask.labels == 2, document.mask.provenance == HUMAN)
        assert (document.mask.labels == 2).sum() == 80 * 100

    def test_a_box_is_cut_out_shown_and_taken_with_enter(self, canvas: Canvas, document: Document) -> None:
        asked = answers(canvas)
        take(canvas, "cut_out")
        drag(canvas, (85, 65), (150, 120), (215, 175))
        assert len(asked) == 1
        assert not document.history.done
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        assert document.history.undoable == ("Cut out",)
        truth = np.zeros((240, 320), bool)
        truth[80:160, 100:200] = True
        found = document.mask.labels == 2
        assert (found & truth).sum() / (found | truth).sum() > 0.95

    def test_a_mask_that_changes_meanwhile_drops_it_and_says_so(
        self, canvas: Canvas, document: Document, qtbot
    ) -> None:
        answers(canvas)
        take(canvas, "cut_out")
        drag(canvas, (85, 65), (150, 120), (215, 175))
        assert canvas.hand.waiting
        with qtbot.waitSignal(canvas.hand.noticed, timeout=1000) as said:
            document.replace(np.ones((240, 320), np.uint8), np.full((240, 320), HUMAN, np.uint8), "Import")
        assert "changed" in said.args[0]
        assert not canvas.hand.busy
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        assert document.history.undoable == ("Import",)

    def test_what_was_meant_is_painted_before_another_image_comes_and_never_into_that(
        self, canvas: Canvas, document: Document, shown
    ) -> None:
        asked: list[Proposal] = []
        canvas.hand.proposed.connect(asked.append)
        take(canvas, "fill")
        click(canvas, (120, 100))
        other = shown(320, 240)
        canvas.hand.take(asked[0], asked[0].compute())
        assert document.history.undoable == ("Fill",)
        assert not other.history.done

    def test_a_second_click_does_not_lose_the_first(self, canvas: Canvas, document: Document) -> None:
        asked: list[Proposal] = []
        canvas.hand.proposed.connect(asked.append)
        take(canvas, "fill")
        click(canvas, (120, 100), (10, 10))
        canvas.hand.take(asked[1], asked[1].compute())
        assert document.history.undoable == ("Fill", "Fill")
        assert (document.mask.labels == 2).all()


class TestModifiers:
    def test_shift_draws_a_straight_line_from_where_the_last_stroke_ended(
        self, canvas: Canvas, document: Document
    ) -> None:
        take(canvas, "brush")
        click(canvas, (40, 40))
        click(canvas, (200, 90), keys=SHIFT)
        rect, line = capsule((40, 40), (200, 90), 3)
        assert (document.mask.labels[rect.slices] == 2)[line].all()
        assert (document.mask.labels == 2).sum() == line.sum()
        assert len(document.history.done) == 2

    def test_ctrl_makes_a_shape_empty(self, canvas: Canvas, document: Document) -> None:
        take(canvas, "rectangle")
        drag(canvas, (20, 20), (99, 79))
        assert (document.mask.labels == 2).sum() == 80 * 60
        QTest.mousePress(canvas, LEFT, CTRL, QPoint(30, 30))
        QTest.mouseMove(canvas, QPoint(49, 39))
        QTest.mouseRelease(canvas, LEFT, CTRL, QPoint(49, 39))
        assert (document.mask.labels == 2).sum() == 80 * 60 - 20 * 10

    def test_the_right_button_picks_the_class_with_any_tool(self, canvas: Canvas, document: Document, qtbot) -> None:
        take(canvas, "rectangle")
        drag(canvas, (20, 20), (99, 79))
        take(canvas, "eraser")
        with qtbot.waitSignal(canvas.hand.picked, timeout=1000) as picked:
            QTest.mouseClick(canvas, RIGHT, pos=QPoint(50, 50))
        assert picked.args == [2]
        assert not canvas.hand.held
        assert len(document.history.done) == 1


def pen(canvas: Canvas, kind: QEvent.Type, x: float, pressure: float, end: QPointingDevice.PointerType) -> None:
    """An event of a pen as Qt delivers it."""
    device = QPointingDevice(
        "pen", 7, QInputDevice.DeviceType.Stylus, end, QInputDevice.Capability.Pressure, 1, 3, "",
        QPointingDeviceUniqueId(),
    )  # fmt: skip
    place = QPointF(x, 60)
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else LEFT
    event = QTabletEvent(
        kind, device, place, QPointF(canvas.mapToGlobal(place)), pressure, 0, 0, 0, 0, 0,
        Qt.KeyboardModifier.NoModifier, button, LEFT,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


class TestPen:
    def test_its_other_end_erases(self, canvas: Canvas, document: Document) -> None:
        take(canvas, "rectangle")
        drag(canvas, (20, 20), (99, 99))
        take(canvas, "brush")
        eraser = QPointingDevice.PointerType.Eraser
        for kind in (QEvent.Type.TabletPress, QEvent.Type.TabletRelease):
            pen(canvas, kind, 50, 0.7, eraser)
        assert document.history.undoable == ("Rectangle", "Eraser")
        assert document.mask.labels[60, 50] == 255

    def test_its_pressure_makes_the_brush_smaller(self, canvas: Canvas, document: Document) -> None:
        canvas.set_tool(TOOLS["brush"], ToolSettings(2, 20, pressure=True))
        point = QPointingDevice.PointerType.Pen
        pen(canvas, QEvent.Type.TabletPress, 50, 0.5, point)
        pen(canvas, QEvent.Type.TabletRelease, 50, 0.0, point)
        rect, disc = capsule((50, 60), (50, 60), 10)
        assert (document.mask.labels[rect.slices] == 2)[disc].all()
        assert (document.mask.labels == 2).sum() == disc.sum()
