"""The loop alone, with a learner of one number and a clock of our own."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core_model.events import Events
from core_model.job import JobError
from core_model.learner import Scores
from core_model.metrics import Confusion
from core_model.schedule import Schedule
from core_model.training import Training


class One(nn.Module):
    """One number."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(1.0))


@dataclass
class Number:
    """Draws a number towards zero; `trouble` tells what happens at which call of `loss`."""

    trouble: dict[int, Any] = field(default_factory=dict)
    right: list[int] = field(default_factory=list)  # pixels of 10 that are right, a scoring each
    batch: int = 4
    module: One = field(default_factory=One)
    calls: int = 0
    saved: list[tuple[float, int, Scores | None, bool]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    @property
    def held_out(self) -> int:
        return 1 if self.right else 0

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.module.parameters()), "lr": 0.1}]

    def loss(self, batch: int) -> Tensor:
        self.calls += 1
        self.batches.append(batch)
        trouble = self.trouble.get(self.calls)
        if isinstance(trouble, Exception):
            raise trouble
        return self.module.value**2 * (1 if trouble is None else trouble)

    def draws(self) -> dict[str, Any]:
        return {}

    def redraw(self, draws: Mapping[str, Any]) -> None:
        assert draws == {}

    def score(self, module: nn.Module) -> Confusion:
        confusion = Confusion(1)
        right = self.right.pop(0) if len(self.right) > 1 else self.right[0]
        confusion.add(np.zeros(10, np.uint8), np.where(np.arange(10) < right, 0, 255).astype(np.uint8))
        return confusion

    def save(self, module: nn.Module, step: int, scores: Scores | None, partial: bool) -> Path:
        assert isinstance(module, One)
        self.saved.append((module.value.item(), step, scores, partial))
        return Path("head")


@dataclass
class Clock:
    """A second each time somebody looks."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def _learn(learner: Number, steps: int | None = 100, seconds: float | None = None, **more: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    Training(learner, Schedule(steps, seconds), Events(stream), ("thing",), clock=Clock(), **more).run()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_learns_for_as_many_steps_as_asked() -> None:
    learner = Number()
    events = _learn(learner, steps=100)
    assert learner.calls == 100
    assert abs(learner.module.value.item()) < 0.2
    assert learner.saved[-1][1:] == (100, None, False)
    assert events[-1]["event"] == "done"


def test_ends_with_the_time() -> None:
    learner = Number()
    events = _learn(learner, steps=None, seconds=60)
    assert 0 < learner.calls < 60
    assert events[-1]["step"] == learner.calls


def test_the_best_on_held_out_is_kept() -> None:
    learner = Number(right=[3, 8, 5, 6, 7])
    events = _learn(learner)
    scored = [e for e in events if e["event"] == "scores"]
    assert [e["miou"] for e in scored] == [0.3, 0.8, 0.5, 0.6, 0.7]
    better = [saved for saved in learner.saved if saved[2] is not None]
    assert [step for _, step, _, _ in better] == [scored[0]["step"], scored[1]["step"], scored[1]["step"]]
    assert [partial for *_, partial in better] == [True, True, False]
    assert better[1][0] == better[2][0] != learner.module.value.item()
    assert learner.saved[-3:] == better  # nothing unscored is written after the first scores
    assert events[-1]["scores"]["miou"] == 0.8


def test_without_held_out_the_last_is_kept_and_each_mark_published() -> None:
    learner = Number()
    _learn(learner)
    assert [partial for *_, partial in learner.saved][-1] is False
    assert len(learner.saved) >= 5
    assert learner.saved[-1][1] == 100


def test_no_number_goes_back_to_good_weights_at_half_the_rate() -> None:
    learner = Number(trouble={30: float("nan")})
    events = _learn(learner)
    assert len([e for e in events if e["event"] == "warning"]) == 1
    assert learner.calls == 101
    assert np.isfinite(learner.saved[-1][0])


def test_gives_up_when_no_rate_helps() -> None:
    learner = Number(trouble={call: float("inf") for call in range(30, 100)})
    with pytest.raises(JobError, match="does not settle"):
        _learn(learner)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory_halves_the_batch(error: Exception) -> None:
    learner = Number(trouble={3: error})
    events = _learn(learner, steps=5)
    assert learner.batches == [4, 4, 4, 2, 2, 2]
    assert "goes on with 2 pictures a step" in next(e["text"] for e in events if e["event"] == "warning")


def test_out_of_memory_with_one_picture_is_the_end() -> None:
    trouble = dict.fromkeys(range(1, 5), torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(JobError, match="not enough memory for one picture"):
        _learn(Number(trouble=trouble))


def test_another_error_is_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        _learn(Number(trouble={2: RuntimeError("a bug")}))


def test_scoring_keeps_to_its_share() -> None:
    class Costly(Number):
        held_out = 50  # pictures: more than a hundred steps of one picture allow before the end

    learner = Costly(right=[5], batch=1)
    events = _learn(learner)
    assert len([e for e in events if e["event"] == "scores"]) == 1


def test_losses_that_add_up_make_one_step() -> None:
    alone, together = Number(), Number()
    _learn(alone, steps=7)
    _learn(together, steps=7, accumulate=3)
    assert (alone.calls, together.calls) == (7, 21)
    assert together.module.value.item() == pytest.approx(alone.module.value.item(), rel=1e-5)


def test_the_moving_average_is_what_is_published_and_the_weights_go_on() -> None:
    plain, averaged = Number(), Number()
    _learn(plain, steps=100)
    _learn(averaged, steps=100, average=0.9)
    assert averaged.module.value.item() == plain.module.value.item()
    assert plain.saved[-1][0] == plain.module.value.item()
    assert averaged.saved[0][0] > plain.saved[0][0]  # it comes after the weights, on their way down


def test_another_optimiser_can_be_asked_for() -> None:
    learner = Number()
    _learn(learner, steps=1, optimizer_of=torch.optim.SGD)
    assert learner.module.value.item() == pytest.approx(1 - 0.1 / 20 * 2)  # a twentieth of the rate, gradient 2
