from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.mask import HUMAN, Mask
from app.domain.tools import Gesture, Pointer, Scene, ToolSettings
from app.domain.tools.proposing import STALE
from app.domain.tools.wand import STEP, WAND

from ..gestures import answer, drag
from ..pictures import copy, same

H, W = 20, 256
SETTINGS = ToolSettings(label=2, tolerance=10)
REACH = 4.0


def scene() -> Scene:
    """As bright as its column says."""
    rgb = np.repeat(np.repeat(np.arange(W, dtype=np.uint8)[None, :, None], H, axis=0), 3, axis=2)
    rgb.flags.writeable = False
    return Scene(Document("a", Mask.empty(H, W)), rgb)


def pointer(x: float) -> Pointer:
    return Pointer(x, 10, reach=REACH)


def further(more: int) -> Pointer:
    """Where a drag from column 100 asks for so much more tolerance."""
    return pointer(100 + more * REACH * STEP)


def columns(tolerance: int) -> Bool:
    out = np.zeros((H, W), bool)
    out[:, max(0, 100 - tolerance) : 100 + tolerance + 1] = True
    return out


def shown(gesture: Gesture) -> Bool:
    preview, out = gesture.sketch.preview, np.zeros((H, W), bool)
    assert preview is not None
    assert preview.label == 2
    out[preview.rect.slices] = preview.marked
    return out


def painted(given: Scene) -> Bool:
    return (given.document.mask.labels == 2) & (given.document.mask.provenance == HUMAN)


def test_a_click_takes_what_is_within_the_tolerance() -> None:
    given = scene()
    assert drag(WAND, given, SETTINGS, pointer(100)).over
    assert np.array_equal(painted(given), columns(10))
    assert given.document.history.undoable == ("Magic wand",)


def test_a_drag_changes_the_tolerance_and_the_preview_is_what_is_painted() -> None:
    given = scene()
    gesture = WAND.begin(given, pointer(100), SETTINGS)
    for more in (0, 5, 40, -3, 12):
        gesture.move(further(more))
        answer(gesture)
        assert np.array_equal(shown(gesture), columns(10 + more))
        assert given.document.sequence == 0
    gesture.release(further(12))
    assert gesture.over
    assert gesture.sketch.preview is None
    assert np.array_equal(painted(given), columns(22))


def test_the_tolerance_stays_between_nothing_and_everything() -> None:
    for place, tolerance in ((further(-11), 0), (pointer(-1e12), 0), (pointer(1e12), 255), (pointer(float("nan")), 0)):
        given = scene()
        drag(WAND, given, SETTINGS, pointer(100), place)
        assert np.array_equal(painted(given), columns(tolerance))
    given = scene()
    drag(WAND, given, replace(SETTINGS, tolerance=255), pointer(100), further(3))
    assert painted(given).all()


def test_without_an_aim_it_still_works() -> None:
    given = scene()
    drag(WAND, given, SETTINGS, Pointer(100, 10), Pointer(100, 12))
    assert np.array_equal(painted(given), columns(10))


def test_a_small_move_asks_for_nothing_new() -> None:
    gesture = WAND.begin(scene(), pointer(100), SETTINGS)
    asked = gesture.proposal
    gesture.move(pointer(100 + 0.4 * REACH * STEP))
    assert gesture.proposal is asked


def test_the_newest_question_wins_and_old_answers_are_ignored() -> None:
    given = scene()
    gesture = WAND.begin(given, pointer(100), SETTINGS)
    asked = [gesture.proposal]
    for more in (5, 9):
        gesture.move(further(more))
        asked.append(gesture.proposal)
    gesture.release(further(9))
    assert not gesture.over
    for proposal in asked[:-1]:
        assert proposal is not None
        gesture.take(proposal, proposal.compute())
    assert not gesture.over
    assert gesture.sketch.preview is None
    answer(gesture)
    assert gesture.over
    assert np.array_equal(painted(given), columns(19))


def test_let_go_it_no_longer_follows_the_pointer() -> None:
    given = scene()
    gesture = WAND.begin(given, pointer(100), SETTINGS)
    gesture.release(pointer(100))
    gesture.move(further(50))
    answer(gesture)
    assert np.array_equal(painted(given), columns(10))


def test_when_the_mask_changes_it_says_so_and_paints_nothing() -> None:
    given = scene()
    gesture = WAND.begin(given, pointer(100), SETTINGS)
    answer(gesture)
    given.document.set_reviewed(True, 0)
    before = copy(given.document.mask)
    gesture.changed()
    gesture.release(further(5))
    assert gesture.over
    assert gesture.notice == STALE
    assert gesture.sketch.preview is None
    assert same(given.document.mask, before)
