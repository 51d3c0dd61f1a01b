from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.domain import shapes
from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import Gesture, Pointer, Scene, ToolSettings
from app.domain.tools.polygon import POLYGON

from ..gestures import click
from ..pictures import patchwork, same

H, W = 40, 50
SETTINGS = ToolSettings(label=1)
CORNERS = [(5.2, 4.1), (44.7, 8.0), (38.5, 35.5), (12.0, 30.25)]


def inside(corners: Sequence[tuple[float, float]]) -> Bool:
    rect, marked = shapes.polygon(np.array(corners), Rect(0, 0, W, H))
    out = np.zeros((H, W), bool)
    out[rect.slices] = marked
    return out


def pointers(*places: tuple[float, float], reach: float = 2) -> list[Pointer]:
    return [Pointer(x, y, reach=reach) for x, y in places]


def drawn(document: Document, *places: tuple[float, float]) -> Gesture:
    return click(POLYGON, Scene(document), SETTINGS, *pointers(*places))


def empty() -> Document:
    return Document("a", Mask.empty(H, W))


def painted(document: Document) -> Bool:
    return (document.mask.labels == 1) & (document.mask.provenance == HUMAN)


@pytest.mark.parametrize("ending", ["confirm", "finish", "first corner"])
def test_its_inside_is_painted_as_one_step(ending: str) -> None:
    document = empty()
    gesture = drawn(document, *CORNERS)
    assert not gesture.over
    assert document.sequence == 0
    if ending == "first corner":
        gesture.press(Pointer(6.2, 5.1, reach=2))
    else:
        getattr(gesture, ending)()
    assert gesture.over
    assert gesture.sketch.lines == ()
    assert np.array_equal(painted(document), inside(CORNERS))
    assert document.history.undoable == ("Polygon",)


def test_only_the_first_corner_closes_it_and_only_from_the_third_on() -> None:
    document = empty()
    gesture = drawn(document, CORNERS[0], CORNERS[1], (5.2, 4.1))
    assert not gesture.over
    gesture.press(Pointer(*CORNERS[1], reach=2))
    gesture.press(Pointer(8, 4.1, reach=2))
    assert not gesture.over
    gesture.press(Pointer(7, 4.1, reach=2))
    assert gesture.over


def test_the_sketch_shows_the_corners_and_a_line_to_the_pointer() -> None:
    gesture = drawn(empty(), *CORNERS[:2])
    gesture.move(Pointer(20, 20))
    assert gesture.sketch.dots == tuple(CORNERS[:2])
    assert np.array_equal(gesture.sketch.lines[0].points, [*CORNERS[:2], (20, 20)])


def test_back_takes_corner_after_corner_and_with_the_first_all_of_it() -> None:
    document = empty()
    gesture = drawn(document, *CORNERS, (25.0, 39.0))
    assert gesture.back()
    assert gesture.sketch.dots == tuple(CORNERS)
    gesture.confirm()
    assert np.array_equal(painted(document), inside(CORNERS))
    other = empty()
    gesture = drawn(other, *CORNERS[:2])
    assert gesture.back()
    assert not gesture.over
    assert gesture.back()
    assert gesture.over
    assert gesture.sketch.dots == ()
    assert other.sequence == 0


def test_a_corner_set_twice_is_one() -> None:
    gesture = drawn(empty(), CORNERS[0], CORNERS[1], CORNERS[1], CORNERS[1])
    assert gesture.sketch.dots == tuple(CORNERS[:2])


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_corners_enclose_nothing(count: int) -> None:
    document = empty()
    drawn(document, *CORNERS[:count]).confirm()
    assert (document.sequence, document.editing) == (0, False)


def test_with_ctrl_at_the_last_corner_it_makes_empty() -> None:
    document = Document("a", Mask.from_labels(np.zeros((H, W), np.uint8)))
    gesture = drawn(document, *CORNERS[:3])
    gesture.press(Pointer(*CORNERS[3], erasing=True))
    gesture.confirm()
    assert np.array_equal(document.mask.provenance == EMPTY, inside(CORNERS))


def test_corners_may_lie_anywhere() -> None:
    document = empty()
    drawn(document, (-1e12, -1e12), (1e12, -1e12), (1e12, 1e12), (-1e12, 1e12)).confirm()
    assert painted(document).all()
    outside = empty()
    drawn(outside, (-9, -9), (-3, -9), (-5, 60)).confirm()
    assert outside.sequence == 0
    nowhere = empty()
    drawn(nowhere, *CORNERS[:3], (float("nan"), 3), (3, float("inf"))).confirm()
    assert len(nowhere.history.undoable) == 1


def test_an_import_under_an_open_one_stays_beneath_it() -> None:
    document = empty()
    gesture = drawn(document, *CORNERS)
    new = patchwork(H, W, 1)
    document.replace(new.labels, new.provenance, "Import")
    gesture.changed()
    assert not gesture.over
    gesture.confirm()
    expected = patchwork(H, W, 1)
    expected.labels[inside(CORNERS)], expected.provenance[inside(CORNERS)] = 1, HUMAN
    assert same(document.mask, expected)
    document.undo()
    assert same(document.mask, new)


def test_when_its_pixels_cannot_be_shown_nothing_stays_open() -> None:
    document = empty()

    def fail(_rect: Rect) -> None:
        raise RuntimeError("the screen is full")

    document.on_pixels.append(fail)
    gesture = drawn(document, *CORNERS)
    with pytest.raises(RuntimeError, match="the screen is full"):
        gesture.confirm()
    assert gesture.over
    assert not document.editing
    assert document.history.undoable == ("Polygon",)
