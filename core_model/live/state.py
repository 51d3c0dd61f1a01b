"""The quick head between two lives of the child: weights, their mean, and what they know, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core_model.card import Card, WeightsError
from core_model.checkpoint import fill, read, save, tensors_of
from core_model.heads import VotingHead


@dataclass(frozen=True)
class State:
    """What is kept."""

    head: VotingHead
    mean: VotingHead
    classes: tuple[str, ...]  # of both
    parent: str | None
    held: Mapping[str, int]  # the revision of each picture that they know
    step: int
    seated: bool  # whether this head predicted

    def write(self, path: Path, card: Card) -> None:
        """Write it in one piece; OSError leaves the one before."""
        parts = {"head": self.head, "mean": self.mean}
        tensors = {f"{part}.{name}": t for part, module in parts.items() for name, t in tensors_of(module).items()}
        notes = {"held": dict(self.held), "step": self.step, "seated": self.seated}
        save(path, tensors, replace(card, classes=self.classes, parent=self.parent, notes=notes))

    @classmethod
    def read(cls, path: Path, like: VotingHead, backbone: str) -> State | None:
        """Read it; None where there is none, or it is of another network. WeightsError where it is damaged."""
        if not path.is_file():
            return None
        card, tensors = read(path)
        if (card.backbone, card.variant, card.output_stride) != (backbone, like.variant.name, like.output_stride):
            return None
        heads = {}
        for part in ("head", "mean"):
            heads[part] = VotingHead(like.variant, len(card.classes), like.output_stride, like.pooling_norm)
            given = {key.removeprefix(f"{part}."): t for key, t in tensors.items() if key.startswith(f"{part}.")}
            fill(heads[part], given, path.name)
        try:
            held = {str(key): int(value) for key, value in card.notes["held"].items()}
            step, seated = int(card.notes["step"]), bool(card.notes["seated"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WeightsError(f"{path.name} does not say what it knows") from error
        return cls(heads["head"], heads["mean"], card.classes, card.parent, held, step, seated)
