"""Model files in and out, and plain pictures to masks with them."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.domain.classes import voc_color
from app.services import Models, Refusal, export_version, import_weights, run, segment, weights
from app.services.model import read_model
from app.storage.project import Project
from core_model.checkpoint import read
from tests.services.conftest import Files
from tests.services.datasets import write_picture


def test_a_version_goes_out_with_its_backbone_and_serves_elsewhere(
    project: Project, files: Files, tmp_path: Path
) -> None:
    model = Models(project).adopt(files.make_head(seed=2), name="quick")
    (tmp_path / "away").mkdir()
    written = export_version(project, model.version, tmp_path / "away/mine.safetensors")
    assert len(written.files) == 2
    away = read_model(tmp_path / "away/mine.safetensors")
    assert (away.version, away.backbone.parent) == ("mine", tmp_path / "away")
    write_picture(tmp_path / "photos", 1)
    result = run(segment([tmp_path / "photos/p01.png"], away.head, tmp_path / "masks"))
    (mask,) = result.written
    with Image.open(mask) as image:
        assert image.mode == "P"
        assert image.size == (64, 48)
        assert np.unique(np.array(image)).tolist() == [2]
        assert tuple(image.getpalette()[6:9]) == voc_color(2)  # type: ignore[index]
    assert (tmp_path / "masks/class_names.txt").read_text().split() == ["background", "box", "disc"]


def test_export_refuses_what_is_not_there_or_in_the_way(project: Project, files: Files, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no model version 'x' in this project; it has no versions yet"):
        export_version(project, "x", tmp_path / "a.safetensors")
    model = Models(project).adopt(files.make_head())
    with pytest.raises(Refusal, match="exists already"):
        export_version(project, model.version, Path(model.head))
    with pytest.raises(Refusal, match="no folder"):
        export_version(project, model.version, tmp_path / "nowhere/a.safetensors")
    with pytest.raises(Refusal, match="there is safetensors"):
        export_version(project, model.version, tmp_path / "a", "onnx")


def test_segment_passes_over_unreadable_pictures_and_refuses_namesakes(files: Files, tmp_path: Path) -> None:
    head = Path(shutil.copy(files.make_head(), tmp_path))
    shutil.copy(files.backbone, tmp_path)
    for folder in ("a", "b"):
        write_picture(tmp_path / folder, 1)
    (tmp_path / "a/broken.jpg").write_bytes(b"rubbish")
    result = run(segment([tmp_path / "a/broken.jpg", tmp_path / "a/p01.png"], head, tmp_path / "out"))
    assert [path.name for path in result.written] == ["p01.png"]
    assert list(result.refused) == [str(tmp_path / "a/broken.jpg")]
    with pytest.raises(Refusal, match=r"would both become p01\.png"):
        run(segment([tmp_path / "a/p01.png", tmp_path / "b/p01.png"], head, tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_our_own_files_are_checked_and_copied(files: Files, tmp_path: Path) -> None:
    for source in (files.make_head(), files.backbone):
        out = tmp_path / f"copy of {source.name}"
        assert import_weights(source, out).files == (out,)
        assert out.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", ["x.safetensors", "x.keras", "x.h5", "x.pth", "missing.keras", "missing.pth"])
def test_what_is_no_weight_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    if not name.startswith("missing"):
        (tmp_path / name).write_bytes(b"rubbish" * 100)
    with pytest.raises(Refusal) as caught:
        import_weights(tmp_path / name, tmp_path / "out.safetensors")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.safetensors").exists()


def test_a_version_goes_out_with_the_names_that_its_classes_have_now(
    project: Project, files: Files, tmp_path: Path
) -> None:
    model = Models(project).adopt(files.make_head(seed=2), name="quick")
    Models(project).rename_class("box", "crate")
    export_version(project, model.version, tmp_path / "mine.safetensors")
    away = Models(project).resolve(tmp_path / "mine.safetensors")
    assert away.classes == ("background", "crate", "disc")
    (of_file, here), (_, kept) = read(away.head), read(model.head)
    assert of_file.created == model.card["created"]
    assert all(torch.equal(here[name], kept[name]) for name in kept)


def test_segment_never_writes_where_its_pictures_lie(files: Files, tmp_path: Path) -> None:
    head = Path(shutil.copy(files.make_head(), tmp_path))
    shutil.copy(files.backbone, tmp_path)
    write_picture(tmp_path / "photos", 1)
    picture = tmp_path / "photos/p01.png"
    (tmp_path / "links").mkdir()
    (tmp_path / "links/p01.png").symlink_to(picture)
    before = picture.read_bytes()
    for source in (picture, tmp_path / "links/p01.png"):
        with pytest.raises(Refusal, match="is where the pictures lie: masks would overwrite them"):
            run(segment([source], head, tmp_path / "links/../photos"))
    assert picture.read_bytes() == before
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["p01.png"]


def test_segment_adds_to_masks_of_the_same_classes_only(files: Files, tmp_path: Path) -> None:
    head = Path(shutil.copy(files.make_head(), tmp_path))
    shutil.copy(files.backbone, tmp_path)
    write_picture(tmp_path / "photos", 1)
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/class_names.txt").write_text("sky\ngrass\n")
    with pytest.raises(Refusal, match="names other classes than head"):
        run(segment([tmp_path / "photos/p01.png"], head, tmp_path / "masks"))
    assert (tmp_path / "masks/class_names.txt").read_text() == "sky\ngrass\n"
    assert not (tmp_path / "masks/p01.png").exists()
    (tmp_path / "masks/class_names.txt").write_bytes(b"background\r\nbox\r\ndisc")
    assert len(run(segment([tmp_path / "photos/p01.png"], head, tmp_path / "masks")).written) == 1


def test_an_export_that_finds_no_room_leaves_no_half(
    project: Project, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Models(project).adopt(files.make_head()).version

    def full(source: Path, target: Path) -> None:
        if source.parent == project.backbone_dir:
            raise OSError(errno.ENOSPC, "No space left on device")
        shutil.copyfile(source, target)

    monkeypatch.setattr(weights, "copy_whole", full)
    with pytest.raises(Refusal, match=r"could not be written \(no space left on device\); the version stays"):
        export_version(project, version, tmp_path / "mine.safetensors")
    assert not (tmp_path / "mine.safetensors").exists()
