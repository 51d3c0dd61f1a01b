from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model.dataset import Dataset, Sample
from core_model.events import Events
from core_model.features import Features
from core_model.job import Job
from core_model.quick import Deck
from core_model.transforms import padded_length
from core_model.views import Fresh, Gallery, Kept, Look
from tests.core_model.job_folder import write_job


def _extract(rgb: NDArray[np.uint8]) -> Features:
    """A backbone that sees the red of every fourth pixel."""
    height, width = (padded_length(side) for side in rgb.shape[:2])
    tap = torch.zeros(1, (height - 1) // 4 + 1, (width - 1) // 4 + 1, dtype=torch.float16)
    red = torch.from_numpy(rgb[::4, ::4, 0].copy())
    tap[0, : red.shape[0], : red.shape[1]] = red
    return Features({"red": tap}, rgb.shape[0], rgb.shape[1], (height, width), "")


def _gallery(folder: Path, budget: int = 1 << 20, seed: int = 0) -> Gallery:
    return Gallery(_extract, folder / "features", budget, seed)


def _look(
    folder: Path, gallery: Gallery, views: int, seconds: float | None = None
) -> tuple[list[Look], list[Look], list[dict[str, object]]]:
    stream = io.StringIO()
    train, held_out = gallery.look(Dataset.of(Job.read(folder)), views, seconds, Events(stream))
    return train, held_out, [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_view_carries_its_truth(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=2, held_out=1)
    train, held_out, events = _look(job, _gallery(tmp_path), views=8)
    assert (len(train), len(held_out)) == (16, 1)
    assert [event["fraction"] for event in events][-1] == 1
    for look in train:
        taps, truth = look.load()
        assert truth.shape == look.size
        red = taps["red"][0].numpy()
        at_cells = truth[::4, ::4]
        assert red.shape == at_cells.shape
        assert (
            red[at_cells == 1].mean() > red[at_cells == 0].mean() + 50
        )  # the disc is the bright one, wherever it went


def test_views_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job")
    looks = [_look(job, _gallery(tmp_path / str(run), seed=seed), 4)[0] for run, seed in enumerate((0, 0, 1))]
    one, two, other = ([look.load()[0]["red"] for look in run] for run in looks)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_fewer_views_where_room_ends(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=2, held_out=1)
    features = _extract(np.zeros((65, 65, 3), np.uint8)).bytes + 65 * 65
    train, held_out, events = _look(job, _gallery(tmp_path, budget=6 * features), views=8)
    assert len(train) in (2, 4)
    assert all(isinstance(look, Kept) for look in train + held_out)
    assert "room on disk for" in str(events[-1]["text"])
    assert sum(path.stat().st_size for path in (tmp_path / "features").iterdir()) < 6 * features + 20 * 128


def test_fewer_views_where_time_ends(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=2, held_out=1)
    train, held_out, _ = _look(job, _gallery(tmp_path), views=8, seconds=1e-9)
    assert (len(train), len(held_out)) == (2, 1)


def test_no_room_at_all_computes_each_time(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=2, held_out=0)
    kept, _, _ = _look(job, _gallery(tmp_path), views=1)
    fresh, _, events = _look(job, _gallery(tmp_path, budget=0), views=8)
    assert len(fresh) == 2
    assert all(isinstance(look, Fresh) for look in fresh)
    assert events[-1]["event"] == "warning"
    for one, two in zip(kept, fresh, strict=True):
        assert torch.equal(one.load()[0]["red"], two.load()[0]["red"])
        np.testing.assert_array_equal(one.load()[1], two.load()[1])


def test_a_full_disk_counts_as_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = write_job(tmp_path / "job", train=2, held_out=0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    train, _, _ = _look(job, _gallery(tmp_path), views=8)
    assert all(isinstance(look, Fresh) for look in train)


def test_the_deck_deals_everything_once_and_sizes_apart(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=5, held_out=0, sides=(65, 33))
    looks, _, _ = _look(job, _gallery(tmp_path), views=1)
    deck = Deck(looks, seed=0)
    hands: list[list[Look]] = []
    while sum(len(hand) for hand in hands) < len(looks):
        hands.append(deck.deal(2))
    assert sorted(id(look) for hand in hands for look in hand) == sorted(id(look) for look in looks)
    assert all(len({look.size for look in hand}) == 1 for hand in hands)
    assert [len(hand) for hand in hands].count(2) == 2  # three of one size, two of the other


def test_taps_that_are_not_learnt_from_are_seen_once_and_kept_of_held_out_pictures_only(tmp_path: Path) -> None:
    def extract(rgb: NDArray[np.uint8]) -> Features:
        features = _extract(rgb)
        return replace(features, taps={**features.taps, "twice": 2 * features.taps["red"]})

    seen: list[tuple[str, float]] = []

    def see(sample: Sample, features: Features, truth: NDArray[np.uint8]) -> None:
        assert set(features.taps) == {"red", "twice"}
        seen.append((sample.name, float(truth[truth != 255].mean())))

    job = write_job(tmp_path / "job", train=2, held_out=1)
    for budget in (1 << 20, 0):
        gallery = replace(_gallery(tmp_path, budget), extract=extract, learnt=("red",), seen=see)
        train, held_out, _ = _look(job, gallery, views=3)
        assert {tuple(look.load()[0]) for look in train} == {("red",)}
        assert set(held_out[0].load()[0]) == {"red", "twice"}
        wanted = [(sample.name, sample.read()[1]) for sample in Dataset.of(Job.read(job)).train]
        assert seen == [(name, float(truth[truth != 255].mean())) for name, truth in wanted]
        seen.clear()
