from __future__ import annotations

import numpy as np
import pytest

from app.domain.arrays import Bool, UInt8
from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, Mask
from app.domain.tools import Gesture, Pointer, Scene, ToolSettings
from app.domain.tools.scissors import SCISSORS

from ..gestures import answer, click
from ..pictures import patchwork, same

H, W = 120, 140
CENTRE, RADIUS = (70, 60), 40
SETTINGS = ToolSettings(label=1)


def disc(radius: float = RADIUS) -> Bool:
    y, x = np.mgrid[:H, :W]
    return np.hypot(x - CENTRE[0], y - CENTRE[1]) <= radius


def picture() -> UInt8:
    rgb = np.where(disc()[:, :, None], (200, 60, 40), (40, 90, 160)).astype(np.uint8)
    rgb.flags.writeable = False
    return rgb


def at(degrees: float, radius: float = RADIUS) -> Pointer:
    turn = np.radians(degrees)
    return Pointer(CENTRE[0] + 0.5 + radius * np.cos(turn), CENTRE[1] + 0.5 + radius * np.sin(turn), reach=4)


def scene(mask: Mask | None = None) -> Scene:
    return Scene(Document("a", mask or Mask.empty(H, W)), picture())


def painted(given: Scene) -> Bool:
    return (given.document.mask.labels == 1) & (given.document.mask.provenance == HUMAN)


def overlap(one: Bool, other: Bool) -> float:
    return float((one & other).sum() / (one | other).sum())


def length(gesture: Gesture) -> int:
    return len(gesture.sketch.lines[0].points)


def test_between_two_clicks_the_line_clings_to_the_edge() -> None:
    gesture = SCISSORS.begin(scene(), at(0), SETTINGS)
    answer(gesture)
    gesture.move(at(120))
    line = gesture.sketch.lines[0].points
    distance = np.abs(np.hypot(line[:, 0] - CENTRE[0] - 0.5, line[:, 1] - CENTRE[1] - 0.5) - RADIUS)
    assert distance.max() < 3
    assert (np.abs(np.diff(line, axis=0)) <= 1).all()


@pytest.mark.parametrize("ending", ["first anchor", "confirm"])
def test_a_few_clicks_around_a_thing_cut_it_out(ending: str) -> None:
    given = scene()
    gesture = click(SCISSORS, given, SETTINGS, *(at(turn) for turn in (0, 90, 180, 270)))
    if ending == "first anchor":
        gesture.press(at(1))
    else:
        gesture.confirm()
    assert gesture.over
    assert overlap(painted(given), disc()) > 0.95
    assert given.document.history.undoable == ("Scissors",)


def test_without_the_wire_the_lines_are_straight_and_it_works_all_the_same() -> None:
    given = scene()
    gesture = SCISSORS.begin(given, at(0), SETTINGS)
    for turn in (90, 180, 270):
        gesture.press(at(turn))
        gesture.release(at(turn))
    gesture.move(at(300))
    assert length(gesture) == 5
    gesture.press(at(0))
    assert gesture.over
    diamond = np.abs(np.mgrid[:H, :W][1] - CENTRE[0]) + np.abs(np.mgrid[:H, :W][0] - CENTRE[1]) <= RADIUS
    assert overlap(painted(given), diamond) > 0.97


def test_the_wire_of_an_anchor_that_is_gone_is_ignored() -> None:
    gesture = SCISSORS.begin(scene(), at(0), SETTINGS)
    old = gesture.proposal
    assert old is not None
    wire = old.compute()
    gesture.press(at(90))
    straight = gesture.sketch.lines[0].points
    gesture.take(old, wire)
    assert np.array_equal(gesture.sketch.lines[0].points, straight)
    assert gesture.proposal is not None
    answer(gesture)
    assert gesture.proposal is None


def test_back_takes_the_last_anchor_and_its_way_and_with_the_first_all_of_it() -> None:
    given = scene()
    gesture = click(SCISSORS, given, SETTINGS, at(0), at(90))
    gesture.move(at(90))
    before = gesture.sketch
    gesture.press(at(180))
    answer(gesture)
    assert len(gesture.sketch.dots) == 3
    assert gesture.back()
    answer(gesture)
    gesture.move(at(90))
    assert gesture.sketch.dots == before.dots
    assert np.array_equal(gesture.sketch.lines[0].points, before.lines[0].points)
    assert gesture.back()
    assert gesture.back()
    assert gesture.over
    assert gesture.proposal is None
    assert gesture.sketch.lines == ()
    assert given.document.sequence == 0


def test_a_click_on_the_last_anchor_adds_none() -> None:
    gesture = click(SCISSORS, scene(), SETTINGS, at(0), at(90), at(90), at(90))
    assert len(gesture.sketch.dots) == 2


def test_with_ctrl_it_makes_empty() -> None:
    given = scene(Mask.from_labels(np.zeros((H, W), np.uint8)))
    gesture = click(SCISSORS, given, SETTINGS, *(at(turn) for turn in (0, 90, 180)))
    gesture.press(Pointer(at(270).x, at(270).y, erasing=True))
    answer(gesture)
    gesture.confirm()
    assert overlap(given.document.mask.provenance == EMPTY, disc()) > 0.95


def test_anchors_outside_the_picture_are_held_at_its_side() -> None:
    given = scene()
    gesture = click(SCISSORS, given, SETTINGS, Pointer(5, 5), Pointer(1e12, 5), Pointer(float("nan"), 1e12))
    gesture.move(Pointer(float("inf"), float("-inf")))
    assert length(gesture) < 10 * (H + W)
    gesture.confirm()
    assert gesture.over
    assert painted(given).any()


@pytest.mark.parametrize("ending", ["confirm", "finish"])
@pytest.mark.parametrize("turns", [(0,), (0, 90)])
def test_one_or_two_anchors_never_leave_it_open(ending: str, turns: tuple[int, ...]) -> None:
    given = scene()
    gesture = click(SCISSORS, given, SETTINGS, *(at(turn) for turn in turns))
    getattr(gesture, ending)()
    assert gesture.over
    assert not given.document.editing
    assert not painted(given)[~disc(RADIUS + 3)].any()


def test_begun_outside_or_without_the_picture_it_is_over() -> None:
    assert SCISSORS.begin(scene(), Pointer(-1, 5), SETTINGS).over
    gesture = SCISSORS.begin(Scene(Document("a", Mask.empty(H, W))), Pointer(5, 5), SETTINGS)
    assert gesture.over
    assert "picture" in gesture.notice


def test_cancelled_before_its_wire_is_there_it_leaves_nothing() -> None:
    given = scene(patchwork(H, W, 1))
    gesture = SCISSORS.begin(given, at(0), SETTINGS)
    proposal = gesture.proposal
    assert proposal is not None
    gesture.cancel()
    gesture.take(proposal, proposal.compute())
    assert gesture.sketch.lines == ()
    assert same(given.document.mask, patchwork(H, W, 1))
