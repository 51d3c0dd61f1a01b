from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGestureEvent, QPinchGesture

from app.domain.geometry import Rect
from app.domain.mask import HUMAN, MODEL
from app.ui.canvas import Canvas, Photo
from app.ui.canvas.codes import STRIPE_TONE
from app.ui.canvas.grid import draw_grid
from app.ui.canvas.layers import DifferenceLayer, LabelLayer, UncertaintyLayer
from app.ui.canvas.tone import Tone
from tests.ui.canvas.test_screen import RATIO, Renderer, on_screen, wait_for

pytestmark = pytest.mark.window

BLACK = 0xFF000000


def rendered(canvas: Canvas, document, classes, opacity: float = 1.0, **changed: np.ndarray) -> np.ndarray:
    """What the screen shows of another mask over black."""
    mask = replace(document.mask, **changed)
    return Renderer(classes.palette(), opacity).pixels(canvas, type(document)("other", mask))


def test_hidden_classes_leave_the_bare_photo(canvas: Canvas, shown, scribbled, classes) -> None:
    document = shown(document=scribbled(120, 160))
    canvas.set_opacity(1.0)
    canvas.set_hidden_classes(frozenset({1, 3}))
    bare = np.where(np.isin(document.mask.labels, (1, 3)), 0, document.mask.provenance).astype(np.uint8)
    wait_for(canvas, rendered(canvas, document, classes, provenance=bare))
    canvas.set_hidden_classes(frozenset())
    wait_for(canvas, rendered(canvas, document, classes))


def test_outlines_follow_the_brush_and_the_pan(canvas: Canvas, shown, classes) -> None:
    document = shown(320, 240)
    canvas.set_opacity(1.0)
    canvas.set_outlined(True)
    wait_for(canvas, np.full(canvas.device_size[::-1], BLACK, np.uint32))
    canvas.zoom_to(1.0, QPointF(160, 120))
    document.mask.labels[80:120, 60:130], document.mask.provenance[80:120, 60:130] = 3, HUMAN
    document.mask.labels[90:110, 80:100] = 1
    canvas._pixels_changed(Rect(60, 80, 70, 40))
    canvas.pan(7, -5)
    expected = np.zeros((240, 320), bool)
    for x0, y0, x1, y1, grown in ((60, 80, 130, 120, 0), (80, 90, 100, 110, 2)):
        expected[y0 - grown : y1 + grown, x0 - grown : x1 + grown] = True
        expected[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2] = False
    origin = np.where(expected, document.mask.provenance, 0).astype(np.uint8)
    wait_for(canvas, rendered(canvas, document, classes, provenance=origin))


def test_another_layer_until_the_next_picture(canvas: Canvas, shown, scribbled, classes) -> None:
    document, other = shown(document=scribbled(120, 160)), scribbled(120, 160, seed=5).mask.labels
    canvas.set_opacity(1.0)
    canvas.show_layer(LabelLayer(other))
    said = np.where(other == 255, 0, HUMAN).astype(np.uint8)
    wait_for(canvas, rendered(canvas, document, classes, labels=other, provenance=said))
    canvas.show_layer(None)
    wait_for(canvas, rendered(canvas, document, classes))
    canvas.show_layer(DifferenceLayer(document, document.mask.labels))
    wait_for(canvas, rendered(canvas, document, classes, provenance=np.zeros_like(said)))
    document = shown(document=scribbled(90, 70))
    wait_for(canvas, rendered(canvas, document, classes))


def test_the_swipe_stays_in_the_view_while_the_picture_moves(canvas: Canvas, shown, scribbled, classes) -> None:
    document, other = shown(document=scribbled(300, 400)), scribbled(300, 400, seed=5).mask.labels
    canvas.set_opacity(1.0)
    canvas.show_layer(LabelLayer(other))
    said = np.where(other == 255, 0, HUMAN).astype(np.uint8)
    canvas.zoom_to(1.3, QPointF(160, 120))
    for divider, dx, dy in ((100, 0, 0), (40, 9, 0), (250, -30, 11), (250, 40, -3), (251, -5, 5)):
        canvas.set_swipe(divider)
        canvas.pan(dx, dy)
        left = rendered(canvas, document, classes)
        right = rendered(canvas, document, classes, labels=other, provenance=said)
        expected = np.where(np.arange(left.shape[1]) < divider, left, right)
        expected[:, divider - 1], expected[:, divider] = BLACK, 0xFFFFFFFF
        wait_for(canvas, expected)
    canvas.set_swipe(None)
    wait_for(canvas, rendered(canvas, document, classes, labels=other, provenance=said))


def test_a_preview_shows_what_would_be_and_goes_without_a_trace(canvas: Canvas, shown, scribbled, classes) -> None:
    document = shown(document=scribbled(120, 160))
    canvas.set_opacity(0.5)
    canvas.zoom_to(2.0, QPointF(100, 100))
    before = rendered(canvas, document, classes, 0.5)
    wait_for(canvas, before)
    marked = np.ones((30, 50), bool)
    marked[10:20, 10:20] = False
    canvas.set_preview(Rect(40, 50, 50, 30), marked, 3)
    QTest.qWait(1)
    QApplication.processEvents()
    x, y = (round(place) for place in canvas.viewport.to_view(40, 50))
    seen = on_screen(canvas)[y : y + 60, x : x + 100]
    colour = np.array(classes[3].color)
    tones = [sum(int(c) << s for c, s in zip(t, (16, 8, 0), strict=True)) | BLACK for t in (
        colour, (colour + (255.0 - colour) * STRIPE_TONE).round().astype(int))]  # fmt: skip
    proposed = np.repeat(np.repeat(marked, 2, 0), 2, 1)
    assert {int(value) for value in np.unique(seen[proposed])} == set(tones)
    assert (seen[~proposed] == before[y : y + 60, x : x + 100][~proposed]).all()
    canvas.clear_preview()
    wait_for(canvas, before)


