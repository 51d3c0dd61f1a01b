from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.domain.arrays import Bool, UInt8
from app.domain.document import Document
from app.domain.mask import HUMAN, Mask
from app.domain.tools import Gesture, Pointer, Scene, ToolSettings
from app.domain.tools.cut_out import CUT_OUT, FOUND_NOTHING

from ..gestures import answer, drag
from ..pictures import copy, same

H, W = 120, 160
SETTINGS = ToolSettings(label=5)


def disc(x: int, y: int, radius: int = 20) -> Bool:
    rows, columns = np.mgrid[:H, :W]
    return np.hypot(columns - x, rows - y) <= radius


LEFT, RIGHT = disc(45, 60), disc(115, 60)


def picture() -> UInt8:
    rng = np.random.default_rng(3)
    rgb = np.where((LEFT | RIGHT)[:, :, None], (190, 60, 40), (60, 120, 70)) + rng.normal(0, 6, (H, W, 3))
    rgb = np.clip(rgb, 0, 255).astype(np.uint8)
    rgb.flags.writeable = False
    return rgb


RGB = picture()


def scene(mask: Mask | None = None) -> Scene:
    return Scene(Document("a", mask or Mask.empty(H, W)), RGB)


def box(given: Scene, settings: ToolSettings = SETTINGS) -> Gesture:
    """A box around the left disc, and its answer."""
    return drag(CUT_OUT, given, settings, Pointer(18, 33), Pointer(74, 88))


def again(gesture: Gesture, start: Pointer, end: Pointer) -> None:
    gesture.press(start)
    gesture.move(end)
    gesture.release(end)


def painted(given: Scene) -> Bool:
    return (given.document.mask.labels == 5) & (given.document.mask.provenance == HUMAN)


def overlap(one: Bool, other: Bool) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("meant", ["Enter", "click inside"])
def test_a_box_around_a_thing_finds_it(meant: str) -> None:
    given = scene()
    gesture = box(given)
    assert gesture.sketch.preview is not None
    assert given.document.sequence == 0
    if meant == "Enter":
        gesture.confirm()
    else:
        gesture.press(Pointer(45, 60))
        gesture.release(Pointer(45, 60))
    assert gesture.over
    assert overlap(painted(given), LEFT) > 0.95
    assert given.document.history.undoable == ("Cut out",)


def test_the_box_is_shown_while_it_is_drawn_and_until_the_answer() -> None:
    gesture = CUT_OUT.begin(scene(), Pointer(18, 33), SETTINGS)
    gesture.move(Pointer(74.9, 88.9))
    assert np.array_equal(gesture.sketch.lines[0].points, [(18, 33), (75, 33), (75, 89), (18, 89)])
    gesture.release(Pointer(74.9, 88.9))
    gesture.move(Pointer(10, 10))
    assert np.array_equal(gesture.sketch.lines[0].points, [(18, 33), (75, 33), (75, 89), (18, 89)])
    answer(gesture)
    assert gesture.sketch.lines == ()


def test_another_box_takes_the_place_of_the_first() -> None:
    given = scene()
    gesture = box(given)
    again(gesture, Pointer(88, 33), Pointer(144, 88))
    assert gesture.sketch.preview is None
    answer(gesture)
    gesture.confirm()
    assert overlap(painted(given), RIGHT) > 0.95
    assert len(given.document.history.undoable) == 1


def test_a_yes_that_came_too_early_is_a_yes_to_that_box_only() -> None:
    given = scene()
    gesture = CUT_OUT.begin(given, Pointer(18, 33), SETTINGS)
    gesture.release(Pointer(74, 88))
    gesture.confirm()
    assert not gesture.over
    again(gesture, Pointer(88, 33), Pointer(144, 88))
    answer(gesture)
    assert not gesture.over
    assert given.document.sequence == 0
    assert gesture.sketch.preview is not None


