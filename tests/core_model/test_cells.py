"""Labelled cells: no stroke is lost, rare classes are drawn, and values are those that the network would see there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model import Features, padded_length, upsample
from core_model.cells import drawn, grid, labelled, purity, values_at

READS = ("fine", "coarse", "coarse_mean3")


def features(height: int = 50, width: int = 70) -> Features:
    torch.manual_seed(0)
    padded = padded_length(height), padded_length(width)
    taps = {
        name: torch.randn(3, (padded[0] - 1) // stride + 1, (padded[1] - 1) // stride + 1).half()
        for name, stride in (("fine", 4), ("coarse", 16))
    }
    return Features(taps, height, width, padded, "")


def unknown(height: int = 50, width: int = 70) -> NDArray[np.uint8]:
    return np.full((height, width), 255, np.uint8)


@pytest.mark.parametrize("scale", [1, 3])
def test_one_pixel_anywhere_makes_one_cell_next_to_it(scale: int) -> None:
    seen = features()
    for row, column in ((0, 0), (49, 69), (49, 0), (17, 33), (20, 40)):
        labels = unknown(50 * scale, 70 * scale)
        labels[row * scale + scale // 2, column * scale] = 7
        cells = labelled(labels, seen)
        assert cells.shape == grid(seen) == (17, 21)
        ((y, x),) = np.argwhere(cells == 7)
        assert max(abs(4 * y - row), abs(4 * x - column)) <= 2
        assert (cells != 255).sum() == 1


def test_the_pixel_under_a_cell_has_the_last_word() -> None:
    labels = np.random.default_rng(0).integers(0, 5, (50, 70)).astype(np.uint8)
    np.testing.assert_array_equal(labelled(labels, features())[:13, :18], labels[::4, ::4])


def test_a_thin_stroke_on_a_large_picture_is_not_lost() -> None:
    labels = unknown(500, 700)
    labels[203, 100:600] = 1  # one pixel of ten: nearest sampling takes the sixth of each ten
    cells = labelled(labels, features())
    assert (cells == 1).sum() >= 12
    assert set(np.unique(cells)) == {1, 255}


def test_the_same_seed_draws_the_same_and_the_first_of_many_is_a_smaller_draw() -> None:
    labels = np.repeat(np.arange(4, dtype=np.uint8), 500)
    many, few, other = (drawn(labels, n, np.random.default_rng(s)) for n, s in ((900, 3), (300, 3), (300, 4)))
    np.testing.assert_array_equal(many[:300], few)
    assert not np.array_equal(few, other)
    assert len(set(many.tolist())) == 900


def test_rare_classes_are_drawn_more_often_and_a_few_of_each_come_first() -> None:
    labels = np.array([0] * 90_000 + [1] * 9_000 + [2] * 10 + [255] * 500, np.uint8)
    chosen = labels[drawn(labels, 2_000, np.random.default_rng(0))]
    shares = np.bincount(chosen, minlength=3) / 2_000
    assert shares[0] / shares[1] == pytest.approx(np.sqrt(10), rel=0.15)
    assert (chosen == 2).sum() >= 6  # of ten; evenly drawn, none would be likely
    assert sorted(np.bincount(chosen[:12])) == [4, 4, 4]
    assert not (chosen == 255).any()


def test_nothing_known_draws_nothing() -> None:
    assert drawn(unknown(), 10, np.random.default_rng(0)).size == 0


@pytest.mark.parametrize(("height", "width"), [(50, 70), (1, 1), (1, 70), (17, 33)])
def test_values_are_those_of_the_taps_brought_to_stride_4(height: int, width: int) -> None:
    seen = features(height, width)
    everywhere = np.arange(grid(seen)[0] * grid(seen)[1])
    values = values_at(seen, READS, everywhere)
    wanted = [upsample(seen.taps[tap][None].float(), grid(seen))[0].flatten(1).t() for tap in ("fine", "coarse")]
    torch.testing.assert_close(values[:, :6], torch.cat(wanted, 1), rtol=1e-4, atol=1e-5)
    assert values.shape == (everywhere.size, 9)


def test_purity_is_the_share_of_the_sixteen_pixels_around_a_cell() -> None:
    seen = features()
    labels = np.random.default_rng(1).choice([0, 1, 255], (50, 70), p=[0.5, 0.3, 0.2]).astype(np.uint8)
    cells = labelled(labels, seen)
    shares = purity(cells, labels, seen)
    assert shares.shape == cells.shape
    for y, x in np.argwhere(cells != 255):
        rows = np.clip(np.arange(4 * y - 2, 4 * y + 2), 0, 49)  # beyond the edge: as on it
        columns = np.clip(np.arange(4 * x - 2, 4 * x + 2), 0, 69)
        assert shares[y, x] == (labels[np.ix_(rows, columns)] == cells[y, x]).mean()
        assert shares[y, x] > 0
    assert (shares[cells == 255] == 0).all()
    plain = np.zeros((100, 140), np.uint8)  # of twice the size
    assert (purity(labelled(plain, seen), plain, seen)[:13, :18] == 1).all()
