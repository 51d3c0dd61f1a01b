"""Model files in and out, and plain pictures to masks with them."""

from __future__ import annotations

import errno
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import core_model
from app.domain.classes import VOC_NAMES, voc_color
from app.services import (
    Models,
    Network,
    Refusal,
    TrainRequest,
    adopt,
    export_version,
    import_weights,
    run,
    segment,
    weights,
)
from app.services.model import read_model, shipped_backbone, starting_backbone
from app.services.published import CITYSCAPES
from app.services.runs import prepare
from app.storage import settings
from app.storage.project import Project
from core_model.checkpoint import read, tensors_of
from tests.services.conftest import Files
from tests.services.datasets import write_picture


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    mine, theirs = tensors_of(one), tensors_of(other)
    return mine.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in mine.items())


def state_dict(path: Path, classes: int) -> core_model.DeepLab:
    """Writes a network as torch saves it."""
    torch.manual_seed(5)
    network = core_model.build("xception_slim", classes).eval()
    torch.save({"state_dict": network.state_dict()}, path)
    return network


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
    with pytest.raises(Refusal, match="there are safetensors and onnx"):
        export_version(project, model.version, tmp_path / "a", "keras")


def test_onnx_without_its_libraries_says_how_to_get_them(
    project: Project, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Models(project).adopt(files.make_head()).version
    for missing in ("onnxscript", "onnx"):
        monkeypatch.setitem(sys.modules, missing, None)
        with pytest.raises(Refusal, match=f"ONNX needs {missing}, which is not installed: pip install onnx onnxscript"):
            export_version(project, version, tmp_path / "a.onnx", "onnx")
    assert not (tmp_path / "a.onnx").exists()


@pytest.mark.slow
def test_a_version_as_onnx_says_what_its_classes_are_called_now(project: Project, files: Files, tmp_path: Path) -> None:
    import onnxruntime

    version = Models(project).adopt(files.make_head(seed=1)).version
    Models(project).rename_class("box", "crate")
    written = export_version(project, version, tmp_path / "a.onnx", "onnx")
    assert written.files == (tmp_path / "a.onnx",)
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == ["background", "crate", "disc"]
    (logits,) = session.run(None, {"image": np.zeros((1, 3, 49, 65), np.float32)})
    assert np.unique(logits.argmax(1)).tolist() == [1]


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


def test_a_backbone_of_ours_is_checked_and_copied(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "copy.safetensors"
    assert import_weights(files.backbone, out).files == (out,)
    assert out.read_bytes() == files.backbone.read_bytes()
    with pytest.raises(Refusal, match="is a backbone: it knows no classes"):
        import_weights(files.backbone, tmp_path / "x.safetensors", classes=["a"])


def test_a_head_and_its_backbone_become_one_file(files: Files, tmp_path: Path) -> None:
    head = files.make_head(seed=2)
    import_weights(head, tmp_path / "net.safetensors", output_stride=8)
    card = core_model.read_card(tmp_path / "net.safetensors")
    assert (card.kind, card.classes, card.output_stride) == ("network", ("background", "box", "disc"), 8)
    import_weights(tmp_path / "net.safetensors", tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "net.safetensors").read_bytes()
    named = tmp_path / "named.safetensors"
    import_weights(tmp_path / "net.safetensors", named, classes=["a", "b", "c"])
    assert core_model.read_card(named).classes == ("a", "b", "c")


@pytest.mark.parametrize(("count", "names", "size"), [(21, VOC_NAMES, 513), (19, CITYSCAPES, 2049), (4, (), 1024)])
def test_a_foreign_network_is_named_and_keeps_every_digit(
    tmp_path: Path, count: int, names: tuple[str, ...], size: int
) -> None:
    network = state_dict(tmp_path / "net.pth", count)
    written = import_weights(tmp_path / "net.pth", tmp_path / "net.safetensors", variant="xception_slim")
    found = core_model.load(tmp_path / "net.safetensors")
    assert isinstance(found, core_model.DeepLab)
    assert same(network, found)
    card = found.head.card
    assert card is not None
    assert card.classes == (names or ("class 0", "class 1", "class 2", "class 3"))
    assert (card.working_size, card.recipe, card.notes["source"]) == (size, "imported", "net.pth")
    assert any(f"its {count} classes are called" in note for note in written.notes)
    assert any("num_batches_tracked" in note for note in written.notes)


def test_what_was_asked_for_of_a_foreign_network(tmp_path: Path) -> None:
    state_dict(tmp_path / "net.pth", 4)
    out = tmp_path / "net.safetensors"
    with pytest.raises(Refusal, match="holds xception_slim, not xception_65"):
        import_weights(tmp_path / "net.pth", out, variant="xception_65")
    with pytest.raises(Refusal, match="knows 4 classes, not 2: give a name for each"):
        import_weights(tmp_path / "net.pth", out, classes=["a", "b"])
    assert not out.exists()
    written = import_weights(tmp_path / "net.pth", out, classes=list("abcd"), output_stride=8)
    card = core_model.read_card(out)
    assert (card.classes, card.output_stride) == (tuple("abcd"), 8)
    assert not any("classes are called" in note for note in written.notes)


def test_a_foreign_network_becomes_a_version(project: Project, files: Files, tmp_path: Path) -> None:
    network = state_dict(tmp_path / "their.net.pth", 3)
    model = adopt(project, tmp_path / "their.net.pth")
    assert model is not None
    assert (model.version, model.classes) == ("their-1", ("class 0", "class 1", "class 2"))
    assert Models(project).in_use() == model  # the first of the project
    assert same(network.head, core_model.load_head(model.head))
    assert same(network.backbone, core_model.load_backbone(model.backbone))
    second = adopt(project, files.make_head("mine", seed=2))
    assert second is not None
    assert second.version == "mine-2"
    assert Models(project).in_use() == model
    assert sorted(path.name for path in (project.root / ".atrous").iterdir() if path.name.startswith(".")) == []


def test_a_network_of_ours_becomes_a_version_that_predicts_the_same(
    project: Project, files: Files, tmp_path: Path
) -> None:
    head = files.make_head("mine", seed=2, working_size=480, learnt_from={"images": 3})
    import_weights(head, tmp_path / "net.safetensors")
    model = adopt(project, tmp_path / "net.safetensors")
    assert model is not None
    assert (model.classes, model.working_size) == (("background", "box", "disc"), 480)
    assert model.card["learnt_from"] == {"images": 3}
    assert model.card["backbone"] == core_model.file_sha256(model.backbone)
    labels = Network().predict(project, "p00", model).labels
    assert np.unique(labels).tolist() == [2]


def test_a_backbone_is_what_learning_from_scratch_stands_on(dataset: Project, files: Files, tmp_path: Path) -> None:
    assert starting_backbone(dataset) == (shipped_backbone("xception"), "xception")
    assert adopt(dataset, files.backbone) is None
    sha256 = core_model.file_sha256(files.backbone)
    own = dataset.backbone_dir / f"{sha256}.safetensors"
    assert starting_backbone(dataset) == (own, "xception_slim")
    assert starting_backbone(dataset, "xception_slim") == (own, "xception_slim")
    assert starting_backbone(dataset, "xception") == (shipped_backbone("xception"), "xception")
    with pytest.raises(Refusal, match="no backbone ships for xception_65"):
        starting_backbone(dataset, "xception_65")
    made = run(prepare(dataset, TrainRequest()))
    job = json.loads((made.folder / "job.json").read_text())
    assert (job["variant"], Path(job["backbone"]).name) == ("xception_slim", own.name)
    painted = np.full((48, 64), 255, np.uint8)
    painted[:9] = 1
    assert Network().fill(dataset, "p00", None, painted) is not None
    assert settings.load(dataset.root / "atrous.toml").backbone == sha256
    models = Models(dataset)
    first = models.adopt(files.make_head())
    state_dict(tmp_path / "net.pth", 3)
    other = adopt(dataset, tmp_path / "net.pth")
    assert other is not None
    models.use(other.version)
    models.delete(first.version)
    assert own.is_file()  # no version needs it, but the settings name it
    own.unlink()
    with pytest.raises(Refusal, match=r"the backbone that atrous\.toml names cannot be used"):
        starting_backbone(dataset)


def test_what_cannot_be_adopted_leaves_the_project_as_it_was(project: Project, tmp_path: Path) -> None:
    before = sorted(project.root.rglob("*"))
    for name in ("x.pth", "x.tar.gz", "x.safetensors", "missing.h5"):
        if not name.startswith("missing"):
            (tmp_path / name).write_bytes(b"rubbish" * 50)
        with pytest.raises(Refusal) as caught:
            adopt(project, tmp_path / name)
        assert "\n" not in str(caught.value)
    assert sorted(project.root.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["x.safetensors", "x.keras", "x.h5", "x.pth", "x.pb", "x.tar.gz", "x", "missing.keras", "missing.pth"]
)
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
