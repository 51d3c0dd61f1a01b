"""The head that learning starts from: fresh, or the version in use with its classes matched by name."""

from __future__ import annotations

from typing import NamedTuple

import torch

from core_model.checkpoint import load_head
from core_model.heads import HEADS, AsppDecoderHead, Head, LinearHead, VotingHead
from core_model.job import Job, JobError
from core_model.variants import VARIANTS

KINDS = {"linear": LinearHead, "quick": VotingHead, "full": AsppDecoderHead}
"""The head that a recipe learns. With all layers learning, a linear part would be of a backbone that is gone."""


class Start(NamedTuple):
    """Where learning begins."""

    head: Head
    parent: str | None  # the version that it continues; None: it is fresh
    warning: str | None  # why it is fresh although there was a head


def can_continue(kind: str, recipe: str) -> bool:
    """Tell whether a recipe can go on from a head of that kind: what a linear one knows has no place in ASPP."""
    return kind in HEADS and (HEADS[kind] is LinearHead) == (KINDS[recipe] is LinearHead)


def starting_head(job: Job, backbone_sha256: str) -> Start:
    """Give a head for the job's classes; one on another backbone, or of another kind, has nothing to give it."""
    head = KINDS[job.recipe](VARIANTS[job.variant], len(job.classes), job.output_stride)
    if job.head is None:
        return Start(head, None, None)
    parent = load_head(job.head)
    card = parent.card
    assert card is not None
    fits = (
        card.backbone == backbone_sha256
        and can_continue(parent.kind, job.recipe)
        and (card.variant, card.output_stride) == (job.variant, job.output_stride)
        and parent.pooling_norm == head.pooling_norm
        and (parent.reads == head.reads or parent.kind != head.kind)
    )
    if not fits:
        return Start(head, None, f"{job.head.name} is of another network: learning starts afresh")
    old = card.classes if job.head_classes is None else job.head_classes
    if len(old) != len(card.classes):
        raise JobError(f"job.json: head_classes names {len(old)} classes, {job.head.name} has {len(card.classes)}")
    take_over(head, parent, job.classes, old)
    return Start(head, job.head.stem, None)


def take_over(head: Head, parent: Head, classes: tuple[str, ...], old: tuple[str, ...]) -> None:
    """Copy all that both have but the classifiers, and of those the rows of classes that both have.

    The rest stays fresh.
    """
    given, own = parent.state_dict(), head.state_dict()  # tensors of a state share memory with their module
    with torch.no_grad():
        for key in own.keys() & given.keys():
            value = own[key]
            if "classifier." not in key:
                value.copy_(given[key])
                continue
            for index, name in enumerate(classes):
                if name in old:
                    value[index] = given[key][old.index(name)]
