"""Logistic regression finds the minimum that its formula names."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from core_model.logistic import Logistic, Standard, one_hot


def clouds(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    labels = torch.arange(count) % 3
    return torch.randn(count, 4) + 2 * F.one_hot(labels, 4), labels


@pytest.mark.parametrize("with_offsets", [False, True])
def test_the_gradient_of_the_loss_is_zero_at_the_end(with_offsets: bool) -> None:
    values, labels = clouds()
    offsets = torch.randn(3, len(labels)) if with_offsets else None
    weights = torch.rand(len(labels))
    logistic = Logistic(values, one_hot(labels, 3) * weights, 0.1, offsets)
    logistic.fit(100)
    weight, bias = logistic.weight.clone().requires_grad_(), logistic.bias.clone().requires_grad_()
    logits = values @ weight.t() + bias + (0 if offsets is None else offsets.t())
    loss = (F.cross_entropy(logits, labels, reduction="none") * weights).sum() / weights.sum()
    (loss + 0.05 * weight.square().sum()).backward()
    assert float(weight.grad.abs().max()) < 1e-4
    assert float(bias.grad.abs().max()) < 1e-4


def test_every_look_is_told_and_the_loss_falls() -> None:
    values, labels = clouds()
    losses: list[float] = []
    logistic = Logistic(values, one_hot(labels, 3), 0.1)
    logistic.fit(20, losses.append)
    assert losses[0] == pytest.approx(float(torch.tensor(3.0).log()))
    assert min(losses) == pytest.approx(losses[-1], abs=1e-4)
    assert losses[-1] < losses[0] / 2


def test_the_same_cells_give_the_same_weights() -> None:
    values, labels = clouds()
    fits = []
    for _ in range(2):
        logistic = Logistic(values, one_hot(labels, 3), 0.1)
        logistic.fit(20)
        fits.append(logistic.weight)
    assert torch.equal(*fits)


def test_standardised_weights_say_the_same_as_plain_ones() -> None:
    values, _ = clouds()
    values = values * torch.tensor([1.0, 100.0, 0.01, 5.0]) + 7
    values[:, 3] = 2.0  # never moves
    standard = Standard.of(values)
    weight, bias = torch.randn(3, 4), torch.randn(3)
    plain = standard.outward(weight, bias)
    inside = standard.apply_(values.clone())
    torch.testing.assert_close(inside[:, :3].mean(0), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(inside[:, :3].std(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(values @ plain[0].t() + plain[1], inside @ weight.t() + bias, atol=1e-2, rtol=1e-3)
    back = standard.inward(*plain)
    torch.testing.assert_close(back[0], weight, atol=1e-4, rtol=1e-4)
