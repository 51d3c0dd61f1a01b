from __future__ import annotations

import numpy as np
import pytest

from app.domain.arrays import Bool
from app.domain.geometry import Rect
from app.domain.ink import Accepted, Ink, Label, Nothing, Restored
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask

from .pictures import copy, patchwork, prediction, same

SAID = prediction(20, 30, 5)
RECT = Rect(4, 3, 15, 11)
INKS = [Label(2), Label(255), Nothing(), Restored(SAID), Restored(SAID, final=True), Accepted()]


def some() -> Bool:
    return np.random.default_rng(1).random((RECT.height, RECT.width)) < 0.6


def put(ink: Ink, where: Bool) -> tuple[Mask, Mask, Bool]:
    """A mask before and after, and where on all of it the ink was put."""
    mask = patchwork(20, 30, 2)
    before = copy(mask)
    ink.put(RECT, mask.labels[RECT.slices], mask.provenance[RECT.slices], where)
    everywhere = np.zeros((20, 30), bool)
    everywhere[RECT.slices] = where
    return before, mask, everywhere


@pytest.mark.parametrize("ink", INKS)
def test_it_writes_only_where_it_is_put(ink: Ink) -> None:
    before, after, where = put(ink, some())
    assert np.array_equal(after.labels[~where], before.labels[~where])
    assert np.array_equal(after.provenance[~where], before.provenance[~where])
    assert not same(after, before)


@pytest.mark.parametrize("ink", INKS)
def test_put_nowhere_it_does_nothing(ink: Ink) -> None:
    before, after, _ = put(ink, np.zeros((RECT.height, RECT.width), bool))
    assert same(after, before)


@pytest.mark.parametrize("ink", INKS)
def test_what_it_leaves_is_a_mask(ink: Ink) -> None:
    _, after, _ = put(ink, some())
    assert (after.labels[after.provenance == EMPTY] == 255).all()
    assert (after.labels[after.provenance == MODEL] < 255).all()


@pytest.mark.parametrize("ink", INKS)
def test_put_twice_it_does_as_put_once(ink: Ink) -> None:
    _, once, _ = put(ink, some())
    twice = copy(once)
    ink.put(RECT, twice.labels[RECT.slices], twice.provenance[RECT.slices], some())
    assert same(twice, once)


@pytest.mark.parametrize("label", [0, 254, 255])
def test_a_label_is_a_person_s_word(label: int) -> None:
    _, after, where = put(Label(label), some())
    assert (after.labels[where] == label).all()
    assert (after.provenance[where] == HUMAN).all()


def test_nothing_makes_empty() -> None:
    _, after, where = put(Nothing(), some())
    assert (after.labels[where] == 255).all()
    assert (after.provenance[where] == EMPTY).all()


def test_restored_is_what_the_network_said_and_that_it_was_the_network() -> None:
    _, after, where = put(Restored(SAID), some())
    assert np.array_equal(after.labels[where], SAID.labels[where])
    assert np.array_equal(after.provenance[where], np.where(SAID.labels == 255, EMPTY, MODEL)[where])
    assert (SAID.labels[where] == 255).any()


def test_restored_for_good_it_is_the_person_s_word_and_what_it_does_not_know_stays() -> None:
    before, after, where = put(Restored(SAID, final=True), some())
    known = where & (SAID.labels != 255)
    assert np.array_equal(after.labels, np.where(known, SAID.labels, before.labels))
    assert np.array_equal(after.provenance, np.where(known, HUMAN, before.provenance))


def test_accepted_touches_a_model_s_pixels_only_and_keeps_their_class() -> None:
    before, after, where = put(Accepted(), some())
    assert np.array_equal(after.labels, before.labels)
    assert np.array_equal(after.provenance, np.where(where & (before.provenance == MODEL), HUMAN, before.provenance))
