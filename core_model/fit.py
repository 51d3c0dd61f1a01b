"""The learning child: `python -m core_model.fit JOB` reads a job's folder, learns, and tells events on stdout.

`--live`: it stays, and reads commands on stdin.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from core_model.card import Card, WeightsError
from core_model.checkpoint import load_backbone
from core_model.commands import Inbox
from core_model.dataset import Dataset
from core_model.deeplab import DeepLab
from core_model.device import DeviceError, choose_device, multiplies_bf16
from core_model.events import Events
from core_model.full import Full
from core_model.heads import AsppDecoderHead, LinearHead, VotingHead
from core_model.inherit import starting_head
from core_model.job import Job, JobError
from core_model.linear import Linear
from core_model.live import Album, Live, LiveLinear, LiveQuick, Pace
from core_model.memory import gigabytes, lowered_batch, memory_free, memory_needed
from core_model.predictor import Predictor
from core_model.quick import Quick, QuickSettings, Voter
from core_model.reservoir import Reservoir
from core_model.resume import Kept, State
from core_model.schedule import Schedule, default_minutes
from core_model.training import Training
from core_model.views import Gallery
from core_model.xception import Backbone

_NICE = 10  # the window, and predictions, go first


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job in the folder that is named; 0 after `done`, 1 after `failed`, 2 for wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or list(arguments[1:]) not in ([], ["--live"]):
        print("usage: python -m core_model.fit JOB [--live]", file=sys.stderr)  # noqa: T201
        return 2
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, signal.SIG_DFL)  # end at once: the best weights are on disk
    if hasattr(os, "nice"):
        os.nice(_NICE)
    events = Events.on_stdout()
    try:
        job = Job.read(Path(arguments[0]).absolute())
        if arguments[1:]:
            live(job, events, Inbox())
        else:
            fit(job, events)
    except (JobError, WeightsError, DeviceError) as error:
        events.emit("failed", text=_one_line(error))
        return 1
    except OSError as error:
        events.emit("failed", text=f"a file could not be read or written: {_one_line(error)}")
        return 1
    except Exception as error:  # the boundary of the process: the parent must hear of it, whatever it is
        traceback.print_exc()
        events.emit("failed", text=f"{type(error).__name__}: {_one_line(error)}")
        return 1
    return 0


def fit(job: Job, events: Events) -> None:
    """Learn what the job asks for; JobError, WeightsError or DeviceError when that cannot be done."""
    device = choose_device(job.device)
    torch.set_num_threads(job.threads or os.cpu_count() or 1)
    torch.manual_seed(job.seed)
    dataset = Dataset.of(job)
    backbone = load_backbone(job.backbone, output_stride=job.output_stride)
    if backbone.variant.name != job.variant:
        raise JobError(f"{job.backbone.name} is {backbone.variant.name}, and the job asks for {job.variant}")
    head, parent, warning = starting_head(job, backbone.sha256)
    minutes = job.minutes
    if minutes is None and job.steps is None and job.recipe != "linear":
        minutes = default_minutes(job.recipe, len(dataset.train), device.type == "cuda")
    if minutes is None and device.type == "cuda":  # steps alone: the same job gives the same weights
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    job.out.mkdir(parents=True, exist_ok=True)
    card = _card(job, backbone, parent, learnt_from=_learnt_from(job, dataset))
    full = Full(DeepLab(backbone, head), card, job.out, dataset, device, job.seed) if job.recipe == "full" else None
    module = head if full is None else full.module
    for left in job.out.glob(".*.part"):  # by one that was killed
        left.unlink(missing_ok=True)
    kept = Kept.of(job)
    resumed, unfit = kept.read(module)
    events.emit(
        "started",
        device=str(device),
        images=len(dataset.train),
        held_out=len(dataset.held_out),
        steps=job.steps,
        minutes=minutes,
        parameters=sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad),
        **({"resumed_step": resumed.facts["step"]} if resumed else {}),
    )
    for text in filter(None, (warning, unfit)):
        events.emit("warning", text=text)
    schedule = Schedule(job.steps, minutes * 60 if minutes is not None else None)
    if full is not None:
        full.hold(_fitting(full.batch, full.crop, full.least, job, device, events))
        asked = full.training(job.steps, schedule.seconds)
        Training(full, events=events, class_names=job.classes, kept=kept, resumed=resumed, **asked).run()
    elif isinstance(head, LinearHead):
        predictor = _predictor(job, backbone, events, head.taps)
        Linear(
            head, card, job.out, dataset, predictor, events, job.classes, job.seed, schedule.seconds, job.steps
        ).run()
    else:
        _quick(job, dataset, backbone, head, card, device, schedule, events, kept, resumed)


def live(job: Job, events: Events, inbox: Inbox, pace: Pace | None = None) -> None:
    """Do the job until it is told to stop; JobError, WeightsError or DeviceError when that cannot be done."""
    device = choose_device(job.device)
    torch.set_num_threads(job.threads or os.cpu_count() or 1)
    torch.manual_seed(job.seed)
    backbone = load_backbone(job.backbone, output_stride=job.output_stride)
    if backbone.variant.name != job.variant:
        raise JobError(f"{job.backbone.name} is {backbone.variant.name}, and the job asks for {job.variant}")
    if job.recipe != "linear":
        raise JobError(
            f"{job.recipe} cannot be learnt live alone: the linear recipe can, and quick is learnt beside it"
        )
    linear_start, quick_start = (
        starting_head(replace(job, recipe=recipe), backbone.sha256) for recipe in ("linear", "quick")
    )
    assert isinstance(linear_start.head, LinearHead)
    assert isinstance(quick_start.head, VotingHead)
    job.out.mkdir(parents=True, exist_ok=True)
    for left in (*job.out.glob(".*.part"), *job.folder.glob("cells/.*.part"), *job.folder.glob(".*.part")):
        left.unlink(missing_ok=True)  # by one that was killed
    card = _card(job, backbone, quick_start.parent, notes={"live": True})
    predictor = _predictor(job, backbone, events)
    reservoir = partial(Reservoir, job.folder / "cells", backbone.sha256, linear_start.head.reads)
    linear = LiveLinear(linear_start.head, linear_start.parent, job.classes, reservoir, events, job.seed)
    album = Album(job.folder / "features", backbone.sha256, job.cache_megabytes << 20)
    state = job.folder / "quick.safetensors"
    quick = LiveQuick(quick_start.head, linear, card, album, predictor, state, events, job.seed, device, pace)
    learner = Live(job, linear, quick, card, predictor, events, inbox)
    events.emit(
        "started", device=str(device), images=len(linear.revisions), held_out=len(album.held_out()), steps=None,
        minutes=None, parameters=sum(parameter.numel() for parameter in linear_start.head.parameters()),
        revisions=learner.known(), held_out_revisions={e.id: e.revision for e in album.entries.values() if e.held_out},
    )  # fmt: skip
    if linear_start.warning and quick_start.warning:
        events.emit("warning", text=linear_start.warning)
    learner.run()


def _predictor(job: Job, backbone: Backbone, events: Events, taps: Iterable[str] | None = None) -> Predictor:
    """Make the eyes of a learning; what they do otherwise than asked is a warning."""
    told = partial(events.emit, "warning")
    return Predictor(backbone, job.device, taps=taps, cache=job.engine_cache, told=lambda text: told(text=text))


def _quick(
    job: Job,
    dataset: Dataset,
    backbone: Backbone,
    head: AsppDecoderHead,
    card: Card,
    device: torch.device,
    schedule: Schedule,
    events: Events,
    kept: Kept,
    resumed: State | None,
) -> None:
    """Let the backbone look at the pictures, then learn the head; what was kept for it is deleted again."""
    settings = QuickSettings()
    predictor = _predictor(job, backbone, events, head.taps)
    began = monotonic()
    voter = Voter(head, len(dataset.train), job.seed) if isinstance(head, VotingHead) else None
    gallery = Gallery(
        predictor.features, job.folder / "features", job.cache_megabytes << 20, job.seed,
        learnt=head.variant.taps, seen=voter.see if voter else None,
    )  # fmt: skip
    try:
        seconds = None if schedule.seconds is None else schedule.seconds * settings.features_share
        train, held_out = gallery.look(dataset, settings.views, seconds, events)
        if voter is not None:
            try:
                voter.learn()
            except FloatingPointError as error:
                events.emit("warning", text=f"learns without the linear part: {error}")
        quick = Quick(head, card, job.out, train, held_out, dataset.pixels, device, job.seed, settings)
        size = max(look.size for look in train)
        quick.batch = _fitting(quick.batch, size, 2 if head.pooling_norm else 1, job, device, events)
        if job.minutes is not None:
            schedule = _shortened(schedule, monotonic() - began)
        Training(quick, schedule, events, job.classes, kept, resumed).run()
    finally:
        gallery.clear()


def _fitting(wanted: int, size: tuple[int, int], least: int, job: Job, device: torch.device, events: Events) -> int:
    """Give how many pictures memory holds at once, `wanted` or `least` to it, and say what they need.

    least: it learns from as many at once, whatever it is told.
    """

    def needed(batch: int) -> int:
        return memory_needed(job.recipe, job.variant, size, batch, bf16=multiplies_bf16(device))

    batch, warning = lowered_batch(needed, wanted, memory_free(device), least)
    if warning:
        events.emit("warning", text=warning)
    needs = needed(max(batch, least))
    text = f"needs about {gigabytes(needs)} of memory for {batch} pictures at once"
    events.emit("needs", batch=batch, megabytes=needs >> 20, text=text)
    return batch


def _shortened(schedule: Schedule, spent: float) -> Schedule:
    """What is left of the seconds that were asked for, but a quarter at least: features alone are worth nothing."""
    if schedule.seconds is None:
        return schedule
    return replace(schedule, seconds=max(schedule.seconds / 4, schedule.seconds - spent))


def _card(job: Job, backbone: Backbone, parent: str | None, **more: Any) -> Card:
    """What is known of the head before it learns."""
    return Card(
        kind="head",
        variant=job.variant,
        output_stride=job.output_stride,
        backbone=backbone.sha256,
        classes=job.classes,
        working_size=job.working_size,
        parent=parent,
        recipe=job.recipe,
        **more,
    )


def _learnt_from(job: Job, dataset: Dataset) -> dict[str, Any]:
    pixels = {name: int(count) for name, count in zip(job.classes, dataset.pixels, strict=True)}
    return {
        "images": len(dataset.train),
        "held_out": len(dataset.held_out),
        "pixels": sum(pixels.values()),
        "classes": pixels,
    }


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
