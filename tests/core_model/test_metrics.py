"""VOC's scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core_model import Confusion


def test_scores_of_a_small_example() -> None:
    scores = Confusion(4)
    scores.add(np.array([[0, 0, 1, 1], [2, 2, 255, 255]], np.uint8), np.array([[0, 1, 1, 1], [2, 255, 0, 2]], np.uint8))
    assert scores.pixels == 6
    assert scores.pixel_accuracy == pytest.approx(4 / 6)
    np.testing.assert_allclose(scores.ious, [1 / 2, 2 / 3, 1 / 2, np.nan])
    assert scores.miou == pytest.approx((1 / 2 + 2 / 3 + 1 / 2) / 3)  # class 3 does not occur in the truth


def test_a_class_that_only_the_prediction_has_is_wrong_but_no_class_of_the_mean() -> None:
    scores = Confusion(3)
    scores.add(np.zeros((2, 2), np.uint8), np.array([[0, 0], [0, 2]], np.uint8))
    assert scores.pixel_accuracy == 0.75
    assert scores.miou == 0.75


def test_a_prediction_of_255_or_of_an_unknown_class_is_wrong() -> None:
    scores = Confusion(2)
    scores.add(np.array([0, 0, 1, 1], np.uint8), np.array([255, 0, 77, 1], np.uint8))
    assert scores.pixel_accuracy == 0.5
    np.testing.assert_allclose(scores.ious, [0.5, 0.5])


def test_images_add_up() -> None:
    rng = np.random.default_rng(0)
    truth, prediction = (rng.integers(0, 5, (6, 8), np.uint8) for _ in range(2))
    truth[rng.random(truth.shape) < 0.2] = 255
    whole, parts = Confusion(5), Confusion(5)
    whole.add(truth, prediction)
    for row in range(6):
        parts.add(truth[row : row + 1], prediction[row : row + 1])
    np.testing.assert_array_equal(whole.counts, parts.counts)
    expected = [
        np.sum((truth == c) & (prediction == c)) / np.sum(((truth == c) | (prediction == c)) & (truth != 255))
        for c in range(5)
    ]
    np.testing.assert_allclose(whole.ious, expected)


def test_nothing_counted_is_no_score() -> None:
    scores = Confusion(3)
    scores.add(np.full((2, 2), 255, np.uint8), np.zeros((2, 2), np.uint8))
    assert math.isnan(scores.miou)
    assert math.isnan(scores.pixel_accuracy)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="truth has the class 3"):
        Confusion(3).add(np.array([3], np.uint8), np.array([0], np.uint8))
    with pytest.raises(ValueError, match=r"\(2,\), the truth \(3,\)"):
        Confusion(3).add(np.zeros(3, np.uint8), np.zeros(2, np.uint8))
