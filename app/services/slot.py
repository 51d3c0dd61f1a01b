"""The slot of live learning: one version that is overwritten by each new head, until somebody wants to keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.job import Job, Progress
from app.services.errors import Refusal
from app.services.model import SUFFIX, Model, copy_whole
from app.services.models import SLOT, Models
from app.storage.catalogue import ModelRecord
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Card


@dataclass(frozen=True)
class LiveHead:
    """A new head in the slot."""

    model: Model
    used: bool
    """Whether it predicts."""

    lead: float | None = None
    """It has just taken over from another head: by what share of the pixels it was better on the last pictures."""


def put(project: Project, head: Path, backbone: Path, learnt: Mapping[str, int]) -> LiveHead:
    """Puts a head into the slot; it predicts at once where the one before did, or where nothing else does.

    `learnt`: ids of what it has learnt from, each with the last journal entry that was learnt.
    Refusal when the file is no head; OSError when the disk refuses: the slot is as it was.
    """
    import core_model

    try:
        card = core_model.read_card(head)
    except core_model.WeightsError as error:
        raise Refusal(str(error)) from error
    kept = project.backbone_dir / f"{card.backbone}{SUFFIX}"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        copy_whole(backbone, kept)
    project.model_dir.mkdir(parents=True, exist_ok=True)
    copy_whole(head, project.model_dir / f"{SLOT}{SUFFIX}")
    project.catalogue.add_model(ModelRecord(SLOT, card.backbone, card.to_json(), card.created))
    project.catalogue.agreement.note_learnt(SLOT, learnt)
    models = Models(project)
    if models.in_use() is None:
        models.use(SLOT)
    model, current = models.version(SLOT), models.in_use()
    assert model is not None
    return LiveHead(model, used=current is not None and current.version == SLOT)


def keep_version(project: Project) -> Job[Model]:
    """Makes a version that stays of what is in the slot. Refusal where nothing has been learnt live yet; OSError."""
    yield Progress()
    models = Models(project)
    slot = models.version(SLOT)
    if slot is None:
        raise Refusal("live learning has learnt nothing yet: review a picture first")

    def whole(card: Card) -> Card:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return replace(card, partial=False, classes=slot.classes, created=now)

    model = models.adopt(slot.head, slot.backbone, name=SLOT, change=whole)
    project.catalogue.agreement.note_learnt(model.version, {}, SLOT)
    return model
