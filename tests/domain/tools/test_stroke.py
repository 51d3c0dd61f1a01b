"""What every brush is, by brush, eraser and void brush: exact to the pixel, one step, never left open."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.guard import UNPAINTED
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import TOOLS, Gesture, Pointer, Scene, ToolSettings

from ..gestures import drag
from ..pictures import copy, patchwork, same, within

H, W = 40, 50
BRUSHES = {"brush": (1, HUMAN), "eraser": (255, EMPTY), "void_brush": (255, HUMAN)}
SETTINGS = ToolSettings(label=1, radius=3)
WAY = [(-4, 10), (12, 11), (13, 30), (49, 2)]


def stroke(name: str, document: Document, *way: Pointer, settings: ToolSettings = SETTINGS) -> Gesture:
    return drag(TOOLS[name], Scene(document), settings, *way)


def begun(document: Document, pointer: Pointer, settings: ToolSettings = SETTINGS, **scene: tuple[int, int]) -> Gesture:
    return TOOLS["brush"].begin(Scene(document, **scene), pointer, settings)


def empty() -> Document:
    return Document("a", Mask.empty(H, W))


def painted(document: Document) -> Bool:
    return document.mask.labels == 1


def capsule(start: tuple[int, int], end: tuple[int, int], radius: float = 3) -> Bool:
    return within(H, W, start, end, radius)


# Where it paints


@pytest.mark.parametrize("name", BRUSHES)
@pytest.mark.parametrize("radius", [0, 1, 2, 6])
def test_it_covers_exactly_the_capsules_between_the_pixels_of_the_pointer(name: str, radius: int) -> None:
    document = Document("a", patchwork(H, W, 1))
    expected = copy(document.mask)
    for start, end in zip(WAY[:1] + WAY, WAY, strict=False):
        covered = capsule(start, end, radius or 0.5)
        expected.labels[covered], expected.provenance[covered] = BRUSHES[name]
    stroke(name, document, *(Pointer(x + 0.99, y + 0.01) for x, y in WAY), settings=replace(SETTINGS, radius=radius))
    assert same(document.mask, expected)


@pytest.mark.parametrize("shape", ["round", "square"])
def test_the_eraser_erases_what_the_brush_paints(shape: str) -> None:
    settings = replace(SETTINGS, radius=5, shape=shape)  # type: ignore[arg-type]
    document, whole = empty(), Document("b", Mask.from_labels(np.zeros((H, W), np.uint8)))
    for name, each in (("brush", document), ("eraser", whole)):
        stroke(name, each, *(Pointer(x, y) for x, y in WAY), settings=settings)
    assert np.array_equal(whole.mask.provenance == EMPTY, painted(document))


def test_a_square_brush_is_square() -> None:
    document = empty()
    stroke("brush", document, Pointer(20, 10), Pointer(20, 16), settings=replace(SETTINGS, shape="square"))
    expected = np.zeros((H, W), bool)
    expected[7:20, 17:24] = True
    assert np.array_equal(painted(document), expected)


def test_a_press_alone_paints_a_dab() -> None:
    document = empty()
    gesture = begun(document, Pointer(20.5, 10.5))
    assert np.array_equal(painted(document), capsule((20, 10), (20, 10)))
    gesture.release(Pointer(20.5, 10.5))
    assert np.array_equal(painted(document), capsule((20, 10), (20, 10)))
    assert gesture.end == (20, 10)


def test_it_keeps_the_settings_that_it_began_with() -> None:
    document, settings = empty(), replace(SETTINGS, never=frozenset({0}))
    gesture = begun(document, Pointer(10, 10), settings)
    gesture.move(Pointer(20, 10, erasing=True))
    gesture.release(Pointer(30, 10, erasing=True))
    assert np.array_equal(painted(document), capsule((10, 10), (30, 10)))


def test_every_brush_but_the_one_with_the_class_is_told_from_it() -> None:
    assert [name for name in TOOLS if name.endswith(("brush", "eraser")) and TOOLS[name].paints] == [
        "brush",
        "superpixel_brush",
    ]


# Shift


def test_with_shift_a_straight_line_goes_from_where_the_last_stroke_ended() -> None:
    document = empty()
    begun(document, Pointer(30, 20, straight=True), anchor=(5, 6)).release(Pointer(30, 20, straight=True))
    assert np.array_equal(painted(document), capsule((5, 6), (30, 20)))


def test_without_shift_or_a_last_stroke_it_starts_where_it_is_pressed() -> None:
    for anchor, straight in (((5, 6), False), (None, True)):
        document = empty()
        begun(document, Pointer(30, 20, straight=straight), anchor=anchor).release(Pointer(30, 20))  # type: ignore[arg-type]
        assert np.array_equal(painted(document), capsule((30, 20), (30, 20)))


def test_while_shift_is_held_the_line_is_only_shown_and_painted_once_at_the_release() -> None:
    document = empty()
    gesture = begun(document, Pointer(10, 10))
    dab = copy(document.mask)
    for place in ((20, 30), (45, 3), (40, 20)):
        gesture.move(Pointer(*place, straight=True))
        assert same(document.mask, dab)
        assert np.array_equal(gesture.sketch.lines[0].points, np.array([(10, 10), place]) + 0.5)
    gesture.release(Pointer(40, 20, straight=True))
    assert np.array_equal(painted(document), capsule((10, 10), (40, 20)))
    assert gesture.sketch.lines == ()


def test_shift_let_go_in_the_middle_paints_to_the_pointer_and_goes_on() -> None:
    document = empty()
    gesture = begun(document, Pointer(10, 10))
    gesture.move(Pointer(20, 30, straight=True))
    gesture.move(Pointer(40, 20))
    assert gesture.sketch.lines == ()
    assert np.array_equal(painted(document), capsule((10, 10), (40, 20)))
    gesture.release(Pointer(40, 35))
    assert np.array_equal(painted(document), capsule((10, 10), (40, 20)) | capsule((40, 20), (40, 35)))


def test_what_ends_it_from_outside_keeps_the_line_that_is_shown() -> None:
    document = empty()
    gesture = begun(document, Pointer(10, 10))
    gesture.move(Pointer(40, 20, straight=True))
    gesture.finish()
    assert np.array_equal(painted(document), capsule((10, 10), (40, 20)))
    assert gesture.over
    assert not document.editing


# A pen


PEN = replace(SETTINGS, radius=8, pressure=True)


def test_the_pressure_of_a_pen_scales_the_radius() -> None:
    document = empty()
    stroke("brush", document, Pointer(10, 20, 0.25), Pointer(40, 20, 1.0), settings=PEN)
    assert np.array_equal(painted(document), capsule((10, 20), (40, 20), 8))
    document = empty()
    stroke("brush", document, Pointer(10, 20, 1.0), Pointer(40, 20, 0.25), settings=PEN)
    assert np.array_equal(painted(document), capsule((10, 20), (10, 20), 8) | capsule((10, 20), (40, 20), 2))
    document = empty()
    stroke("brush", document, Pointer(10, 20, 0.25), Pointer(40, 20, 0.5), settings=SETTINGS)
    assert np.array_equal(painted(document), capsule((10, 20), (40, 20), 3))


def test_pressed_harder_in_one_place_the_dab_grows_and_never_shrinks() -> None:
    document = empty()
    gesture = begun(document, Pointer(20, 20, 0.01), PEN)
    for pressure, radius in ((0.5, 4), (0.25, 4), (1.0, 8), (0.1, 8)):
        gesture.move(Pointer(20, 20, pressure))
        assert np.array_equal(painted(document), capsule((20, 20), (20, 20), radius))


def test_a_pen_that_is_lifted_draws_its_last_line_as_thick_as_it_was_pressed() -> None:
    """A pen that leaves the tablet reports no pressure."""
    document = empty()
    gesture = begun(document, Pointer(10, 20, 0.5), PEN)
    gesture.move(Pointer(40, 20, 0.5, straight=True))
    gesture.release(Pointer(40, 20, 0.0, straight=True))
    assert np.array_equal(painted(document), capsule((10, 20), (40, 20), 4))


@pytest.mark.parametrize("pressure", [-1.0, 0.0, 7.0, nan, inf, -inf])
def test_whatever_a_pen_reports_the_brush_stays_within_its_radius(pressure: float) -> None:
    document = empty()
    stroke("brush", document, Pointer(20, 20, pressure), settings=PEN)
    assert painted(document)[20, 20]
    assert not (painted(document) & ~capsule((20, 20), (20, 20), 8)).any()


# What is forbidden, and what goes wrong


def test_only_over_what_is_unpainted_it_never_covers_a_word() -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    stroke("brush", document, Pointer(3, 3), Pointer(40, 30), settings=replace(SETTINGS, only=frozenset({UNPAINTED})))
    free = (before.provenance == EMPTY) & capsule((3, 3), (40, 30))
    differs = (document.mask.labels != before.labels) | (document.mask.provenance != before.provenance)
    assert np.array_equal(differs, free)


def test_the_eraser_leaves_locked_classes_and_void() -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    settings = replace(SETTINGS, radius=60, locked=frozenset({2}), never=frozenset({255}))
    stroke("eraser", document, Pointer(20, 20), settings=settings)
    kept = (before.provenance != EMPTY) & ((before.labels == 2) | (before.labels == 255))
    assert kept.any()
    assert np.array_equal(document.mask.provenance != EMPTY, kept)
    assert np.array_equal(document.mask.labels[kept], before.labels[kept])


@pytest.mark.parametrize("place", [(nan, 5), (5, nan), (nan, nan), (inf, -inf), (1e300, 5), (-inf, inf)])
def test_a_place_that_is_none_paints_nothing_near(place: tuple[float, float]) -> None:
    document = empty()
    stroke("brush", document, Pointer(*place), settings=replace(SETTINGS, radius=2000))
    assert document.sequence == 0
    gesture = begun(document, Pointer(25, 20))
    gesture.move(Pointer(*place))
    gesture.cancel()
    assert same(document.mask, Mask.empty(H, W))


def fail(_rect: Rect) -> None:
    raise RuntimeError("the screen is full")


def test_a_stroke_that_could_not_begin_is_not_left_open() -> None:
    document = empty()
    document.on_pixels.append(fail)
    with pytest.raises(RuntimeError, match="the screen is full"):
        begun(document, Pointer(20, 20))
    assert not document.editing
    assert same(document.mask, Mask.empty(H, W))
    assert document.sequence == 0


@pytest.mark.parametrize("ending", ["release", "finish"])
def test_a_stroke_that_could_not_be_shown_to_its_end_ends_and_is_one_step(ending: str) -> None:
    document = empty()
    gesture = begun(document, Pointer(10, 10))
    gesture.move(Pointer(20, 30, straight=True))
    document.on_pixels.append(fail)
    with pytest.raises(RuntimeError, match="the screen is full"):
        gesture.release(Pointer(20, 30)) if ending == "release" else gesture.finish()
    assert gesture.over
    assert not document.editing
    assert document.history.undoable == ("Brush",)
    document.on_pixels.remove(fail)
    document.undo()
    assert same(document.mask, Mask.empty(H, W))
