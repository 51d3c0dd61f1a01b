from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.domain.arrays import Bool
from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.tools import Pointer, Scene, ToolSettings
from app.domain.tools.fill import FILL
from app.domain.tools.proposing import NO_CHANGE, STALE

from ..gestures import answer, click
from ..pictures import copy, same

H, W = 30, 60
SETTINGS = ToolSettings(label=3, tolerance=4)


def scene(mask: Mask | None = None) -> Scene:
    """A ramp of 2 a column on the left, black on the right, with a white wall in between."""
    rgb = np.zeros((H, W, 3), np.uint8)
    rgb[:, :30] = (2 * np.arange(30))[None, :, None]
    rgb[:, 30:33] = 255
    rgb.flags.writeable = False
    return Scene(Document("a", mask or Mask.empty(H, W)), rgb)


def columns(first: int, stop: int) -> Bool:
    out = np.zeros((H, W), bool)
    out[:, first:stop] = True
    return out


def painted(given: Scene) -> Bool:
    return (given.document.mask.labels == 3) & (given.document.mask.provenance == HUMAN)


@pytest.mark.parametrize(("x", "first", "stop"), [(3, 0, 30), (31, 30, 33), (50, 33, 60)])
def test_it_spreads_over_what_looks_alike_and_follows_a_slow_ramp(x: int, first: int, stop: int) -> None:
    given = scene()
    assert click(FILL, given, SETTINGS, Pointer(x, 10)).over
    assert np.array_equal(painted(given), columns(first, stop))
    assert given.document.history.undoable == ("Fill",)


def test_the_tolerance_is_that_from_a_pixel_to_the_next() -> None:
    for tolerance, stop in ((0, 1), (1, 1), (2, 30), (196, 30), (197, 33), (254, 33), (255, 60)):
        given = scene()
        click(FILL, given, replace(SETTINGS, tolerance=tolerance), Pointer(0, 10))
        assert np.array_equal(painted(given), columns(0, stop)), tolerance


def test_over_the_mask_it_follows_what_is_said_and_needs_no_picture() -> None:
    mask = Mask.empty(H, W)
    mask.labels[:, 10:20], mask.provenance[:, 10:20] = 7, HUMAN
    mask.provenance[:15, 10:20] = MODEL
    mask.labels[5:9, 30:40], mask.provenance[5:9, 30:40] = 255, HUMAN
    settings = replace(SETTINGS, source="mask")
    for x, y, expected in ((12, 3, columns(10, 20)), (2, 2, columns(0, 10)), (50, 2, columns(20, 60))):
        given = Scene(Document("a", copy(mask)))
        click(FILL, given, settings, Pointer(x, y))
        void = (mask.labels == 255) & (mask.provenance == HUMAN)
        assert np.array_equal(painted(given), expected & ~void)


def test_nothing_is_written_before_it_is_worked_out() -> None:
    given = scene()
    gesture = FILL.begin(given, Pointer(3, 10), SETTINGS)
    gesture.release(Pointer(40, 20))
    assert not gesture.over
    assert given.document.sequence == 0
    answer(gesture)
    assert gesture.over
    assert np.array_equal(painted(given), columns(0, 30))


def test_an_old_answer_to_a_mask_that_has_changed_is_dropped_and_said() -> None:
    given = scene()
    gesture = FILL.begin(given, Pointer(3, 10), SETTINGS)
    proposal = gesture.proposal
    assert proposal is not None
    result = proposal.compute()
    given.document.set_reviewed(True, 0)
    before = copy(given.document.mask)
    gesture.take(proposal, result)
    assert gesture.over
    assert gesture.notice == STALE
    assert same(given.document.mask, before)


def test_where_it_already_is_that_class_it_is_no_step() -> None:
    given = scene(Mask.from_labels(np.full((H, W), 3, np.uint8)))
    gesture = click(FILL, given, SETTINGS, Pointer(3, 10))
    assert gesture.over
    assert gesture.notice == NO_CHANGE
    assert given.document.sequence == 0


def test_void_is_filled_too() -> None:
    given = scene()
    click(FILL, given, replace(SETTINGS, label=255), Pointer(3, 10))
    void = (given.document.mask.labels == 255) & (given.document.mask.provenance != EMPTY)
    assert np.array_equal(void, columns(0, 30))


@pytest.mark.parametrize("place", [(-0.1, 5), (5, -0.1), (W, 5), (5, H), (float("nan"), 5), (1e12, 1e12)])
def test_outside_the_picture_there_is_nothing_to_fill(place: tuple[float, float]) -> None:
    given = scene()
    gesture = FILL.begin(given, Pointer(*place), SETTINGS)
    assert gesture.over
    assert gesture.proposal is None
