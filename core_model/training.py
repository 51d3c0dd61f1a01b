"""The loop that every recipe learns in: rates, scores, publication, and what to do in trouble."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from core_model.average import Average
from core_model.events import Events
from core_model.job import JobError
from core_model.learner import Learner, Scores
from core_model.learner import stamped as stamped
from core_model.memory import out_of_memory
from core_model.metrics import Confusion
from core_model.resume import Kept, State, moments_flat, put_moments
from core_model.schedule import Schedule


@dataclass(frozen=True)
class Settings:
    """What the loop keeps to; the defaults are for use, tests shorten them."""

    marks: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)  # of the schedule: score and publish (there is one more at the end)
    scoring_share: float = 0.15  # of the work, counted in pictures that pass through the network
    publish_seconds: float = 15.0  # unscored weights are written as often as this, until there are scored ones
    keep_seconds: float = 60.0  # between states to go on from; they are also kept with what is published
    progress_seconds: float = 0.3
    snapshot_steps: int = 20
    rollbacks: int = 6  # in a row, before giving up


@dataclass
class Training:
    """One run of learning. `run` does it; everything else is its state."""

    learner: Learner
    schedule: Schedule
    events: Events
    class_names: tuple[str, ...]
    kept: Kept | None = None  # where the state is kept until the end
    resumed: State | None = None  # go on from here
    settings: Settings = field(default_factory=Settings)
    optimizer_of: Callable[[list[dict[str, Any]]], torch.optim.Optimizer] = torch.optim.AdamW
    accumulate: int = 1  # losses whose gradients make a step, where memory does not hold its pictures at once
    average: float = 0.0  # decay of the moving average that is scored and published; 0: the weights themselves
    clock: Callable[[], float] = time.monotonic

    def run(self) -> None:
        """Learn until the schedule ends; the last event is `done`. JobError when it cannot go on."""
        self._prepare()
        while self.step == 0 or self._fraction < 1:
            for group in self.optimizer.param_groups:
                group["lr"] = group["peak"] * self.slowed * self.schedule.rate(self.step, self._elapsed)
            loss = self._try_step()
            if loss is None:
                continue
            self.step += 1
            self._tell(loss)
            self._publish_when_due()
        self._finish()

    def _prepare(self) -> None:
        learner = self.learner
        self.step, self.batch = 0, learner.batch
        self.slowed, self.rolled_back = 1.0, 0
        groups = [{**group, "peak": group["lr"]} for group in learner.groups()]
        self.optimizer = self.optimizer_of(groups)
        self.averaged = Average(learner.module, self.average) if self.average else None
        self.best: tuple[nn.Module, int, Scores] | None = None
        self.good = self._snapshot()
        self.marks = list(self.settings.marks)
        self.scored = 0  # pictures that scoring took, to keep its share
        self.losses: list[float] = []
        self.started = self.told = self.published = self.kept_at = self.clock()
        if self.resumed is not None:
            self._resume(self.resumed)

    def _resume(self, state: State) -> None:
        facts = state.facts
        module = self.learner.module
        if facts["best"] is not None:
            module.load_state_dict(state.part("best"))
            self.best = (_settled(module), *facts["best"])
        if self.averaged is not None:
            self.averaged.module.load_state_dict(state.part("average"))
        module.load_state_dict(state.part("module"))
        put_moments(self.optimizer, state.part("optimizer"))
        torch.set_rng_state(state.tensors["rng.torch"])
        self.learner.redraw(facts["draws"])
        self.step, self.batch, self.slowed = facts["step"], facts["batch"], facts["slowed"]
        self.marks, self.scored = list(facts["marks"]), facts["scored"]
        self.started -= facts["seconds"]
        self.good = self._snapshot()

    def _keep(self) -> None:
        """Write the state, if it is asked for; a disk that is full costs nothing but the way back."""
        if self.kept is None:
            return
        parts = {"module": self.learner.module.state_dict()}
        if self.best:
            parts["best"] = self.best[0].state_dict()
        if self.averaged is not None:
            parts["average"] = self.averaged.module.state_dict()
        tensors = {f"{part}.{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
        tensors |= {**moments_flat(self.optimizer), "rng.torch": torch.get_rng_state()}
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("step", "batch", "slowed", "marks", "scored")}
        facts |= {
            "fraction": self._fraction,
            "draws": self.learner.draws(),
            "seconds": self._elapsed,
            "best": self.best[1:] if self.best else None,
        }
        try:
            self.kept.write(State(tensors, facts))
        except OSError as error:
            self.events.emit("warning", text=f"the state of the learning could not be written: {error}")
        self.kept_at = self.clock()

    @property
    def _elapsed(self) -> float:
        return self.clock() - self.started

    @property
    def _fraction(self) -> float:
        return self.schedule.fraction(self.step, self._elapsed)

    # one step

    def _try_step(self) -> float | None:
        """Take a step and give its loss; None when it has to be taken again with less."""
        try:
            return self._step()
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            self._halve_batch()
            return None

    def _step(self) -> float | None:
        self.optimizer.zero_grad(set_to_none=True)
        value = 0.0
        for _ in range(self.accumulate):
            loss = self.learner.loss(self.batch) / self.accumulate
            value += float(loss.detach())
            loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.learner.module.parameters(), math.inf)  # measures, cuts nothing
        if not math.isfinite(value) or not math.isfinite(norm):
            self._roll_back()
            return None
        if self.step % self.settings.snapshot_steps == 0:
            self.good, self.rolled_back = self._snapshot(), 0
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update(self.learner.module, self.step)
        return value

    def _snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return copy.deepcopy((self.learner.module.state_dict(), self.optimizer.state_dict()))

    def _roll_back(self) -> None:
        self.rolled_back += 1
        if self.rolled_back > self.settings.rollbacks:
            raise JobError("learning does not settle: the loss is no number at any rate; what was published is kept")
        self._restore()
        self.slowed /= 2
        self.events.emit("warning", text="the loss was no number: went back to the last good weights, at half the rate")

    def _restore(self) -> None:
        module, optimizer = copy.deepcopy(self.good)
        self.learner.module.load_state_dict(module)
        self.optimizer.load_state_dict(dict(optimizer))

    def _halve_batch(self) -> None:
        if self.batch == 1:
            raise JobError("not enough memory for one picture: choose a smaller working size")
        self.batch //= 2
        self.optimizer.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._restore()  # the optimiser may have been in the middle of its step
        self.events.emit("warning", text=f"not enough memory: goes on with {self.batch} pictures a step")

    # what the parent hears and finds on disk

    def _tell(self, loss: float) -> None:
        self.losses.append(loss)
        now = self.clock()
        if now - self.told >= self.settings.progress_seconds or self.step == 1 or self._fraction >= 1:
            self._progress("learn", loss=sum(self.losses) / len(self.losses))
            self.told, self.losses = now, []

    def _progress(self, phase: str, **more: float) -> None:
        seconds = round(self._elapsed, 3)
        fraction = round(self._fraction, 4)
        self.events.emit("progress", phase=phase, fraction=fraction, step=self.step, seconds=seconds, **more)

    def _publish_when_due(self) -> None:
        marked = False
        while self.marks and self._fraction >= self.marks[0]:
            self.marks.pop(0)
            marked = True
        if self._fraction >= 1:
            return  # the end scores and publishes
        if self.learner.held_out and marked and self._may_score():
            if self._score() and self.best:
                self._publish(*self.best)
        elif self.best is None and (marked or self.clock() - self.published >= self.settings.publish_seconds):
            self._publish(_settled(self._shown), self.step, None)
        if marked or self.published > self.kept_at or self.clock() - self.kept_at >= self.settings.keep_seconds:
            self._keep()

    def _may_score(self) -> bool:
        learnt = 3 * self.learner.batch * self.step  # forward and backward cost three times a forward
        return self.scored + self.learner.held_out <= self.settings.scoring_share * learnt

    def _score(self) -> bool:
        """Score the weights as they are now; True when they are the best so far, and kept."""
        self._progress("score")
        module = _settled(self._shown)
        confusion = self.learner.score(module)
        self.scored += self.learner.held_out
        scores = scores_of(confusion, self.class_names)
        self.events.emit("scores", step=self.step, images=self.learner.held_out, **scores)
        better = self.best is None or scores["miou"] > self.best[2]["miou"]
        if better:
            self.best = (module, self.step, scores)
        return better

    @property
    def _shown(self) -> nn.Module:
        """What is scored and published: the weights of now, or their average."""
        return self.averaged.module if self.averaged else self.learner.module

    def _publish(self, module: nn.Module, step: int, scores: Scores | None) -> None:
        try:
            path = self.learner.save(module, step, scores, partial=True)
        except OSError as error:
            self.events.emit("warning", text=f"the weights so far could not be written: {error}")
        else:
            self.events.emit("published", path=str(path), step=step)
        self.published = self.clock()

    def _finish(self) -> None:
        if self.learner.held_out:
            self._score()
        module, step, scores = self.best or (_settled(self._shown), self.step, None)
        path = self.learner.save(module, step, scores, partial=False)
        self.events.emit("published", path=str(path), step=step)
        if self.kept is not None:
            self.kept.remove()
        seconds = round(self._elapsed, 3)
        self.events.emit("done", path=str(path), step=step, seconds=seconds, scores=scores, partial=False)


def _settled(module: nn.Module) -> nn.Module:
    """A copy for prediction: these weights, whatever is learnt after."""
    return copy.deepcopy(module).requires_grad_(False).eval()


def scores_of(confusion: Confusion, class_names: tuple[str, ...]) -> Scores:
    """Plain values for an event and a card; a class that the truth does not have is left out."""
    ious = {name: round(float(iou), 4) for name, iou in zip(class_names, confusion.ious, strict=True) if iou == iou}
    return {
        "miou": round(confusion.miou, 4),
        "pixel_accuracy": round(confusion.pixel_accuracy, 4),
        "classes": ious,
    }
