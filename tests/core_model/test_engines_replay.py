"""Sizes that come again are recorded, a bounded number of them; where recording fails, all is computed afresh."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core_model.engines.replay import Replays, Run


class Recorder:
    """Stands for CUDA graphs: knows for which sizes it recorded, and what was replayed."""

    def __init__(self, fails_at: int = -1) -> None:
        self.recorded: list[int] = []
        self.replayed: list[int] = []
        self.fails_at = fails_at

    def __call__(self, x: Tensor) -> Run:
        if len(x) == self.fails_at:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.recorded.append(len(x))

        def replay(x: Tensor) -> tuple[Tensor, ...]:
            self.replayed.append(len(x))
            return (x * 2,)

        return replay


def twice(x: Tensor) -> tuple[Tensor, ...]:
    return (x * 2,)


def ask(replays: Replays, *lengths: int) -> None:
    for length in lengths:
        x = torch.rand(length)
        torch.testing.assert_close(replays(x)[0], x * 2)


def test_a_size_is_recorded_when_it_comes_again() -> None:
    recorder = Recorder()
    ask(Replays(twice, recorder), 1, 2, 3, 2, 2, 1)
    assert (recorder.recorded, recorder.replayed) == ([2, 1], [2, 2, 1])


def test_the_sizes_used_last_keep_their_recording() -> None:
    recorder = Recorder()
    replays = Replays(twice, recorder, limit=2)
    ask(replays, 1, 1, 2, 2, 1, 3, 3)
    assert recorder.recorded == [1, 2, 3]
    ask(replays, 1, 3)
    assert recorder.recorded == [1, 2, 3]  # 2 had to go
    ask(replays, 2)
    assert recorder.recorded == [1, 2, 3, 2]


def test_where_recording_fails_all_is_computed_afresh() -> None:
    recorder = Recorder(fails_at=2)
    replays = Replays(twice, recorder)
    ask(replays, 1, 1, 1, 2, 2, 2, 1, 3, 3)
    assert (recorder.recorded, recorder.replayed) == ([1], [1, 1])


def test_a_fault_of_the_work_itself_goes_up() -> None:
    def broken(_: Tensor) -> tuple[Tensor, ...]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        Replays(broken, Recorder())(torch.rand(1))


def test_what_was_seen_long_ago_is_forgotten() -> None:
    recorder = Recorder()
    ask(Replays(twice, recorder), *range(1, 200), 1)
    assert recorder.recorded == []