def test_a_preview_of_another_size_is_refused(canvas: Canvas, shown) -> None:
    shown()
    with pytest.raises(ValueError, match="a preview of"):
        canvas.set_preview(Rect(0, 0, 5, 4), np.ones((5, 4), bool), 1)


def test_a_tone_is_shown_at_once_and_kept_for_the_next_picture(canvas: Canvas, scribbled, classes) -> None:
    grey = np.full((240, 320, 3), 100, np.uint8)
    canvas.set_overlay_visible(False)
    for seed in (1, 2):
        canvas.show_image(Photo.of(grey), scribbled(240, 320, seed), classes)
        canvas.set_tone(Tone(brightness=0.2))
        value = int(Tone(brightness=0.2).table()[100])
        wait_for(canvas, np.full(canvas.device_size[::-1], BLACK | value * 0x010101, np.uint32))
    canvas.set_tone(Tone())
    wait_for(canvas, np.full(canvas.device_size[::-1], BLACK | 100 * 0x010101, np.uint32))


def test_the_grid_is_there_near_and_not_far(canvas: Canvas, shown, classes) -> None:
    document = shown(40, 30)
    canvas.set_grid(True)
    canvas.zoom_to(7.9, QPointF(160, 120))
    wait_for(canvas, rendered(canvas, document, classes))
    canvas.zoom_to(16, QPointF(160, 120))
    expected = rendered(canvas, document, classes)
    draw_grid(canvas.viewport, canvas.viewport.rect, expected)
    assert (expected != BLACK).any()
    wait_for(canvas, expected)
    canvas.set_grid(False)
    wait_for(canvas, rendered(canvas, document, classes))


def test_where_the_model_is_unsure_the_picture_glows(canvas: Canvas, shown) -> None:
    document = shown(320, 240)
    sure = np.full((60, 80), 255, np.uint8)
    sure[:, 40:] = 0
    canvas.set_opacity(1.0)
    canvas.show_layer(UncertaintyLayer(sure))
    QTest.qWait(20)
    QApplication.processEvents()
    seen = on_screen(canvas)
    middle = seen.shape[1] // 2
    assert (seen[:, : middle - 16] == BLACK).all()
    assert (seen[:, middle + 16 :] != BLACK).all()
    assert (document.mask.provenance != MODEL).all()


def native_pinch(canvas: Canvas, place: QPointF, value: float) -> None:
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, QPointingDevice.primaryPointingDevice(), 2, place, place,
        QPointF(canvas.mapToGlobal(place)), value, QPointF(),
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def test_two_fingers_on_a_touchpad_zoom_at_the_pointer(canvas: Canvas, shown) -> None:
    shown(2000, 1500)
    place = QPointF(100, 60)
    under, zoom = canvas.viewport.to_picture(*(place * RATIO).toTuple()), canvas.viewport.zoom
    native_pinch(canvas, place, 0.25)
    assert canvas.viewport.zoom == pytest.approx(zoom * 1.25)
    assert canvas.viewport.to_picture(*(place * RATIO).toTuple()) == pytest.approx(under, abs=1 / zoom)


def test_two_fingers_on_a_screen_zoom_between_them(canvas: Canvas, shown) -> None:
    shown(2000, 1500)
    zoom, place = canvas.viewport.zoom, QPointF(200, 90)
    under = canvas.viewport.to_picture(*(place * RATIO).toTuple())
    pinch = QPinchGesture()
    pinch.setCenterPoint(QPointF(canvas.mapToGlobal(place)))
    pinch.setScaleFactor(1.5)
    QApplication.sendEvent(canvas, QGestureEvent([pinch]))
    assert canvas.viewport.zoom == pytest.approx(zoom * 1.5)
    assert canvas.viewport.to_picture(*(place * RATIO).toTuple()) == pytest.approx(under, abs=1 / zoom)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_pictures_of_one_row_in_windows_of_no_height(canvas: Canvas, shown, scribbled, classes, size: tuple) -> None:
    canvas.set_overview(True)
    canvas.set_grid(True)
    canvas.set_outlined(True)
    document = shown(document=scribbled(*size))
    for width, height in ((320, 0), (0, 240), (0, 0), (1, 1), (320, 240)):
        canvas.resize(width, height)
        for zoom in (0.01, 1.0, 64.0):
            canvas.zoom_to(zoom, QPointF(0, 0))
            QApplication.processEvents()
            canvas.grab()
    canvas.set_outlined(False)
    canvas.set_grid(False)
    canvas.set_overview(False)
    canvas.fit()
    canvas.set_opacity(1.0)
    wait_for(canvas, rendered(canvas, document, classes))


def test_a_place_comes_to_the_middle(canvas: Canvas, shown) -> None:
    shown(2000, 1500)
    canvas.zoom_to(1.0, QPointF(0, 0))
    canvas.centre_on(700, 900)
    middle = canvas.viewport.to_view(700, 900)
    assert middle == pytest.approx((canvas.viewport.width / 2, canvas.viewport.height / 2), abs=1)
