"""The features that live learning keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core_model.features import Features
from core_model.live.album import Album
from core_model.live.learner import Seen
from tests.core_model.job_folder import scene

CLASSES = ("ground", "disc")
TAPS = ("low_level", "middle")
ROOM = 1 << 30


def seen(image_id: str, revision: int = 1, number: int = 0) -> Seen:
    rgb, truth = scene(number)
    return Seen(image_id, revision, rgb, truth, features(rgb))


def features(rgb: np.ndarray) -> Features:
    height, width = ((side - 1 + 15) // 16 * 16 + 1 for side in rgb.shape[:2])
    value = float(rgb.mean()) / 255
    taps = {
        "low_level": torch.full((4, (height - 1) // 4 + 1, (width - 1) // 4 + 1), value).half(),
        "middle": torch.full((8, (height - 1) // 16 + 1, (width - 1) // 16 + 1), value).half(),
        "mid_level": torch.zeros(1, 1, 1).half(),
    }
    return Features(taps, rgb.shape[0], rgb.shape[1], (height, width), "sha")


def album(folder: Path, budget: int = ROOM, backbone: str = "sha") -> Album:
    return Album(folder, backbone, budget)


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_what_was_kept_comes_back_after_a_restart(tmp_path: Path) -> None:
    first = album(tmp_path)
    for number in range(3):
        first.put(seen(f"p{number}", number, number), TAPS, CLASSES)
    first.put(seen("h", 7, 5), (*TAPS, "mid_level"), CLASSES, held_out=True)
    again = album(tmp_path)
    assert again.entries == first.entries
    assert [entry.id for entry in again.learnable(CLASSES)] == ["p2", "p1", "p0"]
    assert [(entry.id, entry.revision) for entry in again.held_out()] == [("h", 7)]
    assert again.used == first.used == on_disk(tmp_path)
    back, truth = again.recall(again.entries["h"], CLASSES)
    assert (truth == scene(5)[1]).all()
    assert set(back.taps) == {*TAPS, "mid_level"}
    taps, labels = again.page(again.entries["p1"], 0, CLASSES).load()
    assert set(taps) == set(TAPS)
    assert (labels == scene(1)[1]).all()


def test_a_correction_replaces_and_forgetting_removes(tmp_path: Path) -> None:
    kept = album(tmp_path)
    kept.put(seen("a", 1, 0), TAPS, CLASSES)
    kept.look_again(kept.entries["a"], 1, features, 0)
    kept.put(seen("b", 1, 1), TAPS, CLASSES)
    kept.put(seen("a", 2, 2), TAPS, CLASSES)
    assert [(e.id, e.revision) for e in kept.learnable(CLASSES)] == [("a", 2), ("b", 1)]
    assert list(kept.entries["a"].views) == [0]
    kept.forget("a")
    kept.forget("b")
    kept.forget("c")
    assert list(tmp_path.iterdir()) == []
    assert kept.used == 0


def test_further_views_are_other_looks_at_the_same_picture(tmp_path: Path) -> None:
    kept = album(tmp_path)
    kept.put(seen("a"), TAPS, CLASSES)
    for number in (1, 2):
        kept.look_again(kept.entries["a"], number, features, 0)
    entry = album(tmp_path).entries["a"]
    assert entry.views == {0: (65, 65), 1: (65, 65), 2: (49, 49)}
    taps, truth = kept.page(entry, 2, CLASSES).load()
    assert truth.shape == (49, 49)
    assert taps["low_level"].shape == (4, 13, 13)
    assert {0, 1} <= set(np.unique(truth)) <= {0, 1, 255}
    assert (kept.page(entry, 1, CLASSES).load()[1] == scene(0)[1][:, ::-1]).all()


def test_within_its_budget_the_oldest_lose_views_first_and_the_plain_one_last(tmp_path: Path) -> None:
    kept = album(tmp_path)
    for number in range(3):
        kept.put(seen(f"p{number}", 1, number), TAPS, CLASSES)
        kept.look_again(kept.entries[f"p{number}"], 1, features, 0)
    kept.put(seen("h", 1, 9), TAPS, CLASSES, held_out=True)
    one = on_disk(tmp_path) // 4
    kept.budget = on_disk(tmp_path) + 100
    for number in range(3, 12):
        assert kept.put(seen(f"p{number}", 1, number), TAPS, CLASSES) is not None
        assert kept.used == on_disk(tmp_path) <= kept.budget
        assert len(kept.entries[f"p{number}"].views) == 1
    assert kept.entries["p11"].views
    assert not kept.entries["p0"].views  # known, and not to be sent again, but not learnt from any more
    assert kept.entries["h"].views
    assert len(kept.learnable(CLASSES)) >= 3
    kept.budget = kept.used + 100
    assert kept.look_again(kept.entries["p11"], 2, features, 0) is None
    small = album(tmp_path / "small", one // 4)
    assert small.put(seen("a"), TAPS, CLASSES) is None
    assert small.entries["a"].revision == 1


def test_views_go_before_pictures(tmp_path: Path) -> None:
    kept = album(tmp_path)
    for number in range(3):
        kept.put(seen(f"p{number}", 1, number), TAPS, CLASSES)
        kept.look_again(kept.entries[f"p{number}"], 1, features, 0)
    plain, view = (kept._path("p0", number).stat().st_size for number in (0, 1))
    kept.budget = kept.used + plain - view + 8192
    kept.put(seen("new", 1, 4), TAPS, CLASSES)
    assert all(0 in entry.views for entry in kept.entries.values())
    assert [len(kept.entries[f"p{number}"].views) for number in range(3)] == [1, 2, 2]


def test_classes_keep_their_truth_by_name(tmp_path: Path) -> None:
    kept = album(tmp_path)
    kept.put(seen("a"), TAPS, CLASSES)
    kept.rename({"disc": "ball", "ground": "ground"})
    for each in (kept, album(tmp_path)):
        truth = each.page(each.entries["a"], 0, ("sky", "ball", "ground")).load()[1]
        old = scene(0)[1]
        assert (truth[old == 1] == 1).all()
        assert (truth[old == 0] == 2).all()
        counts = each.entries["a"].counts(("sky", "ball", "ground"))
        assert counts.tolist() == [0, (old == 1).sum(), (old == 0).sum()]
    kept.rename({"ball": None, "ground": "ground"})
    assert kept.learnable(("sky", "ball")) == []
    assert [entry.id for entry in kept.learnable(("ground",))] == ["a"]


@pytest.mark.parametrize("spoil", ["backbone", "card", "view", "orphan"])
def test_what_does_not_fit_or_is_damaged_is_dropped(tmp_path: Path, spoil: str) -> None:
    kept = album(tmp_path)
    kept.put(seen("a"), TAPS, CLASSES)
    kept.put(seen("b"), TAPS, CLASSES)
    card, view = kept._card("a"), kept._path("a", 0)
    if spoil == "card":
        card.write_text('{"key": "sha", "id": "a"')
    elif spoil == "view":
        view.unlink()
    elif spoil == "orphan":
        card.unlink()
        (tmp_path / ".x.part").write_bytes(b"half")
    again = album(tmp_path, backbone="other" if spoil == "backbone" else "sha")
    assert set(again.entries) == (set() if spoil == "backbone" else {"b"})
    assert on_disk(tmp_path) == again.used
    assert len(list(tmp_path.iterdir())) == 2 * len(again.entries)
