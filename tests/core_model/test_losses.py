from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core_model.losses import class_weights, cross_entropy


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
