from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from app.domain.arrays import Bool
from app.domain.geometry import Rect
from app.domain.prediction import Prediction

from .pictures import prediction


def accepted(said: Prediction, min_confidence: float) -> Bool:
    picture = np.zeros(said.labels.shape, bool)
    for strip, sure in said.accepted(min_confidence):
        picture[strip.slices] |= sure
    return picture


def plain(said: Prediction, min_confidence: float, working: tuple[int, int]) -> Bool:
    """The same by numpy's interpolation, row by row and column by column, from the definition."""
    confidence = said.confidence.astype(float)
    for axis in (1, 0):
        size, cells = said.labels.shape[axis], confidence.shape[axis]
        at = ((np.arange(size) + 0.5) * working[axis] / size - 0.5) / 4
        confidence = np.apply_along_axis(
            lambda line, at=at, n=cells: np.interp(at, np.arange(n), line), axis, confidence
        )
    return (said.labels != 255) & (confidence >= min_confidence * 255)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (37, 61), (128, 96)])
def test_the_confidence_sits_on_every_fourth_pixel_and_is_linear_between(shape: tuple[int, int]) -> None:
    said = prediction(*shape, seed=4)
    on_grid = accepted(said, 0.4)[::4, ::4]
    assert np.array_equal(on_grid, (said.confidence >= 0.4 * 255) & (said.labels[::4, ::4] != 255))
    differing = accepted(said, 0.4) != plain(said, 0.4, shape)
    assert differing.mean() < 1e-3  # float32 against float64, where the value is the threshold but for rounding


def test_a_reduced_picture_is_measured_in_its_own_pixels() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, (300, 400), dtype=np.uint8)
    said = Prediction(labels, rng.integers(0, 256, (15, 20), dtype=np.uint8), "v")  # worked on at 60 x 80
    assert (accepted(said, 0.5) != plain(said, 0.5, (60, 80))).mean() < 1e-3


def test_without_a_minimum_all_that_is_predicted_is_taken() -> None:
    said = prediction(30, 40, seed=2)
    assert np.array_equal(accepted(said, 0.0), said.labels != 255)


def test_the_highest_confidence_passes_the_highest_minimum() -> None:
    said = Prediction(np.zeros((9, 9), np.uint8), np.full((3, 3), 255, np.uint8), "v")
    assert accepted(said, 1.0).all()
    assert not accepted(Prediction(said.labels, np.full((3, 3), 254, np.uint8), "v"), 1.0).any()


def test_large_pictures_take_little_memory() -> None:
    said = Prediction(np.zeros((4000, 6000), np.uint8), np.full((171, 256), 128, np.uint8), "v")
    tracemalloc.start()
    for _ in said.accepted(0.5):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.8 * said.labels.size


@pytest.mark.parametrize(("shape", "cells"), [((1, 1), (1, 1)), ((37, 61), (10, 16)), ((300, 400), (15, 20))])
def test_the_confidence_of_a_pixel_is_the_one_that_decides_what_is_accepted(
    shape: tuple[int, int], cells: tuple[int, int]
) -> None:
    rng = np.random.default_rng(3)
    said = Prediction(np.zeros(shape, np.uint8), rng.integers(1, 255, cells, dtype=np.uint8), "v")
    for _ in range(12):
        x, y = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
        confidence = said.confidence_at(x, y)
        assert 0 < confidence < 1
        assert accepted(said, confidence - 1e-4)[y, x]
        assert not accepted(said, confidence + 1e-4)[y, x]


def test_the_confidence_of_a_pixel_on_the_grid_is_the_value_there() -> None:
    said = prediction(37, 61, seed=4)
    for row, column in ((0, 0), (3, 7), (9, 15)):
        assert said.confidence_at(4 * column, 4 * row) == pytest.approx(said.confidence[row, column] / 255)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 50), (48, 65)])
def test_a_pixel_stays_with_the_cell_that_is_nearest(height: int, width: int) -> None:
    said = prediction(height, width, 1)
    assert not said.staying(Rect.of(said.labels)).any()
    stays = np.random.default_rng(0).random(said.confidence.shape) < 0.5
    staying = replace(said, stays=stays).staying(Rect.of(said.labels))
    for y in range(height):
        for x in range(width):
            cell = min(-(-(y - 1) // 4), stays.shape[0] - 1), min(-(-(x - 1) // 4), stays.shape[1] - 1)
            assert staying[y, x] == stays[cell], (y, x)
    strip = Rect(0, height // 2, width, height - height // 2)
    assert np.array_equal(replace(said, stays=stays).staying(strip), staying[height // 2 :])


def test_of_a_reduced_picture_more_pixels_stay_with_a_cell() -> None:
    stays = np.zeros((4, 4), bool)
    stays[1, 2] = True
    said = Prediction(np.zeros((48, 48), np.uint8), np.zeros((4, 4), np.uint8), "v", stays)
    staying = said.staying(Rect.of(said.labels))
    assert staying.sum() == 12 * 12
    assert staying[13, 25]
