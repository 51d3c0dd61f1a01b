"""The contract of every tool that is registered, and what the round brushes add to it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from app.domain.document import Document
from app.domain.history import Entry
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import TOOLS, Pointer, Tool, ToolSettings

from .pictures import copy, patchwork, same, within

BRUSHES = {"brush": (1, HUMAN), "eraser": (255, EMPTY), "void_brush": (255, HUMAN)}
SETTINGS = ToolSettings(label=1, radius=3)
FAR = 1e12


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest) -> Tool:
    return TOOLS[request.param]


def drag(tool: Tool, document: Document, *way: tuple[float, float], radius: int = 3) -> Entry | None:
    settings = ToolSettings(1, radius)
    pointers = [Pointer(x, y) for x, y in way]
    tool.press(document, pointers[0], settings)
    for pointer in pointers[1:]:
        tool.move(document, pointer, settings)
    return tool.release(document, pointers[-1], settings)


# Every tool


def test_a_drag_is_one_step_named_after_the_tool(tool: Tool) -> None:
    document = Document("a", patchwork(40, 50, 1))
    before = copy(document.mask)
    entry = drag(tool, document, (10.5, 10.5), (30.2, 20.9), (12, 35))
    assert entry is not None
    assert entry.name == tool.title
    assert document.history.undoable == (tool.title,)
    after = copy(document.mask)
    document.undo()
    assert same(document.mask, before)
    document.redo()
    assert same(document.mask, after)


def test_what_is_cancelled_leaves_no_trace(tool: Tool) -> None:
    document = Document("a", patchwork(40, 50, 1))
    before, entries = copy(document.mask), list[Entry]()
    document.on_entry.append(entries.append)
    tool.press(document, Pointer(10, 10), SETTINGS)
    tool.move(document, Pointer(30, 20), SETTINGS)
    tool.cancel(document)
    assert same(document.mask, before)
    assert not document.editing
    tool.move(document, Pointer(20, 20), SETTINGS)
    assert tool.release(document, Pointer(20, 20), SETTINGS) is None
    tool.cancel(document)
    assert same(document.mask, before)
    assert (document.sequence, entries) == (0, [])


def test_outside_the_picture_nothing_happens(tool: Tool) -> None:
    document = Document("a", patchwork(40, 50, 1))
    before = copy(document.mask)
    assert drag(tool, document, (-50, -50), (-FAR, -20), (-FAR, FAR), (20, FAR)) is None
    assert same(document.mask, before)
    assert document.sequence == 0


def test_without_a_press_nothing_happens(tool: Tool) -> None:
    document = Document("a", patchwork(40, 50, 1))
    before = copy(document.mask)
    tool.move(document, Pointer(10, 10), SETTINGS)
    assert tool.release(document, Pointer(20, 20), SETTINGS) is None
    assert same(document.mask, before)


def test_a_press_before_the_release_loses_nothing(tool: Tool) -> None:
    document = Document("a", patchwork(40, 50, 1))
    tool.press(document, Pointer(10, 10), SETTINGS)
    tool.move(document, Pointer(15, 10), SETTINGS)
    drag(tool, document, (30, 30), (40, 30))
    assert document.history.undoable == (tool.title, tool.title)


def test_it_does_not_carry_on_in_another_document(tool: Tool) -> None:
    one, other = Document("a", patchwork(40, 50, 1)), Document("b", patchwork(40, 50, 2))
    before = copy(other.mask)
    tool.press(one, Pointer(10, 10), SETTINGS)
    pressed = copy(one.mask)
    other.begin("Something else")
    tool.move(other, Pointer(20, 20), SETTINGS)
    assert tool.release(other, Pointer(20, 20), SETTINGS) is None
    assert same(one.mask, pressed)
    assert same(other.mask, before)
    tool.cancel(one)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5000), (5000, 1), (300, 300)])
@pytest.mark.parametrize("radius", [0, 1, 40, 2000])
def test_on_pictures_of_any_shape(tool: Tool, height: int, width: int, radius: int) -> None:
    document = Document("a", patchwork(height, width, 1))
    before = copy(document.mask)
    drag(tool, document, (0, 0), (width / 2, height / 2), (width + 5.5, height - 0.5), (-3, 2), radius=radius)
    document.undo()
    assert same(document.mask, before)


def test_a_stroke_that_leaves_a_large_picture_takes_no_more_than_the_picture(tool: Tool) -> None:
    document = Document("a", Mask.empty(400, 600))
    tracemalloc.start()
    drag(tool, document, (300, 200), (FAR, -FAR), (-FAR, 200), (300, FAR), radius=2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * document.mask.labels.size


# Brush, eraser, void brush


@pytest.mark.parametrize("name", BRUSHES)
@pytest.mark.parametrize("radius", [0, 1, 2, 6])
def test_it_covers_exactly_the_capsules_between_the_pixels_of_the_pointer(name: str, radius: int) -> None:
    document = Document("a", patchwork(40, 50, 1))
    expected = copy(document.mask)
    way = [(-4, 10), (12, 11), (13, 30), (49, 2)]
    for start, end in zip(way[:1] + way, way, strict=False):
        covered = within(40, 50, start, end, radius or 0.5)
        expected.labels[covered], expected.provenance[covered] = BRUSHES[name]
    drag(TOOLS[name], document, *((x + 0.99, y + 0.01) for x, y in way), radius=radius)
    assert same(document.mask, expected)


def test_a_press_alone_paints_a_dab() -> None:
    document = Document("a", Mask.empty(40, 50))
    TOOLS["brush"].press(document, Pointer(20.5, 10.5), SETTINGS)
    assert np.array_equal(document.mask.labels == 1, within(40, 50, (20, 10), (20, 10), 3))
    TOOLS["brush"].cancel(document)


def test_a_stroke_keeps_the_settings_that_it_began_with() -> None:
    document = Document("a", Mask.empty(40, 50))
    TOOLS["brush"].press(document, Pointer(10, 10), SETTINGS)
    TOOLS["brush"].move(document, Pointer(20, 10), ToolSettings(label=2, radius=9))
    TOOLS["brush"].move(document, Pointer(30, 10), ToolSettings(label=2, radius=9))
    TOOLS["brush"].release(document, Pointer(30, 10), ToolSettings(label=2, radius=9))
    assert np.array_equal(document.mask.labels == 1, within(40, 50, (10, 10), (30, 10), 3))


def test_they_are_the_tools_that_there_are() -> None:
    assert set(TOOLS) >= set(BRUSHES)
    assert len({tool.title for tool in TOOLS.values()}) == len(TOOLS)
