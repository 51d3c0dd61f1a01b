from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.superpixels import cells
from app.domain.tools import Pointer, Scene, ToolSettings
from app.domain.tools.superpixel_brush import SUPERPIXEL_BRUSH

from ..gestures import answer, drag
from ..pictures import within

H, W = 60, 80
SETTINGS = ToolSettings(label=4, radius=2, cell=10)


def picture() -> NDArray[np.uint8]:
    coarse = np.random.default_rng(1).integers(0, 256, (H // 12 + 1, W // 12 + 1, 3))
    rgb = np.kron(coarse, np.ones((12, 12, 1), int))[:H, :W].astype(np.uint8)
    rgb.flags.writeable = False
    return rgb


RGB = picture()
CELLS = cells(RGB, 10)


def scene(mask: Mask | None = None) -> Scene:
    return Scene(Document("a", mask or Mask.empty(H, W)), RGB)


def widened(*ways: tuple[tuple[int, int], tuple[int, int]], radius: int = 2) -> Bool:
    """All cells of which a stroke covers a pixel."""
    covered = np.zeros((H, W), bool)
    for start, end in ways:
        covered |= within(H, W, start, end, radius)
    return np.isin(CELLS, CELLS[covered])


def painted(given: Scene) -> Bool:
    return (given.document.mask.labels == 4) & (given.document.mask.provenance == HUMAN)


def test_a_stroke_takes_every_cell_that_it_touches() -> None:
    given = scene()
    drag(SUPERPIXEL_BRUSH, given, SETTINGS, Pointer(10, 10), Pointer(50, 20), Pointer(60, 50))
    assert np.array_equal(painted(given), widened(((10, 10), (50, 20)), ((50, 20), (60, 50))))
    assert given.document.history.undoable == ("Superpixel brush",)


def test_a_click_takes_at_least_the_cell_under_it() -> None:
    given = scene()
    drag(SUPERPIXEL_BRUSH, given, replace(SETTINGS, radius=0), Pointer(33, 21))
    assert np.array_equal(painted(given), np.isin(CELLS, CELLS[21, 33]))


def test_the_preview_grows_and_is_what_is_painted() -> None:
    given = scene()
    gesture = SUPERPIXEL_BRUSH.begin(given, Pointer(10, 10), SETTINGS)
    answer(gesture)
    for end in ((30, 10), (30, 40)):
        gesture.move(Pointer(*end))
        answer(gesture)
    preview, shown = gesture.sketch.preview, np.zeros((H, W), bool)
    assert preview is not None
    shown[preview.rect.slices] = preview.marked
    assert given.document.sequence == 0
    gesture.release(Pointer(30, 40))
    assert np.array_equal(painted(given), shown)
    assert np.array_equal(shown, widened(((10, 10), (30, 10)), ((30, 10), (30, 40))))


def test_what_was_passed_while_the_worker_was_busy_is_not_left_out() -> None:
    given = scene()
    gesture = SUPERPIXEL_BRUSH.begin(given, Pointer(10, 10), SETTINGS)
    gesture.move(Pointer(50, 20))
    gesture.move(Pointer(60, 50))
    gesture.release(Pointer(60, 50))
    answer(gesture)
    assert np.array_equal(painted(given), widened(((10, 10), (50, 20)), ((50, 20), (60, 50))))


def test_with_ctrl_at_the_press_it_makes_empty() -> None:
    given = scene(Mask.from_labels(np.zeros((H, W), np.uint8)))
    gesture = SUPERPIXEL_BRUSH.begin(given, Pointer(10, 10, erasing=True), SETTINGS)
    answer(gesture)
    assert gesture.sketch.preview is not None
    assert gesture.sketch.preview.label is None
    gesture.release(Pointer(30, 20))
    answer(gesture)
    assert np.array_equal(given.document.mask.provenance == EMPTY, widened(((10, 10), (30, 20))))


def test_it_leaves_the_picture_and_comes_back() -> None:
    given = scene()
    drag(SUPERPIXEL_BRUSH, given, SETTINGS, Pointer(70, 10), Pointer(200, 10), Pointer(200, 50), Pointer(70, 50))
    assert np.array_equal(painted(given), widened(((70, 10), (79, 10)), ((70, 50), (79, 50))))


def test_begun_and_ended_outside_it_is_over_and_takes_nothing_later() -> None:
    given = scene()
    gesture = SUPERPIXEL_BRUSH.begin(given, Pointer(-50, 10), SETTINGS)
    gesture.release(Pointer(-50, 20))
    assert gesture.over
    gesture.move(Pointer(30, 30))
    assert gesture.proposal is None
    assert given.document.sequence == 0


def test_begun_outside_it_takes_what_it_comes_to() -> None:
    given = scene()
    drag(SUPERPIXEL_BRUSH, given, SETTINGS, Pointer(-50, 10), Pointer(20, 10))
    assert np.array_equal(painted(given), widened(((0, 10), (20, 10))))


def test_it_has_the_shape_and_the_pressure_of_the_brushes() -> None:
    given = scene()
    settings = replace(SETTINGS, radius=20, shape="square", pressure=True)
    drag(SUPERPIXEL_BRUSH, given, settings, Pointer(40, 30, 0.5))
    square = np.zeros((H, W), bool)
    square[20:41, 30:51] = True
    assert np.array_equal(painted(given), np.isin(CELLS, CELLS[square]))
