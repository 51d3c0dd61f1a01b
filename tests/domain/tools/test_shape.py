"""Rectangle and ellipse: what is painted is what was shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.domain import shapes
from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import TOOLS, Gesture, Pointer, Scene, Tool, ToolSettings

from ..gestures import drag
from ..pictures import copy, patchwork, same

H, W = 40, 50
SETTINGS = ToolSettings(label=1)


@pytest.fixture(params=["rectangle", "ellipse"])
def tool(request: pytest.FixtureRequest) -> Tool:
    return TOOLS[request.param]


def box(x0: int, y0: int, x1: int, y1: int) -> Bool:
    """Both corners included."""
    out = np.zeros((H, W), bool)
    out[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = True
    return out


def shown(gesture: Gesture) -> Bool:
    preview, out = gesture.sketch.preview, np.zeros((H, W), bool)
    assert preview is not None
    out[preview.rect.slices] = preview.marked
    return out


def painted(document: Document) -> Bool:
    return (document.mask.labels == 1) & (document.mask.provenance == HUMAN)


def draw(name: str, *way: Pointer) -> Bool:
    document = Document("a", Mask.empty(H, W))
    drag(TOOLS[name], Scene(document), SETTINGS, *way)
    return painted(document)


@pytest.mark.parametrize("way", [((5, 6), (20, 9)), ((20, 9), (5, 6)), ((5, 9), (20, 6)), ((20, 6), (5, 9))])
def test_a_rectangle_goes_from_pixel_to_pixel_in_any_direction(way: tuple[tuple[int, int], ...]) -> None:
    assert np.array_equal(draw("rectangle", *(Pointer(x + 0.9, y + 0.1) for x, y in way)), box(5, 6, 20, 9))


def test_only_the_last_place_counts() -> None:
    assert np.array_equal(draw("rectangle", Pointer(5, 6), Pointer(49, 39), Pointer(2, 8)), box(2, 6, 5, 8))


def test_what_leaves_the_picture_is_cut() -> None:
    assert np.array_equal(draw("rectangle", Pointer(45, 30), Pointer(1e12, 1e12)), box(45, 30, 49, 39))
    assert np.array_equal(draw("rectangle", Pointer(-1e12, 30), Pointer(3, 32)), box(0, 30, 3, 32))


def test_an_ellipse_is_the_exact_one() -> None:
    rect, marked = shapes.ellipse((5, 6), (30, 20), Rect(0, 0, W, H))
    expected = np.zeros((H, W), bool)
    expected[rect.slices] = marked
    assert np.array_equal(draw("ellipse", Pointer(5, 6), Pointer(30, 20)), expected)


@pytest.mark.parametrize(("end", "corners"), [
    ((25, 10), (5, 6, 25, 26)),
    ((0, 8), (0, 6, 5, 11)),
    ((10, 0), (5, 0, 11, 6)),
    ((5, 9), (5, 6, 8, 9)),
])  # fmt: skip
def test_with_shift_it_is_as_wide_as_high(end: tuple[int, int], corners: tuple[int, int, int, int]) -> None:
    assert np.array_equal(draw("rectangle", Pointer(5, 6), Pointer(*end, straight=True)), box(*corners))


def test_with_shift_an_ellipse_is_a_disc() -> None:
    disc = draw("ellipse", Pointer(5, 6), Pointer(25, 9, straight=True))[6:27, 5:26]
    assert np.array_equal(disc, disc.T)
    assert disc.sum() == np.sum(np.hypot(*(np.mgrid[:21, :21] - 10)) <= 10.5)


def test_with_ctrl_it_makes_empty_and_the_last_word_counts(tool: Tool) -> None:
    document = Document("a", Mask.from_labels(np.zeros((H, W), np.uint8)))
    gesture = tool.begin(Scene(document), Pointer(5, 6), SETTINGS)
    gesture.move(Pointer(30, 20))
    assert gesture.sketch.preview is not None
    assert gesture.sketch.preview.label == 1
    gesture.move(Pointer(30, 20, erasing=True))
    assert gesture.sketch.preview is not None
    assert gesture.sketch.preview.label is None
    expected = shown(gesture)
    gesture.release(Pointer(30, 20, erasing=True))
    assert np.array_equal(document.mask.provenance == EMPTY, expected)
    document.undo()
    drag(tool, Scene(document), SETTINGS, Pointer(5, 6, erasing=True), Pointer(30, 20))
    assert np.array_equal(painted(document), expected)


def test_what_is_painted_is_what_was_shown(tool: Tool) -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    gesture = tool.begin(Scene(document), Pointer(5, 6), SETTINGS)
    for pointer in (Pointer(49, 39), Pointer(-3, 12), Pointer(30, 20, straight=True)):
        gesture.move(pointer)
        assert same(document.mask, before)
    expected = shown(gesture)
    gesture.release(Pointer(30, 20, straight=True))
    assert gesture.sketch.preview is None
    assert painted(document)[expected].all()
    assert np.array_equal(document.mask.labels[~expected], before.labels[~expected])
    assert document.history.undoable == (tool.title,)


def test_locked_classes_stay(tool: Tool) -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    locked = (before.labels == 2) & (before.provenance != EMPTY)
    drag(tool, Scene(document), replace(SETTINGS, locked=frozenset({2})), Pointer(0, 0), Pointer(49, 39))
    assert np.array_equal(document.mask.labels[locked], before.labels[locked])
    assert np.array_equal(document.mask.provenance[locked], before.provenance[locked])


@pytest.mark.parametrize("pressed", [Pointer(5, 6), Pointer(5, 6, erasing=True), Pointer(5, 6, straight=True)])
@pytest.mark.parametrize("released", [Pointer(5.9, 6.9), Pointer(5, 6, erasing=True), Pointer(5, 6, straight=True)])
def test_a_click_is_no_shape_whatever_keys_are_held(tool: Tool, pressed: Pointer, released: Pointer) -> None:
    document = Document("a", patchwork(H, W, 1))
    gesture = drag(tool, Scene(document), SETTINGS, pressed, released)
    assert gesture.over
    assert document.sequence == 0


def test_drawn_out_and_back_it_is_one_pixel(tool: Tool) -> None:
    document = Document("a", Mask.empty(H, W))
    drag(tool, Scene(document), SETTINGS, Pointer(5, 6), Pointer(9, 9), Pointer(5, 6))
    assert np.array_equal(painted(document), box(5, 6, 5, 6))


def test_when_something_else_comes_it_is_painted_as_it_is_shown(tool: Tool) -> None:
    document = Document("a", Mask.empty(H, W))
    gesture = tool.begin(Scene(document), Pointer(5, 6), SETTINGS)
    gesture.move(Pointer(20, 9))
    expected = shown(gesture)
    gesture.finish()
    gesture.finish()
    gesture.release(Pointer(40, 30))
    assert np.array_equal(painted(document), expected)
    assert len(document.history.undoable) == 1


def test_when_its_pixels_cannot_be_shown_nothing_stays_open(tool: Tool) -> None:
    document = Document("a", Mask.empty(H, W))

    def fail(_rect: Rect) -> None:
        raise RuntimeError("the screen is full")

    document.on_pixels.append(fail)
    with pytest.raises(RuntimeError, match="the screen is full"):
        drag(tool, Scene(document), SETTINGS, Pointer(5, 6), Pointer(20, 9))
    assert not document.editing
    assert document.history.undoable == (tool.title,)
