from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from core_model.losses import class_weights, cross_entropy, dice, lovasz_softmax


def _logits(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def test_ignored_pixels_do_not_count() -> None:
    logits, truth = _logits(), torch.randint(0, 3, (2, 5, 4), generator=torch.Generator().manual_seed(1))
    truth[0, :3] = 255
    known = truth != 255
    mean = F.cross_entropy(logits.permute(0, 2, 3, 1)[known], truth[known])
    loss = cross_entropy(logits, truth, None)
    torch.testing.assert_close(loss, mean)
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[0, :, :3] == 0).all()


def test_weighted_mean_as_torch_defines_it() -> None:
    logits, truth = _logits(), torch.randint(0, 3, (2, 5, 4), generator=torch.Generator().manual_seed(1))
    weights = torch.tensor([0.5, 1.0, 4.0])
    torch.testing.assert_close(cross_entropy(logits, truth, weights), F.cross_entropy(logits, truth, weights))


def test_nothing_labelled_is_no_loss_and_no_gradient() -> None:
    logits = _logits()
    loss = cross_entropy(logits, torch.full((2, 5, 4), 255), torch.ones(3))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_rare_classes_weigh_more_and_the_mean_over_pixels_is_one() -> None:
    pixels = np.array([900, 100, 0], np.int64)
    weights = class_weights(pixels, 0.5)
    assert weights[1] / weights[0] == pytest.approx(3)
    assert weights[2] == 1
    assert float(weights[0] * 0.9 + weights[1] * 0.1) == pytest.approx(1)
    assert class_weights(pixels, 0.0).tolist() == [1, 1, 1]


def test_a_stray_dab_does_not_outweigh_a_picture() -> None:
    weights = class_weights(np.array([10**6, 3], np.int64), 0.5)
    assert weights[1] / weights[0] < 33


TRUTHS = st.lists(st.sampled_from([0, 1, 2, 255]), min_size=1, max_size=8)


def _naive_lovasz(shares: list[list[float]], truth: list[int]) -> float:
    """The extension of the Jaccard loss of each class that occurs, as its definition says: pixel by pixel."""
    known = [pixel for pixel, label in enumerate(truth) if label != 255]
    losses = []
    for label in {truth[pixel] for pixel in known}:
        errors = {p: 1 - shares[p][label] if truth[p] == label else shares[p][label] for p in known}
        own = {pixel for pixel in known if truth[pixel] == label}

        def jaccard(wrong: set[int], own: set[int] = own) -> float:
            return 1 - len(own - wrong) / len(own | wrong)

        loss, wrong = 0.0, set[int]()
        for pixel in sorted(known, key=lambda p: -errors[p]):
            before = jaccard(wrong) if wrong else 0.0
            wrong.add(pixel)
            loss += errors[pixel] * (jaccard(wrong) - before)
        losses.append(loss)
    return sum(losses) / len(losses) if losses else 0.0


def _naive_dice(shares: list[list[float]], truth: list[int]) -> float:
    known = [pixel for pixel, label in enumerate(truth) if label != 255]
    losses = []
    for label in {truth[pixel] for pixel in known}:
        both = sum(shares[p][label] for p in known if truth[p] == label)
        losses.append(1 - 2 * both / sum(shares[p][label] + (truth[p] == label) for p in known))
    return sum(losses) / len(losses) if losses else 0.0


@given(truth=TRUTHS, seed=st.integers(0, 999))
def test_lovasz_and_dice_are_what_their_definitions_say(truth: list[int], seed: int) -> None:
    logits = 2 * torch.randn(1, 3, 1, len(truth), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    shares = torch.softmax(logits, 1)[0, :, 0].t().tolist()
    labels = torch.tensor(truth).view(1, 1, -1)
    assert lovasz_softmax(logits, labels).item() == pytest.approx(_naive_lovasz(shares, truth), abs=1e-9)
    assert dice(logits, labels).item() == pytest.approx(_naive_dice(shares, truth), abs=1e-9)


@pytest.mark.parametrize("loss", [lovasz_softmax, dice])
def test_losses_of_overlap_fall_towards_zero_and_leave_ignored_pixels_alone(
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    logits, truth = _logits(), torch.randint(0, 3, (2, 5, 4), generator=torch.Generator().manual_seed(1))
    truth[0, :3] = 255
    value = loss(logits, truth)
    value.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad[0, :, :3] == 0).all()
    assert (logits.grad[1] != 0).any()
    certain = 50.0 * F.one_hot(truth.clamp(max=2), 3).movedim(-1, 1)
    assert loss(certain, truth).item() == pytest.approx(0, abs=1e-5)
    nothing = loss(logits, torch.full_like(truth, 255))
    assert nothing.item() == 0
    assert torch.autograd.grad(nothing, logits)[0].abs().max() == 0


def test_a_class_that_is_neither_there_nor_likely_has_a_gradient_of_zero() -> None:
    logits = torch.tensor([0.0, 0.0, -1e4]).view(1, 3, 1, 1).repeat(1, 1, 2, 2).requires_grad_()  # its softmax is 0
    loss = dice(logits, torch.tensor([[[0, 1], [1, 0]]]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(0.5)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
