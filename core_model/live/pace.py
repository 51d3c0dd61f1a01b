"""How the quick head goes on beside the hand: when it begins, what it spends its time on, when it rests."""

from __future__ import annotations

from dataclasses import dataclass, field

from core_model.live.descent import Slope


@dataclass(frozen=True)
class Pace:
    """How it goes on; the head's own numbers are in `QuickSettings`."""

    least: int = 5  # pictures to begin with: below, the linear head is better whatever the time (measured)
    looking: float = 0.4  # of its time goes into further views of the pictures, until there are all
    few: int = 4  # steps with a new picture, then it is held
    hurry: float = 4.0  # seconds that somebody waits at most: after them what there is is published
    round_seconds: float = 40.0  # of its own time between two looks at how good it is
    gain: float = 0.002  # of mIoU that a round has to gain
    loss_gain: float = 0.02  # of the loss, where there is no held-out picture
    rounds: int = 4  # without that, then nothing improves
    slope: Slope = field(default_factory=Slope)
