"""The simulated annotator keeps to its rule: it gives what a slow one gives that reckons everything anew."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.footprint import capsule
from app.domain.geometry import Rect
from tests.benchmarks.annotator import ALONG, DIRECTIONS, LENGTHS, RADII, SIGHT, VOID, Annotator, Stroke

Labels = NDArray[np.uint8]


def patches(random: np.random.Generator, height: int, width: int, classes: int, cell: int = 6) -> Labels:
    """Ragged areas of some classes, and some void."""
    rows, columns = -(-height // cell), -(-width // cell)
    coarse = random.choice([*range(classes), VOID], (rows, columns), p=[0.9 / classes] * classes + [0.1])
    labels = np.kron(coarse, np.ones((cell, cell))).astype(np.uint8)[:height, :width]
    specks = random.random(labels.shape) < 0.03
    labels[specks] = random.integers(0, classes, int(specks.sum()))
    return labels


def slow_next(truth: Labels, labels: Labels, seed: int, number: int) -> Stroke | None:
    """The rule, without a thought for time."""
    random = np.random.default_rng((seed, number))
    wrong = {label: (truth == label) & (labels != label) for label in range(VOID)}
    labelled = truth != VOID
    right = (labels == truth) & labelled
    nearly = right.sum() >= 0.95 * labelled.sum()
    lacking = [
        label
        for label in range(VOID)
        if (truth == label).sum() > 0.01 * labelled.sum()
        and ((truth == label) & right).sum() < 0.85 * ((truth == label) | ((labels == label) & labelled)).sum()
    ]
    last = bool(nearly and lacking)
    label = lacking[int(random.integers(len(lacking)))] if last else max(wrong, key=lambda name: wrong[name].sum())
    begin = [(label, place) for place in deepest_and_any(wrong[label], 3 if last else 1, random)]
    taken_for_it = np.argwhere((labels == label) & labelled & ~right)
    if len(taken_for_it):
        y, x = taken_for_it[int(random.integers(len(taken_for_it)))]
        begin.append((int(truth[y, x]), (y, x)))
    others = [other for other in range(VOID) if other != label and wrong[other].any()]
    if others and not last:
        other = others[int(random.integers(len(others)))]
        begin += [(other, place) for place in deepest_and_any(wrong[other], 1, random)]
    best: Stroke | None = None
    for label, (y, x) in begin:
        spoils = right & (truth != label)
        room = nearest((y, x), np.argwhere(spoils))
        free = [radius for radius in RADII if radius**2 < room]
        angle = longest(wrong[label], (y, x))
        ways = [(length, way) for length in ALONG for way in (angle, angle + np.pi)]
        for length in LENGTHS:
            first = random.random()
            ways += [(length, (first + turn) * 2 * np.pi / DIRECTIONS) for turn in range(DIRECTIONS)]
        ends = [(x, y), *((x + round(length * np.cos(way)), y + round(length * np.sin(way))) for length, way in ways)]
        for radius in RADII[len(free) - 1 : len(free) + 1]:
            for end in ends:
                rect, covered = capsule((int(x), int(y)), (int(end[0]), int(end[1])), radius, Rect.of(truth))
                gain = int((wrong[label][rect.slices] & covered).sum())
                gain -= 4 * int((spoils[rect.slices] & covered).sum())
                if gain > (0 if best is None else best.gain):
                    best = Stroke(label, rect, covered, gain)
    return best


def deepest_and_any(wrong: NDArray[np.bool_], count: int, random: np.random.Generator) -> list[tuple[int, ...]]:
    """Places (y, x)."""
    places = [tuple(place) for place in np.argwhere(wrong)]
    if not places:
        return []
    depths = [nearest(place, np.argwhere(~wrong)) for place in places]
    return [places[int(np.argmax(depths))], *(places[int(random.integers(len(places)))] for _ in range(count))]


def longest(wrong: NDArray[np.bool_], place: tuple[int, ...]) -> float:
    """The angle of the longer axis of the region around a place, as far as one sees: from its covariance."""
    inside = np.zeros_like(wrong)
    y, x = place
    near = slice(max(0, y - SIGHT), y + SIGHT + 1), slice(max(0, x - SIGHT), x + SIGHT + 1)
    inside[near] = wrong[near]
    region, ask = set(), [(int(y), int(x))]
    while ask:
        at = ask.pop()
        if at in region or not (0 <= at[0] < wrong.shape[0] and 0 <= at[1] < wrong.shape[1]) or not inside[at]:
            continue
        region.add(at)
        ask += [(at[0] + dy, at[1] + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    ys, xs = np.array(sorted(region)).T
    total = len(region)
    xx = int(total * (xs * xs).sum() - xs.sum() ** 2)
    yy = int(total * (ys * ys).sum() - ys.sum() ** 2)
    xy = int(total * (xs * ys).sum() - xs.sum() * ys.sum())
    return float(np.arctan2(2 * xy, xx - yy)) / 2


def nearest(place: tuple[int, ...], others: NDArray[np.int64]) -> float:
    """Squared distance."""
    return float(((others - place) ** 2).sum(1).min()) if len(others) else np.inf


def same(one: Stroke | None, other: Stroke | None) -> bool:
    """The same pixels of the same class, worth the same."""
    if one is None or other is None:
        return one is other
    said = (one.label, one.rect, one.gain) == (other.label, other.rect, other.gain)
    return said and np.array_equal(one.covered, other.covered)


@pytest.mark.parametrize(
    ("seed", "height", "width", "classes", "cell"),
    [(0, 40, 60, 4, 6), (1, 64, 48, 3, 16), (2, 33, 90, 6, 9), (3, 50, 50, 1, 50), (4, 100, 110, 3, 50)],
)
def test_every_stroke_is_the_one_of_the_rule(seed: int, height: int, width: int, classes: int, cell: int) -> None:
    random = np.random.default_rng(seed)
    truth = patches(random, height, width, classes, cell)
    annotator = Annotator(truth, np.full_like(truth, VOID), seed)
    for number in range(60):
        stroke = annotator.next(number)
        assert same(stroke, slow_next(truth, annotator.labels, seed, number)), number
        if stroke is None:
            assert annotator.accuracy == 1.0
            return
        annotator.paint(stroke)
        if number == 25:  # a fill: everything may be another
            annotator.see(np.where(random.random(truth.shape) < 0.2, patches(random, height, width, 3), truth))


@pytest.mark.parametrize("seed", range(3))
def test_done_and_accuracy_are_counted_along(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = patches(random, 48, 64, 4)
    annotator = Annotator(truth, np.full_like(truth, VOID), seed)
    for number in range(2000):
        labels, labelled = annotator.labels, truth != VOID
        right = (labels == truth) & labelled
        assert annotator.accuracy == right.sum() / labelled.sum()
        shares = [
            ((labels == label) & right).sum() / (((labels == label) & labelled) | (truth == label)).sum()
            for label in range(4)
            if (truth == label).sum() > 0.01 * labelled.sum()
        ]
        assert annotator.done == (annotator.accuracy >= 0.95 and min(shares) >= 0.85)
        if annotator.done:
            break
        stroke = annotator.next(number)
        assert stroke is not None
        before = int(right.sum())
        annotator.paint(stroke)
        assert int(((annotator.labels == truth) & labelled).sum()) >= before + stroke.gain
    assert annotator.done


def test_a_class_that_is_large_enough_has_to_be_found() -> None:
    truth = np.zeros((20, 50), np.uint8)
    truth[0, :10] = 1  # 1 % of it: need not be
    assert Annotator(truth, np.zeros_like(truth), 0).done
    truth[0, 10] = 1
    almost = np.zeros_like(truth)
    assert not Annotator(truth, almost, 0).done
    almost[0, :10] = 1
    assert Annotator(truth, almost, 0).done  # 10 of 11
    almost[1, 0] = 1
    assert not Annotator(truth, almost, 0).done  # 10 of 12


def test_nothing_is_left_to_paint() -> None:
    truth = patches(np.random.default_rng(0), 30, 30, 3)
    assert Annotator(truth, truth, 0).next(0) is None
    void = np.full_like(truth, VOID)
    annotator = Annotator(void, truth, 0)
    assert annotator.done
    assert annotator.accuracy == 1.0
    assert annotator.next(0) is None


def test_the_candidates_are_of_the_seed_and_the_number_alone() -> None:
    truth = patches(np.random.default_rng(5), 90, 160, 3, 45)
    start = np.full_like(truth, VOID)
    fresh, worn = Annotator(truth, start, 7), Annotator(truth, start, 7)
    for number in range(10):
        stroke = worn.next(number)
        assert stroke is not None
        worn.paint(stroke)
    worn.see(start)
    assert same(fresh.next(3), worn.next(3))
    drawn = [Annotator(truth, start, seed).next(number) for seed, number in product((7, 8), range(10))]
    assert len({(stroke.rect, stroke.label) for stroke in drawn if stroke is not None}) > 1
