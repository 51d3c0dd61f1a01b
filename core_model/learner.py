"""What the loop asks of a recipe, and the card of what it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from core_model.card import Card
from core_model.metrics import Confusion

Scores = dict[str, Any]  # {"miou": …, "pixel_accuracy": …, "classes": {name: iou}}


class Learner(Protocol):
    """What a recipe gives to the loop: a module, and how to draw from, score and save it."""

    module: nn.Module  # in the mode (training, frozen BN) that it learns in
    batch: int  # pictures a step
    held_out: int  # pictures to score on

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups for AdamW, each with its peak `lr`."""
        ...

    def loss(self, batch: int) -> Tensor:
        """Draw at most `batch` pictures and give the mean loss of `module` on them."""
        ...

    def draws(self) -> dict[str, Any]:
        """Give what the next draws follow from, beside torch's generator; JSON values."""
        ...

    def redraw(self, draws: Mapping[str, Any]) -> None:
        """Go on from what `draws` gave, where it was among as many pictures."""
        ...

    def score(self, module: nn.Module) -> Confusion:
        """Predict every held-out picture with `module` and count."""
        ...

    def save(self, module: nn.Module, step: int, scores: Scores | None, partial: bool) -> Path:
        """Write `module` with its card to the job's `out` folder, atomically; give the head's path."""
        ...


def stamped(card: Card, step: int, scores: Scores | None, partial: bool) -> Card:
    """The card of weights that are written now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(card, scores=scores, partial=partial, created=now, notes={**card.notes, "steps": step})
