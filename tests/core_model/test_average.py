from __future__ import annotations

import pytest
import torch
from torch import nn

from core_model.average import Average


def test_it_is_the_mean_that_its_definition_says() -> None:
    module = nn.Linear(1, 1, bias=False)
    average = Average(module, 0.9)
    wanted = float(module.weight.detach())
    for step in range(200):
        with torch.no_grad():
            module.weight.fill_(step % 7)
        average.update(module, step)
        decay = min(0.9, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * (step % 7)
        assert float(average.module.weight) == pytest.approx(wanted, rel=1e-4)  # type: ignore[arg-type]
    assert not any(parameter.requires_grad for parameter in average.module.parameters())


def test_the_start_is_soon_forgotten() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1000.0)
    average = Average(module, 0.999)
    nn.init.zeros_(module.weight)
    for step in range(30):
        average.update(module, step)
    assert abs(float(average.module.weight)) < 1  # type: ignore[arg-type]


def test_statistics_go_along_and_counters_are_copied() -> None:
    module = nn.BatchNorm1d(2)
    average = Average(module, 0.5)
    module(torch.tensor([[1.0, 5.0], [3.0, 7.0]]))
    average.update(module, 100)
    statistics, now = average.module.state_dict(), module.state_dict()
    torch.testing.assert_close(statistics["running_mean"], now["running_mean"] / 2)
    assert int(statistics["num_batches_tracked"]) == 1


@pytest.mark.parametrize("decay", [0.0, 1.0, -1.0])
def test_a_decay_that_is_no_share_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Average(nn.Linear(1, 1), decay)
