from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_model.augment import View, around, cropped, lit
from tests.core_model.job_folder import scene


def test_the_plain_view_changes_nothing() -> None:
    rgb, truth = scene(0)
    seen, labels = View().of(rgb, truth)
    np.testing.assert_array_equal(seen, rgb)
    np.testing.assert_array_equal(labels, truth)


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.25, 2.0])
@pytest.mark.parametrize("flip", [False, True])
def test_truth_goes_with_the_picture(scale: float, flip: bool) -> None:
    truth = np.zeros((60, 80), np.uint8)
    truth[10:30, 8:40] = 3
    rgb = np.repeat((truth * 80)[..., None], 3, axis=2)
    seen, labels = View(scale=scale, flip=flip).of(rgb, truth)
    assert seen.shape[:2] == labels.shape == (round(60 * scale), round(80 * scale))
    assert set(np.unique(labels)) == {0, 3}
    assert (np.abs(seen[..., 0].astype(int) - labels * 80) > 1).mean() < 0.1  # edges are smooth in the picture only
    columns = np.flatnonzero((labels == 3).any(axis=0))
    assert columns[0] == round((40 if flip else 8) * scale)


def test_light_changes_the_picture_and_stays_in_range() -> None:
    rgb, truth = scene(0)
    seen, labels = View(brightness=0.1, contrast=1.2, saturation=0.5, gamma=1.2).of(rgb, truth)
    assert seen.dtype == np.uint8
    assert (seen != rgb).mean() > 0.5
    np.testing.assert_array_equal(labels, truth)
    white = np.full((4, 4, 3), 255, np.uint8)
    assert View(brightness=0.5).light(white).min() == 255
    grey = View(saturation=0.0).light(rgb)
    assert np.ptp(grey.astype(int), axis=2).max() == 0


def test_drawn_light_is_the_same_for_the_same_seed() -> None:
    one, two = (lit(np.random.default_rng(5), 0.75, True) for _ in range(2))
    assert one == two
    assert (one.scale, one.flip) == (0.75, True)
    assert one != lit(np.random.default_rng(6), 0.75, True)


def test_a_crop_larger_than_the_picture_is_grey_and_ignored() -> None:
    rgb, truth = scene(0)
    seen, labels = cropped(rgb, truth, 10, 0, 80, 65)
    assert seen.shape == (80, 65, 3)
    np.testing.assert_array_equal(seen[:55], rgb[10:])
    assert (seen[55:] == 127).all()
    assert (labels[55:] == 255).all()
    np.testing.assert_array_equal(labels[:55], truth[10:])


@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    window=st.tuples(st.integers(1, 25), st.integers(1, 25)),
    evenly=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_window_around_what_is_known_holds_some_of_it(
    shape: tuple[int, int], window: tuple[int, int], evenly: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.choice(np.array([0, 1, 255], np.uint8), shape, p=[0.02, 0.02, 0.96])
    top, left = around(rng, truth, *window, evenly=evenly)
    for start, length, side in zip((top, left), shape, window, strict=True):
        assert 0 <= start <= max(0, length - side)
    if (truth != 255).any():
        assert (truth[top : top + window[0], left : left + window[1]] != 255).any()


def test_rare_classes_are_met_as_often_as_common_ones_where_drawn_evenly() -> None:
    truth = np.zeros((100, 100), np.uint8)
    truth[70:74, 20:24] = 1
    rng = np.random.default_rng(0)
    met = {
        evenly: sum(
            bool((truth[top : top + 8, left : left + 8] == 1).any())
            for top, left in (around(rng, truth, 8, 8, evenly=evenly) for _ in range(300))
        )
        for evenly in (True, False)
    }
    assert met[True] > 120
    assert met[False] < 30
