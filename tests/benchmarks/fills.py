"""Scribble-fill on CamVid: from strokes alone, and from corrections of a prediction; part of `learning`."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core_model import Confusion, LinearHead
from tests.benchmarks.camvid import CLASSES, Mask, both_tests, draw, picture, truth
from tests.benchmarks.exam import Eyes, Scores, learn_linear
from tests.benchmarks.report import Row


def disc(row: int, column: int, radius: int = 8) -> NDArray[np.bool_]:
    """A disc in a picture of CamVid's size."""
    rows, columns = np.ogrid[:360, :480]
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)


def scribbled(labels: Mask, each: int, seed: int) -> Mask:
    """So many discs of each class that there is."""
    rng, painted = random.Random(seed), np.full_like(labels, 255)
    for label in np.unique(labels[labels != 255]):
        rows, columns = np.nonzero(labels == label)
        for _ in range(each):
            at = rng.randrange(rows.size)
            painted[disc(int(rows[at]), int(columns[at])) & (labels == label)] = label
    return painted


def corrected(labels: Mask, predicted: Mask, strokes: int = 5) -> Mask:
    """A disc in each of the largest wrong regions of one true class."""
    painted, wrong = np.full_like(labels, 255), (predicted != labels) & (labels != 255)
    regions: list[tuple[int, int, NDArray[np.bool_]]] = []
    for label in np.unique(labels[wrong]):
        count, parts, stats, _ = cv2.connectedComponentsWithStats((wrong & (labels == label)).astype(np.uint8))
        regions += [(int(stats[part, cv2.CC_STAT_AREA]), int(label), parts == part) for part in range(1, count)]
    for _, label, region in sorted(regions, key=lambda region: -region[0])[:strokes]:
        depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        painted[disc(int(row), int(column)) & (labels == label)] = label
    return painted


def fill(eyes: Eyes, folder: Path) -> Iterator[Row]:
    """From strokes alone, and from strokes on a prediction."""
    ids = [name for test in both_tests() for name in test.judged[::5]]
    for each in (1, 2, 4):
        scores = Scores()
        for number, name in enumerate(ids):
            scores.add(*_filled(eyes, name, scribbled(truth(name), each, number), None))
        yield from _means(f"fill, {each} disc{'s' * (each > 1)} a class", scores)
    head, _ = learn_linear(eyes, draw(both_tests()[1].pool, 5, 0), folder / "prior")
    before, after, worse = Scores(), Scores(), 0
    for name in ids:
        labels = eyes.predict(eyes.features(picture(name)), head, (360, 480)).labels
        painted = corrected(truth(name), labels)
        confusion = Confusion(len(CLASSES))
        confusion.add(truth(name), np.where(painted == 255, labels, painted))
        before.add(confusion, 0.0)
        after.add(*_filled(eyes, name, painted, head, np.where(painted == 255, labels, np.uint8(255))))
        worse += after.accuracy[-1] < before.accuracy[-1]
    yield from _means("predicted from 5 pictures, five strokes painted", before)
    yield from _means("… and filled", after)
    yield Row("… pictures that the fill made worse", 100 * worse / len(ids), "%")


def _filled(
    eyes: Eyes, name: str, painted: Mask, head: LinearHead | None, shown: Mask | None = None
) -> tuple[Confusion, float]:
    features, confusion = eyes.features(picture(name)), Confusion(len(CLASSES))
    start = time.perf_counter()
    prediction = eyes.fill(features, painted, len(CLASSES), (360, 480), head, shown=shown)
    seconds = time.perf_counter() - start
    assert prediction is not None
    confusion.add(truth(name), np.where(painted == 255, prediction.labels, painted))
    return confusion, seconds


def _means(title: str, scores: Scores) -> Iterator[Row]:
    yield Row(f"{title}: pixel accuracy", statistics.mean(scores.accuracy), "")
    yield Row(f"{title}: mIoU of the picture's classes", statistics.mean(scores.miou), "")
    if any(scores.seconds):
        median = 1000 * statistics.median(scores.seconds)
        yield Row(f"{title}: fill, median", median, "ms", 300, median <= 300)
