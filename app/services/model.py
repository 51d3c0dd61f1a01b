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
from app.storage.project import Project

SUFFIX = ".safetensors"
SHIPPED = "xception"
"""The variant whose backbone comes with the program."""


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

    A network in one file is both. Only the card is read. Refusal, in one line, when the file is neither that nor a
    head, or the head's backbone is nowhere.
    """
    import core_model

    try:
        card = core_model.read_card(head)
    except (core_model.WeightsError, OSError) as error:
        raise Refusal(str(error)) from error
    if card.kind == "network":
        return Model(head.stem, head, head, {**json.loads(card.to_json()), "backbone": core_model.file_sha256(head)})
    if card.kind != "head":
        raise Refusal(f"{head.name} is a {card.kind}: it knows no classes; choose a head that was learnt on it")
    file = core_model.find_backbone(card.backbone, *places, head.parent, resources.path("models"))
    if file is not None:
        return Model(head.stem, head, file, json.loads(card.to_json()))
    raise Refusal(
        f"the backbone that {head.name} was learnt on ({card.variant}, sha256 {card.backbone[:12]}…) is not here: "
        f"put its file beside {head.name}"
    )


def starting_backbone(project: Project, variant: str | None = None) -> tuple[Path, str]:
    """The backbone that learning from scratch stands on, and its variant: the project's own, else the one that ships.

    variant: the one that was asked for; a project's own of another one is passed over. Refusal where there is none.
    """
    import core_model

    if sha256 := project.settings.backbone:
        file = project.backbone_dir / f"{sha256}{SUFFIX}"
        try:
            own = core_model.read_card(file).variant
        except (core_model.WeightsError, OSError) as error:
            raise Refusal(
                f"the backbone that atrous.toml names cannot be used ({error}): add it again, or delete that line"
            ) from error
        if variant in (None, own):
            return file, own
    return shipped_backbone(variant or SHIPPED), variant or SHIPPED


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
