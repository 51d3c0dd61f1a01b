"""A model: a head on its backbone, and the files that both of them are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import resources
from app.services.errors import Refusal

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Model:
    """A head on its backbone: what predicts."""

    version: str
    """Its name in the project, or the file's name where it is none of the project's."""

    head: Path
    backbone: Path
    card: Mapping[str, Any] = field(hash=False)
    """What it is, learnt from and scored; see core_model.Card."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what it knows, by its own indices."""
        return tuple(self.card["classes"])

    @property
    def working_size(self) -> int:
        """Longest side in pixels at which it learnt."""
        return int(self.card["working_size"])

    @property
    def scores(self) -> Mapping[str, Any] | None:
        """Its scores on held-out images (`miou`, `pixel_accuracy`, `classes`), None: not measured."""
        scores: Mapping[str, Any] | None = self.card["scores"]
        return scores


def read_model(head: Path, *places: Path) -> Model:
    """A model file with its backbone: in one of the places (files or folders), beside it, or among those that ship.

    Only the card is read. Refusal, in one line, when the file is no head or its backbone is nowhere.
    """
    import core_model

    try:
        card = core_model.read_card(head)
    except (core_model.WeightsError, OSError) as error:
        raise Refusal(str(error)) from error
    if card.kind != "head":
        raise Refusal(f"{head.name} is a {card.kind}: it knows no classes; choose a head that was learnt on it")
    for place in (*places, head.parent, resources.path("models")):
        for file in _backbones(place, card.backbone):
            return Model(head.stem, head, file, json.loads(card.to_json()))
    raise Refusal(
        f"the backbone that {head.name} was learnt on ({card.variant}, sha256 {card.backbone[:12]}…) is not here: "
        f"put its file beside {head.name}"
    )


def _backbones(place: Path, sha256: str) -> list[Path]:
    """Files at a place with that sha256; by name where the name says it, else those whose card says backbone."""
    import core_model

    if place.is_file():
        return [place] if core_model.file_sha256(place) == sha256 else []
    if (named := place / f"{sha256}{SUFFIX}").is_file():
        return [named]
    found = []
    for file in sorted(place.glob(f"*{SUFFIX}")):
        try:
            if core_model.read_card(file).kind == "backbone" and core_model.file_sha256(file) == sha256:
                found.append(file)
        except (core_model.WeightsError, OSError):
            continue  # a neighbour that is damaged or not ours is not what was asked for
    return found


def shipped_backbone(variant: str) -> Path:
    """The backbone of a variant that ships. Refusal where none does."""
    import core_model

    if variant not in core_model.VARIANTS:
        raise Refusal(f"there is no variant {variant!r}; there are {', '.join(core_model.VARIANTS)}")
    for file in sorted(resources.path("models").glob(f"*{SUFFIX}")):
        card = core_model.read_card(file)
        if card.kind == "backbone" and card.variant == variant:
            return file
    raise Refusal(f"no backbone ships for {variant}; train with --variant xception")


def copy_whole(source: Path, target: Path) -> None:
    """A copy that is there completely or not at all. Raises OSError."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
