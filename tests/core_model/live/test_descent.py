"""The endless descent: what it does in trouble."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core_model.card import Card
from core_model.events import Events
from core_model.heads import VotingHead
from core_model.live.descent import Descent, Slope
from core_model.quick import Quick
from core_model.variants import VARIANTS


class Shot:
    """A look at random taps."""

    size = (33, 33)

    def __init__(self, seed: int) -> None:
        self.rng = torch.Generator().manual_seed(seed)

    def load(self) -> Any:
        head = VotingHead(VARIANTS["xception_slim"], 2)
        wide = {"low_level": head.decoder.low_level.conv.in_channels, "exit": head.aspp.point.conv.in_channels}  # type: ignore[union-attr]
        sides = {"low_level": 9, "exit": 3}
        taps = {name: torch.randn(wide[name], sides[name], sides[name], generator=self.rng) for name in wide}
        truth = np.zeros((33, 33), np.uint8)
        truth[:, 16:] = 1
        return taps, truth


class Descending:
    """A descent whose losses a test can spoil."""

    def __init__(self, slope: Slope | None = None) -> None:
        torch.manual_seed(0)
        self.stream = io.StringIO()
        self.head = VotingHead(VARIANTS["xception_slim"], 2)
        self.card = Card("head", "xception_slim", classes=("a", "b"))
        self.descent = Descent(self.head, 2, Events(self.stream), slope)
        self.batches: list[int] = []

    def drawn(self, batch: int) -> Quick:
        self.batches.append(batch)
        looks = [Shot(seed) for seed in range(batch)]
        pixels = np.array([1, 1], np.int64)
        return Quick(self.head, self.card, None, looks, [], pixels, torch.device("cpu"), 0)  # type: ignore[arg-type]

    def step(self) -> float | None:
        return self.descent.step(self.drawn)

    @property
    def warnings(self) -> list[str]:
        return [json.loads(line)["text"] for line in self.stream.getvalue().splitlines()]

    @property
    def rate(self) -> float:
        assert self.descent._optimizer is not None
        return float(self.descent._optimizer.param_groups[0]["lr"])


def weights(head: VotingHead) -> Tensor:
    return torch.cat([tensor.detach().flatten().float() for tensor in head.parameters()])


def way(places: list[Tensor]) -> float:
    """How far it is from each to the next, together."""
    return sum(float((a - b).norm()) for a, b in pairwise(places))


def spoiled(monkeypatch: pytest.MonkeyPatch, times: int, spoil: Any) -> None:
    """The next so many losses are spoiled."""
    original, left = Quick.loss, [times]

    def loss(self: Quick, batch: int) -> Tensor:
        if left[0] > 0:
            left[0] -= 1
            return spoil(original(self, batch))  # type: ignore[no-any-return]
        return original(self, batch)

    monkeypatch.setattr(Quick, "loss", loss)


def no_memory(_loss: Tensor) -> Tensor:
    raise RuntimeError("[enforce fail] not enough memory: you tried to allocate 9 bytes")


def test_the_rate_warms_up_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Descending(Slope(share=0.5, warm_up=4))
    rates = []
    for _ in range(8):
        down.step()
        rates.append(down.rate)
    peak = down.drawn(2).groups()[0]["lr"]
    assert rates == pytest.approx([0.5 * peak * min(1, (n + 1) / 4) for n in range(8)])


def test_the_mean_follows_slower_than_the_weights() -> None:
    down = Descending(Slope(window=10))
    for _ in range(12):
        assert down.step() is not None
    seen = [weights(down.head)]
    means = [weights(down.descent.mean)]
    for _ in range(4):
        down.step()
        seen.append(weights(down.head))
        means.append(weights(down.descent.mean))
    assert way(means) < way(seen)
    assert torch.isfinite(means[-1]).all()


def test_no_number_goes_back_to_the_last_good_weights_at_half_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Descending(Slope(warm_up=1, snapshot=1))
    down.step()
    good = weights(down.head)
    down.step()
    before, rate = weights(down.descent.mean), down.rate
    spoiled(monkeypatch, 1, lambda loss: loss * float("nan"))
    assert down.step() is None
    assert torch.equal(weights(down.head), good)
    assert not torch.equal(weights(down.descent.mean), before)
    assert "at half the rate" in down.warnings[0]
    assert down.step() is not None
    assert down.rate == pytest.approx(rate / 2)
    assert not down.descent.given_up


def test_a_loss_that_stays_no_number_is_given_up_until_something_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Descending(Slope(rollbacks=2))
    spoiled(monkeypatch, 3, lambda loss: loss * float("inf"))
    for _ in range(3):
        assert down.step() is None
    assert down.descent.given_up
    assert "waits for the next correction" in down.warnings[-1]
    down.descent.try_again()
    assert down.step() is not None
    assert torch.isfinite(weights(down.descent.mean)).all()


def test_without_enough_memory_the_batch_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Descending()
    spoiled(monkeypatch, 2, no_memory)
    assert down.step() is None
    assert "goes on with 1 pictures" in down.warnings[0]
    assert not down.descent.given_up
    assert down.step() is None
    assert down.descent.given_up
    down.descent.try_again()
    assert down.step() is not None
    assert down.batches == [2, 1, 1]


def test_another_error_goes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_loss: Tensor) -> Tensor:
        raise RuntimeError("shapes differ")

    down = Descending()
    spoiled(monkeypatch, 1, broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        down.step()
