"""How far a prediction and what a person made of it agree: counted once, summed up in figures over many pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool, UInt8
from app.domain.classes import VOID
from app.domain.geometry import Rect
from app.domain.history import Step
from app.domain.mask import HUMAN, Mask
from app.domain.prediction import Prediction

_ROWS = 512
_EXACT = 1 << 24  # OpenCV counts in float32, which holds every whole number up to this one


@dataclass(frozen=True)
class Confusion:
    """How often each pair of labels met, of the pairs that did."""

    pixels: Mapping[tuple[int, int], int]
    """(the person's label, the prediction's label) → pixels; 255 is void, or nothing predicted."""

    @classmethod
    def of(cls, truth: UInt8, said: UInt8, where: Bool | None = None) -> Confusion:
        """Count two label images (H, W), all of them or where a third (H, W) is True. ValueError for two shapes."""
        if truth.shape != said.shape:
            raise ValueError(f"the prediction is {said.shape}, the mask {truth.shape}")
        counts = np.zeros((256, 256), np.int64)
        for strip in Rect.of(truth).strips(min(_ROWS, max(1, _EXACT // max(1, truth.shape[1])))):
            chosen = None if where is None else where[strip.slices].view(np.uint8)
            pair = [np.ascontiguousarray(plane[strip.slices]) for plane in (truth, said)]
            counts += cv2.calcHist(pair, [0, 1], chosen, [256, 256], [0, 256, 0, 256]).astype(np.int64)
        met = np.argwhere(counts)
        return cls({(int(person), int(network)): int(counts[person, network]) for person, network in met})


class ClassFigures(NamedTuple):
    """How well one class was predicted."""

    iou: float
    """Intersection over union, 0 … 1."""

    accuracy: float
    """Share of the class's pixels that the prediction gave it, 0 … 1."""


@dataclass(frozen=True)
class Figures:
    """What one confusion, or several together, come to. Shares are 0 … 1; None: there is nothing to take a share of.

    A pixel is scored when the person gave it a class and the prediction did: void, and what nothing was predicted of,
    are left out. What the person made void counts in `kept` alone, as not kept.
    """

    pixels: int
    """Pixels that were scored."""

    pixel_accuracy: float | None
    """Share of the scored pixels where both say the same."""

    miou: float | None
    """Mean IoU over the classes that the person's scored pixels have."""

    kept: float | None
    """Share of the pixels with a predicted class that still have it."""

    classes: Mapping[int, ClassFigures]
    """Of each class that the person's scored pixels have."""


@dataclass(frozen=True)
class Agreement:
    """What became of one prediction."""

    every: Confusion
    """Over all pixels: flattering, since a model's mistake that nobody saw counts as right."""

    human: Confusion
    """Over the pixels that a person painted or accepted: harsh, since mostly what is wrong is painted."""


def compare(prediction: Prediction, mask: Mask, review: Step | None = None) -> Agreement:
    """Score a prediction against the mask that a person left. ValueError when they are not of one picture.

    `review`: the step that made the image reviewed. What it filled is no stroke of a person's, and is left out of
    `human`; without it that cannot be told, and counts.
    """
    human = mask.provenance == HUMAN
    if review is not None:
        for patch in review.patches:
            for block, xor in patch.provenance.changes():
                human[block.slices][xor != 0] = False
    every = Confusion.of(mask.labels, prediction.labels)
    return Agreement(every, Confusion.of(mask.labels, prediction.labels, human))


def moving(confusions: Sequence[Confusion], window: int) -> list[Figures]:
    """For each confusion, the figures of the last `window` ones up to it together, as of one set of pictures."""
    labels = sorted({label for each in confusions for pair in each.pixels for label in pair if label != VOID})
    column = {label: at for at, label in enumerate(labels)}
    counts = np.zeros((len(confusions) + 1, 4, len(labels)), np.int64)
    for number, each in enumerate(confusions, 1):
        _count(each, column, counts[number])
    sums = counts.cumsum(axis=0)
    starts = np.maximum(np.arange(1, len(confusions) + 1) - window, 0)
    return list(_figures(sums[1:] - sums[starts], labels))


def figures(confusion: Confusion) -> Figures:
    """The figures of one picture."""
    return moving([confusion], 1)[0]


def _count(confusion: Confusion, column: Mapping[int, int], into: NDArray[np.int64]) -> None:
    """Adds to (4, classes): right, the person's and the prediction's of the scored pixels, what became void."""
    right, person, network, voided = into
    for (truth, said), pixels in confusion.pixels.items():
        if said == VOID:
            continue
        if truth == VOID:
            voided[column[said]] += pixels
            continue
        person[column[truth]] += pixels
        network[column[said]] += pixels
        if truth == said:
            right[column[truth]] += pixels


def _figures(counts: NDArray[np.int64], labels: Sequence[int]) -> Iterator[Figures]:
    right, person, network, voided = counts.transpose(1, 0, 2)
    there = person > 0
    iou = right / np.maximum(person + network - right, 1)
    accuracy = right / np.maximum(person, 1)
    miou = iou.sum(axis=1, where=there) / np.maximum(there.sum(axis=1), 1)
    for row in range(len(counts)):
        pixels, same = int(person[row].sum()), int(right[row].sum())
        predicted = pixels + int(voided[row].sum())
        yield Figures(
            pixels,
            same / pixels if pixels else None,
            float(miou[row]) if pixels else None,
            same / predicted if predicted else None,
            {
                label: ClassFigures(float(iou[row, at]), float(accuracy[row, at]))
                for at, label in enumerate(labels)
                if there[row, at]
            },
        )
