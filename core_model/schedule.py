"""How far learning has come, and the rate at that point: over steps, over elapsed time, or whichever ends first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# pictures and the seconds that they need on two cores, measured on CamVid (480 x 360) with the quick recipe
_IMAGES = (1, 5, 20, 60, 400)
_SECONDS = (40, 60, 150, 180, 300)


def default_minutes(recipe: str, images: int, cuda: bool) -> float:
    """Minutes to learn `images` pictures when nobody said how long; more for `full`, a third on a GPU."""
    seconds = float(np.interp(math.log(max(images, 1)), np.log(_IMAGES), _SECONDS))
    return seconds / 60 * (5.0 if recipe == "full" else 1.0) * (0.35 if cuda else 1.0)


@dataclass(frozen=True)
class Schedule:
    """Poly decay `(1 - t)^power` (Chen et al. 2017) after a linear warm-up, or after a slow start at one low rate.

    `t` is the share of the steps or of the seconds that is over, the larger one where both are given.
    With steps alone, no clock has a say, and the same job gives the same weights.
    """

    steps: int | None
    seconds: float | None
    power: float = 0.9
    warmup: int = 20  # steps; but never more than a tenth of the whole; 0: none
    slow_start: int = 0  # steps at `slow_factor` of the peak rate, before all else
    slow_factor: float = 0.0

    def fraction(self, step: int, elapsed: float) -> float:
        """The share 0..1 that is over after `step` steps and `elapsed` seconds; 1 = ended."""
        over = [0.0]
        if self.steps is not None:
            over.append(step / self.steps)
        if self.seconds is not None:
            over.append(elapsed / self.seconds)
        return min(1.0, max(over))

    def rate(self, step: int, elapsed: float) -> float:
        """The factor 0..1 on the peak learning rate for step number `step` (from 0)."""
        if step < self.slow_start:
            return self.slow_factor
        fraction = self.fraction(step, elapsed)
        warm = max((step + 1) / self.warmup, fraction / 0.1) if self.warmup else 1.0
        return min(1.0, warm) * math.pow(1.0 - fraction, self.power)
