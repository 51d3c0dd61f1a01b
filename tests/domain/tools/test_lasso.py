from __future__ import annotations

import numpy as np

from app.domain import shapes
from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import Pointer, Scene, ToolSettings
from app.domain.tools.lasso import LASSO

from ..gestures import drag
from ..pictures import copy, patchwork, same

H, W = 40, 50
SETTINGS = ToolSettings(label=255)
WAY = [(25 + 15 * np.cos(t), 20 + 12 * np.sin(2 * t) + 5 * np.sin(t)) for t in np.linspace(0, 6, 60)]


def inside() -> Bool:
    rect, marked = shapes.polygon(np.array(WAY), Rect(0, 0, W, H))
    out = np.zeros((H, W), bool)
    out[rect.slices] = marked
    return out


def pointers(erasing: bool = False) -> list[Pointer]:
    return [Pointer(x, y, erasing=erasing) for x, y in WAY]


def test_what_the_way_encloses_is_painted_at_the_release_and_not_before() -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    gesture = LASSO.begin(Scene(document), pointers()[0], SETTINGS)
    for pointer in pointers()[1:]:
        gesture.move(pointer)
    assert np.array_equal(gesture.sketch.lines[0].points, WAY)
    assert gesture.sketch.lines[0].closed
    assert same(document.mask, before)
    gesture.release(pointers()[-1])
    expected = copy(before)
    expected.labels[inside()], expected.provenance[inside()] = 255, HUMAN
    assert same(document.mask, expected)
    assert document.history.undoable == ("Lasso",)


def test_with_ctrl_at_the_end_it_makes_empty() -> None:
    document = Document("a", Mask.from_labels(np.zeros((H, W), np.uint8)))
    drag(LASSO, Scene(document), SETTINGS, *pointers()[:-1], pointers(erasing=True)[-1])
    assert np.array_equal(document.mask.provenance == EMPTY, inside())
    document.undo()
    drag(LASSO, Scene(document), SETTINGS, *pointers(erasing=True)[:-1], pointers()[-1])
    assert np.array_equal((document.mask.labels == 255) & (document.mask.provenance == HUMAN), inside())


def test_a_pointer_that_rests_adds_nothing() -> None:
    document = Document("a", Mask.empty(H, W))
    gesture = LASSO.begin(Scene(document), Pointer(5, 5), SETTINGS)
    for _ in range(3):
        gesture.move(Pointer(9, 5))
    assert np.array_equal(gesture.sketch.lines[0].points, [(5, 5), (9, 5)])


def test_a_click_or_a_straight_way_encloses_nothing() -> None:
    for way in ([Pointer(5, 5)], [Pointer(5, 5), Pointer(30, 20)], [Pointer(5, 5), Pointer(30, 20), Pointer(55, 35)]):
        document = Document("a", Mask.empty(H, W))
        assert drag(LASSO, Scene(document), SETTINGS, *way).over
        assert (document.sequence, document.editing) == (0, False)


def test_ended_twice_it_is_painted_once() -> None:
    document = Document("a", Mask.empty(H, W))
    gesture = drag(LASSO, Scene(document), SETTINGS, *pointers())
    gesture.release(Pointer(0, 0))
    gesture.finish()
    gesture.confirm()
    assert len(document.history.undoable) == 1
