"""Filling from strokes: what looks like a stroke changes, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model import VARIANTS, Features
from core_model.logistic import Logistic
from core_model.scribble import NEVER, FillSettings, fill
from core_model.xception import tap_channels

ROW = VARIANTS["xception_slim"]
SIDE = 129  # pixels; 33 cells
# four quarters, each with a look of its own; the classes of the picture are 0 and 1, left and right
QUARTERS = np.repeat(np.repeat([[0, 1], [2, 3]], 17, 0), 17, 1)[:33, :33]


@pytest.fixture(scope="module")
def features() -> Features:
    generator = torch.Generator().manual_seed(0)
    taps = {}
    for tap, stride in (("low_level", 4), ("mid_level", 8), ("middle", 16)):
        looks = torch.randn(4, tap_channels(ROW)[tap], generator=generator)
        at = torch.from_numpy(QUARTERS[:: stride // 4, :: stride // 4].copy())
        noise = torch.randn(looks.shape[1], *at.shape, generator=generator)
        taps[tap] = (looks[at].permute(2, 0, 1) + 0.3 * noise).half()
    return Features(taps, SIDE, SIDE, (SIDE, SIDE), "")


def painted(*strokes: tuple[int, int, int], size: int = 8) -> NDArray[np.uint8]:
    """Squares of a class from (row, column), in pixels."""
    labels = np.full((SIDE, SIDE), 255, np.uint8)
    for row, column, label in strokes:
        labels[row : row + size, column : column + size] = label
    return labels


def logits(cells: NDArray[np.int64], classes: int = 3, certain: float = 3.0) -> torch.Tensor:
    """A head that says these classes."""
    return certain * torch.nn.functional.one_hot(torch.from_numpy(cells), classes).permute(2, 0, 1).float()


def shares(answer: torch.Tensor, label: int) -> list[float]:
    """How much of the inside of each quarter is of a class."""
    best = answer.argmax(0).numpy()
    inside = [best[1:14, 1:14], best[1:14, 20:32], best[20:32, 1:14], best[20:32, 20:32]]
    return [float((part == label).mean()) for part in inside]


def test_without_a_prior_the_strokes_alone_decide(features: Features) -> None:
    answer = fill(features, ROW, painted((20, 20, 0), (20, 100, 2)), 4)
    assert answer is not None
    assert answer.shape == (4, 33, 33)
    assert shares(answer, 0)[0] > 0.95
    assert shares(answer, 2)[1] > 0.95
    assert set(answer.argmax(0).unique().tolist()) == {0, 2}  # what has no stroke does not occur


def test_one_corrected_stroke_changes_what_looks_like_it_and_nothing_else(features: Features) -> None:
    prior = logits(QUARTERS % 2)
    answer = fill(features, ROW, painted((100, 20, 2)), 3, prior)
    assert answer is not None
    assert shares(answer, 2)[2] > 0.8  # the quarter that was painted in; its edge sees the others
    before = prior.argmax(0)
    elsewhere = torch.from_numpy(QUARTERS != 2)
    same = (answer.argmax(0) == before)[elsewhere].float().mean()
    assert same > 0.97


def test_strokes_that_agree_with_the_prior_change_nothing(features: Features) -> None:
    prior = logits(QUARTERS % 2)
    answer = fill(features, ROW, painted((20, 20, 0), (20, 100, 1)), 3, prior)
    assert answer is not None
    assert torch.equal(answer.argmax(0), prior.argmax(0))


def test_a_class_that_the_prior_does_not_know_comes_with_its_stroke_only(features: Features) -> None:
    prior = logits(QUARTERS % 2, 4)
    prior[2:] = NEVER
    answer = fill(features, ROW, painted((100, 100, 3)), 4, prior)
    assert answer is not None
    assert shares(answer, 3)[3] > 0.9
    assert not (answer.argmax(0) == 2).any()


def test_the_same_strokes_give_the_same_answer(features: Features) -> None:
    labels, prior = painted((20, 20, 0), (100, 20, 2)), logits(QUARTERS % 2)
    for given in (None, prior):
        one, two = (fill(features, ROW, labels, 3, given) for _ in range(2))
        assert one is not None
        assert two is not None
        assert torch.equal(one, two)


@pytest.mark.parametrize("with_prior", [False, True])
def test_one_class_only(features: Features, with_prior: bool) -> None:
    answer = fill(features, ROW, painted((20, 20, 1)), 3, logits(QUARTERS % 2) if with_prior else None)
    assert answer is not None
    assert bool(torch.isfinite(answer).all())
    best = answer.argmax(0)
    assert (best[4:8, 4:8] == 1).all()
    if not with_prior:
        assert (best == 1).all()


@pytest.mark.parametrize("with_prior", [False, True])
def test_one_pixel_only(features: Features, with_prior: bool) -> None:
    answer = fill(features, ROW, painted((50, 23, 2), size=1), 3, logits(QUARTERS % 2) if with_prior else None)
    assert answer is not None
    assert answer.argmax(0)[12, 6] == 2


def test_a_fill_takes_one_thread_and_leaves_their_number_as_it_was(
    features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, seen = torch.get_num_threads(), set()

    class Watched(Logistic):
        def fit(self, *arguments: Any) -> None:
            seen.add(torch.get_num_threads())
            super().fit(*arguments)

    monkeypatch.setattr("core_model.scribble.Logistic", Watched)
    torch.set_num_threads(2)
    try:
        assert fill(features, ROW, painted((20, 20, 0), (20, 100, 2)), 4) is not None
        assert seen == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_nothing_painted_gives_nothing(features: Features) -> None:
    assert fill(features, ROW, painted(), 3) is None
    assert fill(features, ROW, painted(), 3, logits(QUARTERS % 2)) is None


def test_strokes_of_a_larger_picture_are_the_same_strokes(features: Features) -> None:
    labels = painted((20, 20, 0), (20, 100, 2))
    large = np.repeat(np.repeat(labels, 3, 0), 3, 1)
    one, two = fill(features, ROW, labels, 3), fill(features, ROW, large, 3)
    assert one is not None
    assert two is not None
    assert torch.equal(one, two)


def test_what_is_shown_stays_where_nothing_looks_like_a_stroke(features: Features) -> None:
    """An earlier fill, mended by hand: the next one must not unmake it."""
    shown = np.kron(QUARTERS % 2, np.ones((4, 4))).astype(np.uint8)[:SIDE, :SIDE]
    strokes = painted((100, 20, 2), (20, 20, 0))
    without, with_shown = fill(features, ROW, strokes, 4), fill(features, ROW, strokes, 4, shown=shown)
    assert without is not None
    assert with_shown is not None
    right = torch.from_numpy(QUARTERS == 1) | torch.from_numpy(QUARTERS == 3)
    assert not (without.argmax(0) == 1).any()  # nobody has painted it
    assert (with_shown.argmax(0) == 1)[right].float().mean() > 0.9
    assert shares(with_shown, 2)[2] > 0.5
    assert not (with_shown.argmax(0) == 3).any()


def test_a_class_painted_after_a_fill_spreads(features: Features) -> None:
    """The earlier fill could not know of it, and little has been painted."""
    before = fill(features, ROW, painted((20, 20, 0), (20, 100, 1)), 3)
    assert before is not None
    strokes = painted((20, 20, 0), (20, 100, 1), (100, 100, 2), size=10)
    cells = before.argmax(0).numpy().astype(np.uint8)
    shown = np.kron(cells, np.ones((4, 4), np.uint8))[:SIDE, :SIDE]
    answer = fill(features, ROW, strokes, 3, shown=np.where(strokes == 255, shown, np.uint8(255)))
    assert answer is not None
    assert shares(answer, 2)[3] > 0.9
    assert shares(answer, 0)[0] > 0.9
    assert shares(answer, 1)[1] > 0.9


def test_where_much_is_painted_what_is_shown_counts_more_than_the_prior(features: Features) -> None:
    shown = np.kron(QUARTERS % 2, np.ones((4, 4))).astype(np.uint8)[:SIDE, :SIDE]
    prior = logits(QUARTERS % 2, 4)
    prior[:, 20:] = logits(np.full((13, 33), 2), 4)  # of the lower half it thinks otherwise
    prior[3] = NEVER
    shown[100:] = 3  # a class that this prior does not know
    strokes = painted((4, 4, 0), (4, 80, 1), size=40)
    answer = fill(features, ROW, strokes, 4, prior, np.where(strokes == 255, shown, np.uint8(255)))
    assert answer is not None
    assert bool(torch.isfinite(answer).all())
    agrees = (answer.argmax(0)[:16] == torch.from_numpy(QUARTERS % 2)[:16]).float().mean()
    assert agrees > 0.95
    assert (answer.argmax(0)[26:] == 3).float().mean() > 0.3
    assert fill(features, ROW, painted((20, 20, 0)), 4, prior, np.full_like(shown, 255)) is not None


def test_edges_of_strokes_count_little(features: Features) -> None:
    """A thin stroke of the other class beside a broad one: its cells show what is around it."""
    strokes = painted((20, 20, 0), (20, 80, 1), size=24)
    strokes[20:44, 43] = 1
    answer = fill(features, ROW, strokes, 2)
    assert answer is not None
    assert shares(answer, 0)[0] > 0.9
    assert shares(answer, 1)[1] > 0.9


def test_the_more_is_painted_the_firmer_the_rest_holds() -> None:
    firm = [FillSettings().firm(share) for share in (0, 0.003, 0.02, 0.05, 0.2, 1)]
    assert firm == sorted(firm)
    assert firm[0] == 0
    assert firm[-1] == FillSettings().firmest
