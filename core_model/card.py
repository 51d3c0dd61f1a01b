"""The card of a weight file: what it is, what it learnt from, how good it is."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal


class WeightsError(ValueError):
    """A weight file that cannot be used: one clear line says why."""


@dataclass(frozen=True)
class Card:
    """Travels as JSON in the metadata of a safetensors file."""

    kind: Literal["head", "backbone", "network"]  # network: a backbone and its head in one file
    variant: str
    head: str = ""  # a key of HEADS; "" for a backbone
    output_stride: int = 16
    backbone: str = ""  # sha256 of the backbone FILE that the head stands on
    classes: tuple[str, ...] = ()
    working_size: int = 1024  # longest side in pixels at most
    pooling_norm: bool = True  # BN in ASPP's image pooling
    decoder: bool = True  # of an ASPP head; without one it classifies ASPP's map
    reads: tuple[str, ...] = ()  # the taps, or means of them, that the head reads; (): what its variant says
    parent: str | None = None  # the version that learning continued from
    recipe: str = ""
    learnt_from: dict[str, Any] = field(default_factory=dict)  # images, pixels, …
    scores: dict[str, Any] | None = None  # {"miou", "pixel_accuracy", "classes": {name: iou}}; None: not measured
    partial: bool = False  # learning was stopped before its end
    created: str = ""  # ISO 8601
    notes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the card as JSON, the same bytes for the same card."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card; fields that a later version added are left out. WeightsError when it is none."""
        try:
            fields = json.loads(text)
            known = {f.name: fields[f.name] for f in dataclasses.fields(cls) if f.name in fields}
            card = cls(**{**known, **{name: tuple(known.get(name, ())) for name in ("classes", "reads")}})
        except (ValueError, TypeError) as error:
            raise WeightsError(f"the card in the file cannot be read ({error})") from error
        card._check()
        return card

    def _check(self) -> None:
        right = (
            self.kind in ("head", "backbone", "network")
            and all(isinstance(word, str) for word in (self.variant, self.head, self.backbone))
            and all(isinstance(word, str) for word in (*self.classes, *self.reads))
            and self.output_stride in (8, 16, 32)
            and isinstance(self.working_size, int)
            and 0 < self.working_size < 1_000_000
            and len(self.classes) < 256
        )
        if not right:
            raise WeightsError("the card in the file has values that make no sense")
