from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.runs import packed, unpacked

runs = st.lists(st.tuples(st.integers(0, 255), st.integers(1, 400)), min_size=1, max_size=30)


@given(runs)
def test_the_same_comes_out(runs: list[tuple[int, int]]) -> None:
    values = np.repeat([value for value, _ in runs], [length for _, length in runs]).astype(np.uint8)
    data = packed(values)
    assert np.array_equal(unpacked(data, values.size), values)
    assert len(data) <= min(values.size, 5 * len(runs)) + 1


def test_noise_is_not_made_longer_and_long_runs_are_short() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)
    assert len(packed(noise)) == 10_001
    assert np.array_equal(unpacked(packed(noise), noise.size), noise)
    assert len(packed(np.full(10_000_000, 7, np.uint8))) == 6


@pytest.mark.parametrize("values", [np.zeros(100, np.uint8), np.arange(100, dtype=np.uint8)])
def test_what_does_not_describe_so_many_values_is_refused(values: np.ndarray) -> None:
    data = packed(values)
    for damaged, size in ((data, 99), (data[:-1], 100), (b"\7" + data[1:], 100), (b"", 100)):
        with pytest.raises(ValueError, match=r"cut short|offset"):
            unpacked(damaged, size)
