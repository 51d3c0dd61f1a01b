"""Multinomial logistic regression: the mathematics of the linear head and of filling from strokes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_LEAST_DEVIATION = 1e-3  # a channel that hardly moves must not be blown up

_ROWS = 2048  # at a time, so that no second copy of all values is needed


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean and deviation of each value: brought to 0 and 1, weights are compared fairly."""

    mean: Tensor  # (D,)
    deviation: Tensor  # (D,), above zero

    @classmethod
    def of(cls, values: Tensor) -> Standard:
        """Measure (n, D) float32."""
        mean = values.mean(0)
        squares = torch.zeros_like(mean)
        for part in torch.split(values, _ROWS):  # torch.std_mean takes twice as long over columns
            squares += (part - mean).square_().sum(0)
        return cls(mean, (squares / len(values)).sqrt_().clamp_(min=_LEAST_DEVIATION))

    def apply_(self, values: Tensor) -> Tensor:
        """Standardise (n, D) float32 in place."""
        return values.sub_(self.mean).div_(self.deviation)

    def inward(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (C, D) and bias (C,) on plain values → those on standardised ones that say the same."""
        return weight * self.deviation, bias + weight @ self.mean

    def outward(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weights and bias on standardised values → those on plain ones that say the same."""
        plain = weight / self.deviation
        return plain, bias - plain @ self.mean


class Logistic:
    """Weights (C, D) and bias (C,) that minimise the mean cross-entropy and decay / 2 times the squared weights.

    Logits are `offsets + weight @ values + bias`. The gradient is written out: with the classes in front both products
    run four times as fast as what autograd makes of them (measured). Whole batches: the same cells, the same weights.
    """

    def __init__(
        self,
        values: Tensor,  # (n, D) float32, standardised
        targets: Tensor,  # (C, n) float32: a distribution over the classes for each cell, times the cell's weight
        decay: float,
        offsets: Tensor | None = None,  # (C, n)
    ) -> None:
        self._values, self._targets, self._decay, self._offsets = values, targets, decay, offsets
        self._share = targets.sum(0)  # (n,)
        self._total = float(self._share.sum())
        self.weight = values.new_zeros(len(targets), values.shape[1])
        self.bias = values.new_zeros(len(targets))

    def fit(self, iterations: int, told: Callable[[float], None] | None = None) -> None:
        """Take at most so many steps of L-BFGS with strong Wolfe conditions; `told` hears the loss at each look."""
        optimizer = torch.optim.LBFGS(
            [self.weight, self.bias],
            max_iter=iterations,
            tolerance_grad=1e-5,
            tolerance_change=1e-7,
            history_size=10,
            line_search_fn="strong_wolfe",
        )

        def look() -> float:
            loss = self._look()
            if told is not None:
                told(loss)
            return loss

        optimizer.step(look)  # type: ignore[no-untyped-call]

    def _look(self) -> float:
        logits = self.weight @ self._values.t() + self.bias[:, None]  # (C, n)
        if self._offsets is not None:
            logits += self._offsets
        log = torch.log_softmax(logits, 0)
        loss = -float((log * self._targets).sum()) / self._total
        wrong = (log.exp_() * self._share - self._targets) / self._total  # (C, n)
        self.weight.grad = wrong @ self._values + self._decay * self.weight
        self.bias.grad = wrong.sum(1)
        return loss + self._decay / 2 * float(self.weight.square().sum())


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """(n,) int64 → (classes, n) float32."""
    targets = torch.zeros(classes, len(labels), device=labels.device)
    return targets.scatter_(0, labels[None], 1.0)
