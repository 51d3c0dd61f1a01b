"""The head that learning starts from: fresh, or the version in use with its classes matched by name."""

from __future__ import annotations

import torch

from core_model.checkpoint import load_head
from core_model.events import Events
from core_model.heads import AsppDecoderHead, Head
from core_model.job import Job
from core_model.variants import VARIANTS


def starting_head(job: Job, backbone_sha256: str, events: Events) -> tuple[Head, str | None]:
    """Give a head for the job's classes and the version it continues (None: it is fresh).

    A head on another backbone, or of another kind, has nothing to give: a warning says so.
    """
    head = AsppDecoderHead(VARIANTS[job.variant], len(job.classes), job.output_stride)
    if job.head is None:
        return head, None
    parent = load_head(job.head)
    card = parent.card
    assert card is not None
    fits = (
        card.backbone == backbone_sha256
        and isinstance(parent, AsppDecoderHead)
        and (card.variant, card.output_stride) == (job.variant, job.output_stride)
        and parent.pooling_norm == head.pooling_norm
    )
    if not fits:
        events.emit("warning", text=f"{job.head.name} is of another network: learning starts afresh")
        return head, None
    _take_over(head, parent, job.classes, card.classes)
    return head, job.head.stem


def _take_over(head: Head, parent: Head, classes: tuple[str, ...], old: tuple[str, ...]) -> None:
    """Copy everything but the classifier, and of it the rows of classes that both have; the others stay fresh."""
    given, own = parent.state_dict(), head.state_dict()  # tensors of a state share memory with their module
    with torch.no_grad():
        for key, value in own.items():
            if not key.startswith("classifier."):
                value.copy_(given[key])
                continue
            for index, name in enumerate(classes):
                if name in old:
                    value[index] = given[key][old.index(name)]