def test_a_yes_before_the_answer_is_kept_until_it_comes() -> None:
    given = scene()
    gesture = CUT_OUT.begin(given, Pointer(18, 33), SETTINGS)
    gesture.release(Pointer(74, 88))
    gesture.confirm()
    answer(gesture)
    assert gesture.over
    assert overlap(painted(given), LEFT) > 0.95


def test_the_answer_to_a_box_that_is_gone_is_ignored() -> None:
    gesture = CUT_OUT.begin(scene(), Pointer(18, 33), SETTINGS)
    gesture.release(Pointer(74, 88))
    old = gesture.proposal
    assert old is not None
    result = old.compute()
    gesture.press(Pointer(88, 33))
    gesture.take(old, result)
    assert gesture.sketch.preview is None


@pytest.mark.parametrize("end", [(18, 33), (19, 33.4), (18, 90), (-40, -40)])
def test_a_click_or_a_line_is_no_box(end: tuple[float, float]) -> None:
    given = scene()
    start = Pointer(18, 33) if end[0] >= 0 else Pointer(-2, -2)
    gesture = drag(CUT_OUT, given, SETTINGS, start, Pointer(*end))
    assert gesture.over
    assert gesture.proposal is None
    assert given.document.sequence == 0


def test_a_click_outside_what_is_shown_dismisses_it() -> None:
    given = scene()
    gesture = box(given)
    again(gesture, Pointer(100, 10), Pointer(100, 10))
    assert gesture.over
    assert gesture.sketch.preview is None
    assert given.document.sequence == 0


def test_what_ends_it_from_outside_drops_what_was_only_proposed() -> None:
    given = scene()
    gesture = box(given)
    gesture.finish()
    assert gesture.over
    assert given.document.sequence == 0


def test_a_box_may_reach_out_of_the_picture() -> None:
    given = scene()
    gesture = drag(CUT_OUT, given, SETTINGS, Pointer(-1e12, -1e12), Pointer(80, 1e12))
    gesture.confirm()
    assert overlap(painted(given), LEFT) > 0.95


@pytest.mark.parametrize("label", [5, 255])
def test_what_the_person_has_painted_is_obeyed(label: int) -> None:
    """A part of the thing is said to be of another class, another part to be of this one."""
    mask = Mask.empty(H, W)
    mask.labels[64:70, 40:50], mask.provenance[64:70, 40:50] = 1, HUMAN
    mask.labels[48:52, 40:50], mask.provenance[48:52, 40:50] = label, HUMAN
    given = scene(copy(mask))
    box(given, replace(SETTINGS, label=label)).confirm()
    now = given.document.mask
    assert (now.labels[64:70, 40:50] == 1).all()
    found = (now.labels == label) & (now.provenance == HUMAN)
    found[64:70, 40:50] = True
    assert overlap(found, LEFT) > 0.9


def test_a_model_s_pixels_are_no_hint() -> None:
    given, other = scene(), scene(Mask.from_labels(np.full((H, W), 1, np.uint8), 1))
    for each in (given, other):
        box(each).confirm()
    assert np.array_equal(painted(given), painted(other))


def test_taken_back_before_or_after_the_answer_it_is_gone() -> None:
    for answered in (False, True):
        given = scene()
        gesture = CUT_OUT.begin(given, Pointer(18, 33), SETTINGS)
        gesture.release(Pointer(74, 88))
        asked = gesture.proposal
        assert asked is not None
        if answered:
            answer(gesture)
        assert gesture.back()
        assert gesture.over
        gesture.take(asked, asked.compute())
        assert gesture.sketch.preview is None
        assert given.document.sequence == 0


def test_where_nothing_is_found_it_says_so() -> None:
    given = scene(Mask.from_labels(np.full((H, W), 1, np.uint8)))
    before = copy(given.document.mask)
    gesture = box(given)
    assert gesture.sketch.preview is None
    assert gesture.over
    assert gesture.notice == FOUND_NOTHING
    assert same(given.document.mask, before)
