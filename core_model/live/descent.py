"""A descent without an end: AdamW at a constant rate, and the mean of the last weights, which is what predicts."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core_model.average import Average
from core_model.events import Events
from core_model.heads import VotingHead
from core_model.memory import out_of_memory
from core_model.quick import Quick


@dataclass(frozen=True)
class Slope:
    """How it goes down; the peak rate is the recipe's."""

    share: float = 0.4  # of the peak rate: the mean of the weights does what a falling rate would
    warm_up: int = 20  # steps
    window: int = 100  # steps that the mean looks back on
    snapshot: int = 20  # steps between copies to go back to
    rollbacks: int = 6  # in a row, before it gives up


class Descent:
    """Takes steps with a head; goes back where the loss is no number, and makes do with less memory."""

    def __init__(self, head: VotingHead, batch: int, events: Events, slope: Slope | None = None) -> None:
        self.head, self.batch = head, batch
        self.steps = 0
        self.given_up = False
        self._events, self._slope = events, slope or Slope()
        self._average = Average(head, 1 - 1 / self._slope.window)
        self._averaged = 0  # steps that it has taken in
        self._optimizer: torch.optim.Optimizer | None = None
        self._slowed, self._rolled_back = 1.0, 0
        self._good = self._snapshot()

    @property
    def mean(self) -> VotingHead:
        """The mean of the last weights; it goes on changing."""
        module = self._average.module
        assert isinstance(module, VotingHead)
        return module

    def resume(self, steps: int) -> None:
        """Head and mean have been given weights that took so many steps; the rate warms up again."""
        self._averaged = steps
        self._good = self._snapshot()

    def step(self, drawn: Callable[[int], Quick]) -> float | None:
        """Take a step with what is drawn for a batch of at most so many; its loss, None where it came to nothing."""
        try:
            return self._step(drawn(self.batch))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            self._halve_batch()
            return None

    def _step(self, quick: Quick) -> float | None:
        if self._optimizer is None:
            groups = [{**group, "peak": group["lr"]} for group in quick.groups()]
            self._optimizer = torch.optim.AdamW(groups)
        rate = self._slope.share * self._slowed * min(1.0, (self.steps + 1) / self._slope.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        self._optimizer.zero_grad(set_to_none=True)
        loss = quick.loss(self.batch)
        value = float(loss.detach())
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.head.parameters(), math.inf)  # measures, cuts nothing
        if not math.isfinite(value) or not math.isfinite(norm):
            self._roll_back()
            return None
        if self.steps % self._slope.snapshot == 0:
            self._good, self._rolled_back = self._snapshot(), 0
        self._optimizer.step()
        self._average.update(self.head, self._averaged)
        self._averaged += 1
        self.steps += 1
        return value

    def _snapshot(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
        optimizer = self._optimizer.state_dict() if self._optimizer is not None else None
        return copy.deepcopy((self.head.state_dict(), self.mean.state_dict(), optimizer))

    def _restore(self) -> None:
        head, mean, optimizer = copy.deepcopy(self._good)
        self.head.load_state_dict(head)
        self.mean.load_state_dict(mean)
        if optimizer is None:
            self._optimizer = None
        elif self._optimizer is not None:
            self._optimizer.load_state_dict(optimizer)

    def _roll_back(self) -> None:
        self._rolled_back += 1
        self._restore()
        self._slowed /= 2
        self.given_up = self._rolled_back > self._slope.rollbacks
        then = (
            "waits for the next correction" if self.given_up else "went back to the last good weights, at half the rate"
        )
        self._events.emit("warning", text=f"the quick head's loss was no number: {then}")

    def _halve_batch(self) -> None:
        self.given_up = self.batch == 1
        self.batch = max(1, self.batch // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._restore()  # the optimiser may have been in the middle of its step
        then = "waits for the next correction" if self.given_up else f"goes on with {self.batch} pictures a step"
        self._events.emit("warning", text=f"not enough memory for the quick head: {then}")

    def try_again(self) -> None:
        """Something is new: it is worth another try."""
        self.given_up, self._rolled_back = False, 0
