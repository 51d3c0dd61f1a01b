"""Labels at full size are those of upsampling everything and taking the best class; resizing is torch's."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional as F

from core_model.transforms import labels_of, padded_length, upsample


def plainly(logits: torch.Tensor, working: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float64]:
    """All logits at full size in double precision, (C, H, W)."""
    padded = (padded_length(working[0]), padded_length(working[1]))
    at_working = upsample(logits.double()[None], padded)[..., : working[0], : working[1]]
    return F.interpolate(at_working, size, mode="bilinear", align_corners=False)[0].numpy()


@given(
    working=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    classes=st.integers(1, 6),
    scale=st.sampled_from([1, 2, 4]),
    budget=st.sampled_from([40, 1000, 1 << 16]),
    seed=st.integers(0, 1000),
    spread=st.integers(0, 3),
)
@example(working=(1, 1), classes=3, scale=1, budget=1, seed=0, spread=1)
@example(working=(1, 300), classes=3, scale=1, budget=16, seed=0, spread=1)
@settings(max_examples=150, deadline=None)
def test_labels_are_identical_ties_and_all(
    working: tuple[int, int], classes: int, scale: int, budget: int, seed: int, spread: int
) -> None:
    """Small whole numbers at places that are powers of two: every sum is exact, and many of the best are equal."""
    h, w = ((padded_length(length) - 1) // 4 + 1 for length in working)
    logits = torch.from_numpy(np.random.default_rng(seed).integers(-spread, spread + 1, (classes, h, w)).astype("f4"))
    size = (working[0] * scale, working[1] * scale)
    labels = labels_of(logits, working, size, budget)
    assert labels.dtype == torch.uint8
    np.testing.assert_array_equal(labels.numpy(), plainly(logits, working, size).argmax(0))  # of equals the first


@given(
    working=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    classes=st.integers(1, 21),
    coarse=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
@example(working=(1, 1), size=(1, 1), classes=2, coarse=1, seed=0)
@example(working=(1, 1024), size=(1, 5000), classes=21, coarse=4, seed=0)
@example(working=(1024, 1), size=(5000, 1), classes=21, coarse=4, seed=0)
@example(working=(1, 1), size=(60, 60), classes=2, coarse=1, seed=0)
@settings(max_examples=100, deadline=None)
def test_labels_are_identical_at_any_size(
    working: tuple[int, int], size: tuple[int, int], classes: int, coarse: int, seed: int
) -> None:
    h, w = ((padded_length(length) - 1) // 4 + 1 for length in working)
    seeds = torch.randn(1, classes, -(-h // coarse), -(-w // coarse), generator=torch.Generator().manual_seed(seed))
    logits = F.interpolate(seeds, (h, w), mode="bilinear", align_corners=False)[0] * 10
    labels, values = labels_of(logits, working, size, 1000).numpy(), plainly(logits, working, size)
    best = np.sort(values, axis=0)[-2:]
    clear = best[-1] - best[0] > 1e-4 if classes > 1 else np.ones(size, bool)
    np.testing.assert_array_equal(labels[clear], values.argmax(0)[clear])
    assert clear.sum() >= 0.9 * clear.size - 2


def test_a_class_that_wins_at_no_cell_can_win_between_them() -> None:
    logits = torch.tensor([[[4.0, 0, 0, 0, 0]], [[0.0, 4, 4, 4, 4]], [[3.0, 3, 0, 0, 0]]])  # (3, 1, 5)
    assert labels_of(logits, (1, 5), (1, 5)).tolist() == [[0, 0, 2, 1, 1]]


_TWELVE_MEGAPIXELS = """
    import re
    from pathlib import Path

    import torch

    from core_model.transforms import labels_of


    def kilobytes(name):
        return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])


    torch.manual_seed(0)
    logits = torch.randn(21, 193, 257)  # noise: no two cells agree
    labels_of(logits, (768, 1024), (75, 100))
    before = kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    labels = labels_of(logits, (768, 1024), (3000, 4000))
    print(kilobytes("VmHWM") - before, int(labels.max()))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a part")
def test_twelve_megapixels_of_noise_take_little_more_than_their_labels() -> None:
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_TWELVE_MEGAPIXELS)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(out[1]) == 20
    assert int(out[0]) < 100_000  # kB; measured 28 000, of which 12 000 are the labels


LENGTH = st.integers(1, 9)


@settings(deadline=None)
@given(old=st.tuples(LENGTH, LENGTH), new=st.tuples(LENGTH, LENGTH), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_torch(old: tuple[int, int], new: tuple[int, int], seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, *old, generator=random).requires_grad_()
    weights = torch.randn(2, 3, *new, generator=random)
    given_, wanted = upsample(x, new), F.interpolate(x, new, mode="bilinear", align_corners=True)
    torch.testing.assert_close(given_, wanted, atol=1e-5, rtol=1e-5)
    gradients = [torch.autograd.grad((y * weights).sum(), x)[0] for y in (given_, wanted)]
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("half", [False, True])
def test_half_precision_stays_half_and_channels_last(half: bool) -> None:
    x = torch.randn(1, 8, 4, 5).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        y = upsample(x, (13, 17))
    assert y.dtype == (torch.bfloat16 if half else torch.float32)
    assert y.is_contiguous(memory_format=torch.channels_last)
