"""The reservoir keeps what was learnt from, small and up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core_model.cells import Cells
from core_model.reservoir import Reservoir

NAMES = ("sky", "road", "pole")
WIDTH = 6
CELL = 2 * WIDTH + 1  # bytes


def cells(count: int, first: float = 0.0, label: int = 1) -> Cells:
    values = (torch.arange(count)[:, None] + first).expand(count, WIDTH).half()
    return Cells(values, torch.full((count,), label))


def reservoir(folder: Path, budget: int = 1 << 20, backbone: str = "b") -> Reservoir:
    return Reservoir(folder, backbone, ("low_level", "middle"), budget)


def test_a_picture_comes_back_and_a_newer_revision_replaces_it(tmp_path: Path) -> None:
    kept = reservoir(tmp_path)
    kept.put("a/ö", 1, cells(5), NAMES)
    kept.put("b", 4, cells(3, 100, label=2), NAMES)
    kept.put("a/ö", 2, cells(2, 50), NAMES)
    again = reservoir(tmp_path)
    assert again.revisions == kept.revisions == {"a/ö": 2, "b": 4}
    assert len(again) == 5
    found = again.cells(NAMES)
    assert sorted(found.values[:, 0].tolist()) == [50, 51, 100, 101, 102]
    assert found.labels[found.values[:, 0] >= 100].tolist() == [2, 2, 2]


def test_what_is_forgotten_is_gone_and_so_is_a_picture_without_cells(tmp_path: Path) -> None:
    kept = reservoir(tmp_path)
    for name in "abc":
        kept.put(name, 1, cells(4), NAMES)
    kept.forget("a")
    kept.forget("never seen")
    kept.put("b", 2, cells(0), NAMES)
    assert kept.revisions == {"c": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_the_fullest_pictures_are_thinned_to_the_budget_from_their_ends(tmp_path: Path) -> None:
    kept = reservoir(tmp_path, budget=100 * CELL)
    for name, count in (("a", 80), ("b", 10), ("c", 60), ("d", 50)):
        kept.put(name, 1, cells(count), NAMES)
        assert len(kept) <= 100
    again = reservoir(tmp_path, budget=100 * CELL)
    assert len(again) == 10 + 3 * 21  # three quarters of the budget: room for the next ones
    assert again.cells(NAMES).values[:, 0].max() == 20
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 100 * CELL + 4 * 600


def test_classes_go_by_name(tmp_path: Path) -> None:
    kept = reservoir(tmp_path)
    kept.put("a", 1, Cells(cells(4).values, torch.tensor([0, 1, 2, 1])), NAMES)
    assert kept.cells(("pole", "sky")).labels.tolist() == [1, 0]
    kept.rename({"road": "street", "sky": None, "pole": "street"})
    assert reservoir(tmp_path).cells(("sky", "street")).labels.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="no cell"):
        kept.cells(("road",))


def test_what_is_damaged_or_of_another_backbone_is_dropped(tmp_path: Path) -> None:
    kept = reservoir(tmp_path)
    kept.put("a", 1, cells(4), NAMES)
    kept.put("b", 1, cells(4), NAMES)
    path = max(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:-5])
    (tmp_path / "rubbish.safetensors").write_bytes(b"none")
    assert len(reservoir(tmp_path)) == 4
    assert len(list(tmp_path.iterdir())) == 1
    assert reservoir(tmp_path, backbone="other").revisions == {}
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_what_there_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = reservoir(tmp_path)
    kept.put("a", 1, cells(4), NAMES)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core_model.reservoir.write_whole", full)
    with pytest.raises(OSError, match="No space"):
        kept.put("a", 2, cells(7), NAMES)
    assert kept.revisions == {"a": 1}
    assert len(kept.cells(NAMES)) == 4
