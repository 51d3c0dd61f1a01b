"""The contract of every tool that is registered, whatever it does."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.domain.document import Document
from app.domain.history import Entry
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.tools import TOOLS, Pointer, Scene, Tool, ToolSettings

from ..gestures import answer, drive
from ..pictures import copy, patchwork, prediction, same

SETTINGS = ToolSettings(label=1, radius=3, tolerance=40, cell=8)
FAR = 1e12
CHANGING = {name: tool for name, tool in TOOLS.items() if name != "picker"}


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest) -> Tool:
    return TOOLS[request.param]


@pytest.fixture(params=CHANGING)
def changing(request: pytest.FixtureRequest) -> Tool:
    return CHANGING[request.param]


def scene(height: int = 40, width: int = 50, mask: Mask | None = None) -> Scene:
    """A picture of two halves with a dark box in it, read-only, with everything that tools may ask for."""
    rgb = np.full((height, width, 3), 200, np.uint8)
    rgb[:, width // 2 :] = (30, 160, 60)
    rgb[height // 4 : height // 2, width // 4 : width // 2] = 20
    rgb.flags.writeable = False
    if mask is None:
        mask = patchwork(height, width, 1)
        mask.labels[5:30, 8:40], mask.provenance[5:30, 8:40] = 255, EMPTY
    return Scene(Document("a", mask), rgb, prediction(height, width, 2))


def way(*places: tuple[float, float]) -> list[Pointer]:
    return [Pointer(x, y, reach=2) for x, y in places]


WAY = way((9.5, 7.5), (12, 35), (38.2, 28.9))


def test_it_is_one_step(changing: Tool) -> None:
    given = scene()
    before = copy(given.document.mask)
    gesture = drive(changing, given, SETTINGS, *WAY)
    assert gesture.over
    assert len(given.document.history.undoable) == 1
    assert given.document.history.undoable[0].startswith(changing.title)
    assert not same(given.document.mask, before)
    after = copy(given.document.mask)
    given.document.undo()
    assert same(given.document.mask, before)
    given.document.redo()
    assert same(given.document.mask, after)


def test_cancelled_at_any_moment_it_leaves_no_trace(tool: Tool) -> None:
    for moment in range(2 * len(WAY) + 2):
        given = scene()
        before, entries = copy(given.document.mask), list[Entry]()
        given.document.on_entry.append(entries.append)
        gesture = tool.begin(given, WAY[0], SETTINGS)
        things = [partial(answer, gesture)]
        for pointer in WAY[1:]:
            things += [partial(gesture.move, pointer), partial(answer, gesture)]
        things.append(partial(gesture.release, WAY[-1]))
        for act in things[:moment]:
            act()
        if gesture.over:
            break
        gesture.cancel()
        assert gesture.over
        assert gesture.sketch.lines == ()
        assert gesture.sketch.preview is None
        for act in things:
            act()
        gesture.confirm()
        gesture.finish()
        gesture.cancel()
        assert same(given.document.mask, before)
        assert (given.document.sequence, entries, given.document.editing) == (0, [], False)


def test_a_locked_class_is_never_changed(changing: Tool) -> None:
    for locked in ({0}, {1}, {2}, {255}, {0, 1, 2, 255, 256}):
        given = scene()
        before = copy(given.document.mask)
        kinds = np.where(before.provenance == EMPTY, 256, before.labels.astype(int))
        kept = np.isin(kinds, list(locked))
        drive(changing, given, replace(SETTINGS, locked=frozenset(locked)), *WAY)
        assert np.array_equal(given.document.mask.labels[kept], before.labels[kept])
        assert np.array_equal(given.document.mask.provenance[kept], before.provenance[kept])


def test_only_over_a_class_changes_nothing_else(changing: Tool) -> None:
    given = scene()
    before = copy(given.document.mask)
    others = (before.labels != 2) | (before.provenance == EMPTY)
    drive(changing, given, replace(SETTINGS, only=frozenset({2})), *WAY)
    assert np.array_equal(given.document.mask.labels[others], before.labels[others])
    assert np.array_equal(given.document.mask.provenance[others], before.provenance[others])


def test_outside_the_picture_nothing_happens(tool: Tool) -> None:
    given = scene()
    before = copy(given.document.mask)
    assert drive(tool, given, SETTINGS, *way((-50, -50), (-FAR, -20), (-FAR, FAR), (-60, -60))).over
    assert same(given.document.mask, before)
    assert given.document.sequence == 0


def test_what_it_writes_are_words_that_a_mask_knows(changing: Tool) -> None:
    given = scene()
    drive(changing, given, SETTINGS, *WAY)
    mask = given.document.mask
    assert np.isin(mask.provenance, (EMPTY, MODEL, HUMAN)).all()
    assert (mask.labels[mask.provenance == EMPTY] == 255).all()
    assert (mask.labels[mask.provenance == MODEL] < 255).all()


def test_a_change_by_others_under_way_is_never_painted_over(changing: Tool) -> None:
    """An undo, a prediction, an import between what is proposed and its answer: nothing wrong is painted."""
    given = scene()
    gesture = changing.begin(given, WAY[0], SETTINGS)
    for pointer in WAY[1:]:
        gesture.move(pointer)
    if given.document.editing:  # a stroke: the document itself keeps all others out
        gesture.cancel()
        return
    gesture.release(WAY[-1])
    proposal = gesture.proposal
    if proposal is None or gesture.over:
        return
    result = proposal.compute()
    other = patchwork(40, 50, 7)
    given.document.replace(other.labels, other.provenance, "x")
    now = copy(given.document.mask)
    gesture.changed()
    gesture.take(proposal, result)
    gesture.cancel()
    assert same(given.document.mask, now)
    assert given.document.history.undoable == ("x",)


def test_without_picture_and_prediction_it_says_why(tool: Tool) -> None:
    bare = Scene(Document("a", patchwork(40, 50, 1)))
    before = copy(bare.document.mask)
    gesture = tool.begin(bare, WAY[0], SETTINGS)
    if gesture.over and gesture.picked is None:
        assert gesture.notice
        assert same(bare.document.mask, before)
    gesture.cancel()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5000), (5000, 1), (300, 300)])
@pytest.mark.parametrize("radius", [0, 1, 40, 2000])
def test_on_pictures_of_any_shape(tool: Tool, height: int, width: int, radius: int) -> None:
    given = scene(height, width)
    before = copy(given.document.mask)
    places = way((0, 0), (width / 2, height / 2), (width + 5.5, height - 0.5), (-3, 2))
    gesture = drive(tool, given, replace(SETTINGS, radius=radius), *places)
    assert gesture.over
    while given.document.history.done:
        given.document.undo()
    assert same(given.document.mask, before)


def test_far_outside_a_large_picture_it_takes_no_more_memory_than_the_picture(tool: Tool) -> None:
    given = scene(400, 600, Mask.empty(400, 600))
    tracemalloc.start()
    drive(tool, given, replace(SETTINGS, radius=2000), *way((300, 200), (FAR, -FAR), (-FAR, 200), (300, FAR)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * given.document.mask.labels.size


def test_grey_pictures_are_pictures(changing: Tool) -> None:
    flat = Scene(Document("a", patchwork(40, 50, 1)), np.full((40, 50, 3), 128, np.uint8), prediction(40, 50, 2))
    before = copy(flat.document.mask)
    assert drive(changing, flat, SETTINGS, *WAY).over
    flat.document.undo()
    assert same(flat.document.mask, before)


def test_titles_are_told_apart() -> None:
    assert len({tool.title for tool in TOOLS.values()}) == len(TOOLS)
