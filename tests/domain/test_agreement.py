"""Agreement against plain loops over small pictures."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import agreement
from app.domain.agreement import ClassFigures, Confusion, compare, figures, moving
from app.domain.arrays import UInt8
from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.prediction import Prediction

LABELS = (0, 1, 7, 254, VOID)
sides = st.integers(1, 9)
seeds = st.integers(0, 9999)


def planes(height: int, width: int, seed: int, values: tuple[int, ...] = LABELS) -> UInt8:
    return np.random.default_rng(seed).choice(np.array(values, np.uint8), (height, width))


def said(labels: UInt8) -> Prediction:
    return Prediction(labels, np.zeros((1, 1), np.uint8), "v-1")


def plain(confusions: list[Confusion]) -> agreement.Figures:
    """The same, pixel by pixel, from the words of `Figures`."""
    pairs = [pair for each in confusions for pair, count in each.pixels.items() for _ in range(count)]
    scored = [(truth, network) for truth, network in pairs if VOID not in (truth, network)]
    right = sum(truth == network for truth, network in scored)
    predicted = [pair for pair in pairs if pair[1] != VOID]
    classes = {}
    for label in {truth for truth, _ in scored}:
        both = sum(pair == (label, label) for pair in scored)
        either = sum(label in pair for pair in scored)
        own = sum(truth == label for truth, _ in scored)
        classes[label] = ClassFigures(both / either, both / own)
    return agreement.Figures(
        len(scored),
        right / len(scored) if scored else None,
        sum(each.iou for each in classes.values()) / len(classes) if classes else None,
        right / len(predicted) if predicted else None,
        classes,
    )


def same(one: agreement.Figures, other: agreement.Figures) -> bool:
    return (
        one.pixels == other.pixels
        and (one.pixel_accuracy, one.kept) == (other.pixel_accuracy, other.kept)
        and one.miou == pytest.approx(other.miou)
        and one.classes.keys() == other.classes.keys()
        and all(one.classes[label] == pytest.approx(other.classes[label]) for label in one.classes)
    )


@given(sides, sides, seeds)
def test_every_pixel_is_counted_once(height: int, width: int, seed: int) -> None:
    truth, network = planes(height, width, seed), planes(height, width, seed + 1)
    where = planes(height, width, seed + 2, (0, 1)).astype(bool)
    expected = Counter(zip(truth.ravel().tolist(), network.ravel().tolist(), strict=True))
    assert Confusion.of(truth, network).pixels == expected
    expected = Counter(zip(truth[where].tolist(), network[where].tolist(), strict=True))
    assert Confusion.of(truth, network, where).pixels == expected


def test_strips_and_odd_memory_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, network = planes(70, 90, 1), planes(70, 90, 2)
    whole = Confusion.of(truth, network)
    assert sum(whole.pixels.values()) == truth.size
    monkeypatch.setattr(agreement, "_ROWS", 7)
    assert Confusion.of(truth, network) == whole
    assert Confusion.of(np.asfortranarray(truth), np.repeat(network, 2, 1)[:, ::2]) == whole


def test_more_pixels_of_a_kind_than_float32_can_count_are_counted() -> None:
    flat = np.full((5000, 5000), 3, np.uint8)
    flat[-1, -1] = 4
    assert Confusion.of(flat, flat).pixels == {(3, 3): 24_999_999, (4, 4): 1}


def test_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="the mask"):
        Confusion.of(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))


@given(st.lists(st.tuples(sides, sides, seeds), max_size=6), st.integers(1, 4))
def test_moving_figures_are_those_of_the_last_pictures_together(
    pictures: list[tuple[int, int, int]], window: int
) -> None:
    confusions = [Confusion.of(planes(h, w, seed), planes(h, w, seed + 1)) for h, w, seed in pictures]
    found = moving(confusions, window)
    assert len(found) == len(confusions)
    for end, each in enumerate(found, 1):
        assert same(each, plain(confusions[max(0, end - window) : end]))


def test_void_and_what_was_not_predicted_is_left_out_but_void_is_not_kept() -> None:
    truth = np.array([[0, 0, 1, VOID, 1]], np.uint8)
    network = np.array([[0, 1, 1, 1, VOID]], np.uint8)
    found = figures(Confusion.of(truth, network))
    assert (found.pixels, found.pixel_accuracy, found.kept) == (3, 2 / 3, 2 / 4)
    assert found.classes == {0: ClassFigures(1 / 2, 1 / 2), 1: ClassFigures(1 / 2, 1.0)}
    assert found.miou == 0.5


@pytest.mark.parametrize("network", [0, VOID])
def test_where_there_is_nothing_to_score_there_are_no_figures(network: int) -> None:
    truth = np.full((3, 3), VOID, np.uint8)
    found = figures(Confusion.of(truth, np.full_like(truth, network)))
    assert (found.pixels, found.pixel_accuracy, found.miou, found.classes) == (0, None, None, {})
    assert found.kept == (0.0 if network == 0 else None)


def test_a_human_pixel_is_one_that_the_review_did_not_fill() -> None:
    document = Document("a", Mask.empty(6, 8))
    network = np.zeros((6, 8), np.uint8)
    network[:, 6:] = VOID  # nothing is predicted there: the review fills it
    document.pre_annotate(said(network))
    document.begin("Brush")
    document.paint(Rect(0, 0, 3, 2), np.ones((2, 3), bool), Label(1))
    document.commit()
    document.set_reviewed(True, 2)
    mask = document.mask
    assert [int((mask.provenance == each).sum()) for each in (EMPTY, MODEL, HUMAN)] == [0, 30, 18]
    found = compare(said(network), mask, document.history.last_review)
    assert found.every.pixels == {(1, 0): 6, (0, 0): 30, (2, VOID): 12}
    assert found.human.pixels == {(1, 0): 6}
    assert compare(said(network), mask).human.pixels == {(1, 0): 6, (2, VOID): 12}
    assert (mask.provenance == HUMAN).sum() == 18
