"""A moving average of weights: steadier than the weights of any one step."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of a module's parameters and statistics (Polyak and Juditsky 1992).

    `decay` is the share of what was before that a step leaves; less in the first steps, where it would be the random
    start that stays. `module` holds the average, in evaluation mode.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"the decay is a share between 0 and 1, not {decay}")
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights after step number `step` (from 0)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        own: list[Tensor] = []
        new: list[Tensor] = []
        for average, now in zip(self.module.state_dict().values(), module.state_dict().values(), strict=True):
            if average.is_floating_point():
                own.append(average)
                new.append(now)
            else:  # BN's counters
                average.copy_(now)
        torch._foreach_lerp_(own, new, 1 - decay)
