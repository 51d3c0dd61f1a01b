"""Each action against the plainest definition of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import Gesture, Pointer, Scene, ToolSettings
from app.domain.tools.region import REGION

from ..gestures import answer, click
from ..pictures import copy, patchwork, same

H, W = 24, 31
Action = Literal["class", "fill holes", "grow", "shrink", "smooth", "delete"]
ACTIONS: tuple[Action, ...] = ("class", "fill holes", "grow", "shrink", "smooth", "delete")


def settings(action: Action, amount: int = 2) -> ToolSettings:
    return ToolSettings(label=7, action=action, amount=amount)


def kinds(mask: Mask) -> np.ndarray:
    """The label, and -1 where nobody has said anything."""
    return np.where(mask.provenance == EMPTY, -1, mask.labels.astype(int))


def poured(free: Bool, start: tuple[int, int]) -> Bool:
    """What is reached from a pixel (x, y) across edges of pixels."""
    reached, todo = np.zeros(free.shape, bool), [start]
    while todo:
        x, y = todo.pop()
        if 0 <= x < free.shape[1] and 0 <= y < free.shape[0] and free[y, x] and not reached[y, x]:
            reached[y, x] = True
            todo += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
    return reached


def near(marked: Bool, pixels: float) -> Bool:
    """All that is at most so far from a marked pixel."""
    rows, columns = np.mgrid[: marked.shape[0], : marked.shape[1]]
    out = np.zeros_like(marked)
    for y, x in np.argwhere(marked):
        out |= np.hypot(columns - x, rows - y) <= pixels
    return out


def smooth(marked: Bool, radius: int) -> Bool:
    """Where most of the disc around a pixel is marked, as far as it lies in the picture; a tie changes nothing."""
    out = marked.copy()
    for y, x in np.ndindex(*marked.shape):
        one = np.zeros_like(marked)
        one[y, x] = True
        votes = marked[near(one, radius)]
        if 2 * votes.sum() != votes.size:
            out[y, x] = 2 * votes.sum() > votes.size
    return out


def holes(region: Bool) -> Bool:
    around = np.pad(~region, 1, constant_values=True)
    return ~region & ~poured(around, (0, 0))[1:-1, 1:-1]


def expected(mask: Mask, place: tuple[int, int], action: Action, amount: int) -> Mask:
    new, kind = copy(mask), kinds(mask)
    region = poured(kind == kind[place[1], place[0]], place)
    label = mask.labels[place[1], place[0]]
    if action in ("class", "delete"):
        new.labels[region], new.provenance[region] = (7, HUMAN) if action == "class" else (255, EMPTY)
        return new
    after = {
        "fill holes": lambda: region | holes(region),
        "grow": lambda: near(region, amount),
        "shrink": lambda: region & ~near(~region, amount),
        "smooth": lambda: smooth(region, amount),
    }[action]()
    lost, gained = region & ~after, after & ~region
    new.labels[lost], new.provenance[lost] = 255, EMPTY
    new.labels[gained], new.provenance[gained] = label, HUMAN
    return new


def blob(seed: int) -> Mask:
    """A mask with a large ragged region with holes in the middle."""
    mask = patchwork(H, W, seed)
    rng = np.random.default_rng(seed)
    mask.labels[4:20, 5:26], mask.provenance[4:20, 5:26] = 2, rng.integers(1, 3)
    for _ in range(25):
        y, x = rng.integers(0, H - 2), rng.integers(0, W - 2)
        mask.labels[y : y + 2, x : x + 2], mask.provenance[y : y + 2, x : x + 2] = rng.integers(0, 2), HUMAN
    mask.labels[12, 15], mask.provenance[12, 15] = 2, HUMAN
    return mask


def act(mask: Mask, place: tuple[int, int], given: ToolSettings) -> tuple[Document, Gesture]:
    document = Document("a", copy(mask))
    return document, click(REGION, Scene(document), given, Pointer(place[0] + 0.5, place[1] + 0.5))


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("amount", [0, 1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_it_does_what_it_says(action: Action, amount: int, seed: int) -> None:
    mask = blob(seed)
    document, gesture = act(mask, (15, 12), settings(action, amount))
    assert gesture.over
    wanted = expected(mask, (15, 12), action, amount)
    assert same(document.mask, wanted)
    assert document.history.undoable == (() if same(wanted, mask) else (f"Region: {action}",))


@pytest.mark.parametrize("action", ACTIONS)
def test_what_it_keeps_it_keeps_whoever_said_it(action: Action) -> None:
    """A region of a model's pixels with a hole: only the filled, grown or smoothed pixels are the person's word."""
    mask = Mask.from_labels(np.zeros((H, W), np.uint8), 1)
    mask.labels[5:20, 5:20] = 2
    mask.labels[10:12, 10:12] = 0
    document, _ = act(mask, (6, 6), settings(action))
    kept = (document.mask.labels == mask.labels) & (document.mask.provenance != EMPTY)
    assert kept.any()
    assert np.array_equal(document.mask.provenance[kept], mask.provenance[kept])


def test_void_is_a_region_and_grows() -> None:
    mask = Mask.empty(H, W)
    mask.provenance[10:14, 10:14] = HUMAN
    document, _ = act(mask, (11, 11), settings("grow", 1))
    assert np.array_equal(document.mask.provenance == HUMAN, near(mask.provenance == HUMAN, 1))
    assert (document.mask.labels == 255).all()


@pytest.mark.parametrize("action", ACTIONS)
def test_where_nobody_has_said_anything_there_is_only_a_class_to_give(action: Action) -> None:
    mask = Mask.empty(H, W)
    mask.labels[:, 10:14], mask.provenance[:, 10:14] = 2, HUMAN
    document, gesture = act(mask, (3, 3), settings(action))
    if action == "class":
        assert np.array_equal(document.mask.labels == 7, np.indices((H, W))[1] < 10)
    else:
        assert gesture.notice
        assert document.sequence == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_it_neither_gains_nor_loses_what_is_locked(action: Action) -> None:
    mask = blob(1)
    for locked in ({0, 1}, {2}, {256}):
        document, _ = act(mask, (15, 12), replace(settings(action), locked=frozenset(locked)))
        kept = np.isin(np.where(mask.provenance == EMPTY, 256, mask.labels.astype(int)), list(locked))
        assert np.array_equal(document.mask.labels[kept], mask.labels[kept])
        assert np.array_equal(document.mask.provenance[kept], mask.provenance[kept])


@pytest.mark.parametrize("action", ACTIONS)
def test_on_one_pixel(action: Action) -> None:
    document, gesture = act(Mask.from_labels(np.zeros((1, 1), np.uint8)), (0, 0), settings(action, 2000))
    assert gesture.over
    assert document.mask.labels[0, 0] == {"class": 7, "delete": 255}.get(action, 0)


def test_an_answer_that_comes_late_is_dropped() -> None:
    document = Document("a", blob(1))
    gesture = REGION.begin(Scene(document), Pointer(15.5, 12.5), settings("delete"))
    proposal = gesture.proposal
    assert proposal is not None
    result = proposal.compute()
    document.begin("Brush")
    document.cancel()
    gesture.take(proposal, result)
    assert gesture.over
    assert document.history.undoable == ("Region: delete",)
    document.undo()
    late = REGION.begin(Scene(document), Pointer(15.5, 12.5), settings("delete"))
    document.clear()
    late.changed()
    answer(late)
    assert late.notice
    assert document.history.undoable == ("Clear",)


@pytest.mark.parametrize("place", [(-1, 5), (5, H), (W, 5)])
def test_outside_the_picture_nothing_happens(place: tuple[int, int]) -> None:
    document, gesture = act(blob(1), place, settings("class"))
    assert gesture.over
    assert document.sequence == 0
