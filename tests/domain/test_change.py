"""A change against plain numpy: what it writes, that it is undone to the byte, and that it never fits another mask."""

from __future__ import annotations

from unittest.mock import patch as replaced

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.arrays import Bool
from app.domain.change import Change
from app.domain.document import Document, EditUnderWay, StaleChange
from app.domain.geometry import Rect
from app.domain.guard import UNPAINTED, Guard
from app.domain.history import Entry
from app.domain.ink import Accepted, Ink, Label, Nothing, Restored
from app.domain.mask import Mask

from .pictures import copy, patchwork, prediction, same
from .test_guard import allowed, guards

H, W = 21, 33
SAID = prediction(H, W, 5)
ALL = np.ones((H, W), bool)

inks = st.sampled_from([Label(1), Label(255), Nothing(), Restored(SAID), Restored(SAID, final=True), Accepted()])
rects = st.builds(Rect, st.integers(-5, W), st.integers(-5, H), st.integers(0, W + 9), st.integers(0, H + 9))
seeds = st.integers(0, 99)


def put(mask: Mask, rect: Rect, marked: Bool, ink: Ink, guard: Guard) -> Mask:
    """The whole mask with ink on it, pixel by pixel."""
    where = np.zeros((H, W), bool)
    for y, x in np.ndindex(H, W):
        if 0 <= y - rect.y < rect.height and 0 <= x - rect.x < rect.width:
            where[y, x] = marked[y - rect.y, x - rect.x]
    new = copy(mask)
    ink.put(Rect(0, 0, W, H), new.labels, new.provenance, where & allowed(guard, mask))
    return new


def differing(one: Mask, other: Mask) -> Bool:
    return (one.labels != other.labels) | (one.provenance != other.provenance)


@given(rects, inks, guards, seeds, st.sampled_from([4, 9, 256]))
def test_painting_is_what_the_ink_does_there(rect: Rect, ink: Ink, guard: Guard, seed: int, tile: int) -> None:
    document = Document("a", patchwork(H, W, seed))
    before = copy(document.mask)
    marked = np.random.default_rng(seed).random((rect.height, rect.width)) < 0.7
    expected = put(before, rect, marked, ink, guard)
    with replaced("app.domain.change.TILE", tile):
        change = Change.painting(document.mask, rect, marked, ink, guard)
    assert same(document.mask, before)
    if change is None:
        assert same(expected, before)
        return
    differs = np.zeros((H, W), bool)
    differs[change.rect.slices] = change.marked
    assert np.array_equal(differs, differing(before, expected))
    document.make(change, "Try", document.revision)
    assert same(document.mask, expected)
    document.undo()
    assert same(document.mask, before)
    document.redo()
    assert same(document.mask, expected)


@given(seeds, seeds, rects)
def test_between_two_planes_it_is_one_step_there_and_back(seed: int, other: int, rect: Rect) -> None:
    rect = rect.clipped(W, H)
    document, new = Document("a", patchwork(H, W, seed)), patchwork(H, W, other)
    before = copy(document.mask)
    change = Change.between(document.mask, rect, new.labels[rect.slices], new.provenance[rect.slices])
    expected = copy(before)
    expected.labels[rect.slices] = new.labels[rect.slices]
    expected.provenance[rect.slices] = new.provenance[rect.slices]
    if change is None:
        assert same(before, expected)
        return
    entry = document.make(change, "Import", 0)
    assert (entry.name, document.history.undoable) == ("Import", ("Import",))
    assert same(document.mask, expected)
    document.undo()
    assert same(document.mask, before)


def test_without_effect_it_is_none() -> None:
    mask = patchwork(H, W, 1)
    assert Change.between(mask, Rect(0, 0, W, H), mask.labels, mask.provenance) is None
    assert Change.painting(mask, Rect(0, 0, W, H), ~ALL, Label(1)) is None
    assert Change.painting(mask, Rect(-W, 0, W, H), ALL, Label(1)) is None
    assert Change.painting(mask, Rect(0, 0, W, H), ALL, Nothing(), Guard(only=frozenset())) is None


def test_the_patch_is_as_small_as_that_of_a_stroke() -> None:
    far = Document("a", Mask.empty(600, 700))
    marked = np.zeros((600, 700), bool)
    marked[3, 4] = marked[590, 690] = True
    change = Change.painting(far.mask, Rect(0, 0, 700, 600), marked, Label(1))
    far.begin("Brush")
    far.paint(Rect(0, 0, 700, 600), marked, Label(1))
    entry = far.commit()
    assert change is not None
    assert entry is not None
    assert change.patch == entry.patch


def made() -> tuple[Document, Change, list[object]]:
    """A document, a change of it, and all that its listeners hear."""
    document, heard = Document("a", patchwork(H, W, 1)), list[object]()
    document.on_entry.append(heard.append)
    document.on_pixels.append(heard.append)
    change = Change.painting(document.mask, Rect(2, 3, 9, 8), np.ones((8, 9), bool), Label(77))
    assert change is not None
    return document, change, heard


def test_listeners_hear_of_it_once() -> None:
    document, change, heard = made()
    entry = document.make(change, "Wand", 0)
    assert heard == [entry, change.patch.rect]
    assert isinstance(entry, Entry)
    assert document.revision == 1


def test_on_a_mask_that_has_changed_it_does_nothing() -> None:
    document, change, heard = made()
    document.clear()
    before = copy(document.mask)
    heard.clear()
    with pytest.raises(StaleChange, match="Wand"):
        document.make(change, "Wand", 0)
    assert same(document.mask, before)
    assert heard == []
    assert document.history.undoable == ("Clear",)


def test_undone_and_cancelled_changes_count_too() -> None:
    document, change, _ = made()
    document.clear()
    document.undo()
    with pytest.raises(StaleChange):
        document.make(change, "Wand", 0)
    revision = document.revision
    document.begin("Brush")
    document.paint(Rect(0, 0, 1, 1), np.ones((1, 1), bool), Label(9))
    document.cancel()
    with pytest.raises(StaleChange):
        document.make(change, "Wand", revision)


def test_in_the_middle_of_a_stroke_it_does_nothing() -> None:
    document, change, heard = made()
    document.begin("Brush")
    before = copy(document.mask)
    with pytest.raises(EditUnderWay, match="Wand"):
        document.make(change, "Wand", document.revision)
    assert same(document.mask, before)
    assert heard == []
    assert document.commit() is None


def test_it_keeps_what_is_forbidden() -> None:
    mask = patchwork(H, W, 4)
    guard = Guard(frozenset({1, UNPAINTED}))
    change = Change.painting(mask, Rect(0, 0, W, H), ALL, Label(2), guard)
    assert change is not None
    assert not change.marked[~allowed(guard, mask)].any()
