"""What is large is worked out elsewhere, and what is meant is never lost."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from app.domain import shapes
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.mask import Mask
from app.domain.tools import TOOLS, Gesture, Pointer, Scene, ToolSettings

from ..gestures import answer, click, drag

H, W = 1100, 1300
SETTINGS = ToolSettings(3)
CORNERS = [Pointer(5, 5), Pointer(1290, 9), Pointer(1280, 1090), Pointer(10, 1085)]
DRAWN = {
    "rectangle": (partial(drag, TOOLS["rectangle"]), [CORNERS[0], CORNERS[2]]),
    "ellipse": (partial(drag, TOOLS["ellipse"]), [CORNERS[0], CORNERS[2]]),
    "lasso": (partial(drag, TOOLS["lasso"]), CORNERS),
    "polygon": (partial(click, TOOLS["polygon"]), CORNERS),
}


def drawn(name: str, document: Document) -> Gesture:
    """A gesture of a tool to the moment when the person is done with it; nothing has been worked out."""
    tool, way = TOOLS[name], DRAWN[name][1]
    gesture = tool.begin(Scene(document), way[0], SETTINGS)
    for pointer in way[1:]:
        gesture.move(pointer)
        if name == "polygon":
            gesture.press(pointer)
    if name == "polygon":
        gesture.confirm()
    else:
        gesture.release(way[-1])
    return gesture


@pytest.mark.parametrize("name", DRAWN)
def test_a_large_shape_is_proposed_and_painted_when_it_is_there(name: str) -> None:
    document = Document("a", Mask.empty(H, W))
    gesture = drawn(name, document)
    assert gesture.settled
    assert not document.history.done
    answer(gesture)
    assert gesture.over
    assert document.history.undoable == (TOOLS[name].title,)
    assert (document.mask.labels == 3).sum() > 1_000_000


@pytest.mark.parametrize("name", DRAWN)
def test_whatever_comes_first_paints_it_here_and_now(name: str) -> None:
    document, other = Document("a", Mask.empty(H, W)), Document("a", Mask.empty(H, W))
    drawn(name, document).finish()
    answer(drawn(name, other))
    assert np.array_equal(document.mask.labels, other.mask.labels)
    assert document.history.undoable == other.history.undoable


@pytest.mark.parametrize("name", DRAWN)
def test_more_of_the_pointer_changes_nothing_any_more(name: str) -> None:
    document, other = Document("a", Mask.empty(H, W)), Document("a", Mask.empty(H, W))
    gesture = drawn(name, document)
    for act in (gesture.move, gesture.release):
        act(Pointer(600, 40))
    gesture.confirm()
    answer(gesture)
    answer(drawn(name, other))
    assert np.array_equal(document.mask.labels, other.mask.labels)
    assert len(document.history.done) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_back_takes_the_whole_of_it_back(name: str) -> None:
    document = Document("a", Mask.empty(H, W))
    gesture = drawn(name, document)
    assert gesture.back()
    assert gesture.over
    assert not document.history.done


def test_a_small_shape_is_painted_at_once() -> None:
    document = Document("a", Mask.empty(H, W))
    gesture = drag(TOOLS["rectangle"], Scene(document), SETTINGS, Pointer(5, 5), Pointer(500, 900))
    assert gesture.over
    assert gesture.proposal is None
    rect, marked = shapes.rectangle((5, 5), (500, 900), Rect(0, 0, W, H))
    assert (document.mask.labels[rect.slices] == 3)[marked].all()
