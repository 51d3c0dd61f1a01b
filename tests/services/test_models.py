"""Model versions of a project, and what a name or a file stands for."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.services import Models, NothingLearnt, Refusal, open_project
from app.services.models import read_model
from app.services.prediction import lookup
from app.storage.project import Project
from tests.services.conftest import Files


def test_an_adopted_head_becomes_a_numbered_version_with_its_backbone(project: Project, files: Files) -> None:
    models = Models(project)
    first = models.adopt(files.make_head(), name="quick")
    second = models.adopt(files.make_head("other", seed=1), name="full")
    assert [model.version for model in models.versions()] == [first.version, second.version] == ["quick-1", "full-2"]
    assert first.backbone == second.backbone
    assert first.backbone.read_bytes() == files.backbone.read_bytes()
    assert len(list(project.backbone_dir.iterdir())) == 1
    assert first.classes == ("background", "box", "disc")


def test_adoption_can_complete_the_card(project: Project, files: Files) -> None:
    models = Models(project)
    models.adopt(files.make_head(), change=lambda card: replace(card, partial=True, recipe="quick"))
    (model,) = models.versions()
    assert (model.card["partial"], model.card["recipe"]) == (True, "quick")
    assert read_model(model.head, project.backbone_dir).card["partial"] is True


def test_use_go_back_and_reopen(project: Project, files: Files) -> None:
    models = Models(project)
    assert models.in_use() is None
    with pytest.raises(Refusal, match="no earlier"):
        models.go_back()
    names = [models.adopt(files.make_head()).version for _ in range(3)]
    for name in names:
        models.use(name)
    assert models.go_back().version == names[1]
    project.close()
    again = open_project(project.root)
    models = Models(again)
    assert models.in_use() == models.version(names[1])
    assert models.go_back().version == names[0]
    with pytest.raises(Refusal, match="no earlier"):
        models.go_back()
    with pytest.raises(Refusal, match=r"no model version 'nonsense'.*model-1, model-2, model-3"):
        models.use("nonsense")
    again.close()


def test_a_version_whose_file_is_gone_is_passed_over(project: Project, files: Files) -> None:
    models = Models(project)
    first, second = (models.use(models.adopt(files.make_head()).version) for _ in range(2))
    second.head.unlink()
    assert models.versions() == [first]
    assert models.in_use() == first


def test_versions_are_found_again_when_the_catalogue_was_lost(project: Project, files: Files) -> None:
    models = Models(project)
    whole = models.adopt(files.make_head(), name="quick")
    partial = models.adopt(files.make_head(), name="quick", change=lambda card: replace(card, partial=True))
    (project.model_dir / "stray.safetensors").write_bytes(b"rubbish")
    project._database.write("DELETE FROM models")
    assert models.versions() == [whole, partial]
    assert models.in_use() == whole
    assert models.use(partial.version) == partial == models.in_use()
    assert models.adopt(files.make_head(), name="quick").version == "quick-3"


def test_a_version_is_a_name_not_a_path(project: Project, files: Files) -> None:
    models = Models(project)
    models.adopt(files.make_head())
    for name in ("../models/model-1", "", ".", "nonsense"):
        assert models.version(name) is None


def test_resolve_takes_nothing_a_version_or_a_file(project: Project, files: Files) -> None:
    models = Models(project)
    with pytest.raises(NothingLearnt, match="paint a few strokes of each class, or review one picture"):
        models.resolve()
    adopted = models.use(models.adopt(files.make_head()).version)
    assert models.resolve() == models.resolve(adopted.version) == adopted
    by_file = models.resolve(files.make_head("mine"))
    assert (by_file.version, by_file.backbone) == ("mine", adopted.backbone)
    with pytest.raises(Refusal, match="neither a model version of this project nor a file; it has model-1"):
        models.resolve("nonsense")


def test_the_backbone_is_found_beside_the_file_by_its_content(tmp_path: Path, files: Files) -> None:
    head = Path(shutil.copy(files.make_head(), tmp_path))
    with pytest.raises(Refusal, match=r"backbone that .* was learnt on .*put its file beside"):
        read_model(head)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    beside = Path(shutil.copy(files.backbone, tmp_path / "any name.safetensors"))
    assert read_model(head).backbone == beside


def test_what_is_no_head_is_refused_in_one_line(tmp_path: Path, project: Project, files: Files) -> None:
    whole = files.make_head("whole").read_bytes()
    broken = tmp_path / "broken.safetensors"
    with pytest.raises(Refusal, match="is a backbone: it knows no classes"):
        read_model(files.backbone)
    for content in (b"", b"rubbish", whole[: len(whole) // 2]):
        broken.write_bytes(content)
        with pytest.raises(Refusal, match="broken") as caught:
            read_model(broken)
        assert "\n" not in str(caught.value)
    flipped = bytearray(whole)
    flipped[-5] ^= 1
    broken.write_bytes(flipped)
    with pytest.raises(Refusal, match="damaged"):
        Models(project).adopt(broken, files.backbone)
    assert Models(project).versions() == []


def test_a_renamed_class_is_known_under_its_new_name(project: Project, files: Files) -> None:
    models = Models(project)
    scores = {"miou": 0.5, "pixel_accuracy": 0.5, "classes": {"box": 0.5, "disc": 0.25}}
    first = models.adopt(files.make_head("a", scores=scores))
    models.adopt(files.make_head("b", classes=("box", "crate")))
    models.adopt(files.make_head("c", classes=("disc",)))
    classes = project.settings.classes.renamed(1, "crate")
    project.save_settings(replace(project.settings, classes=classes))
    models.rename_class("box", "crate")
    names = [model.classes for model in models.versions()]
    assert names == [("background", "crate", "disc"), ("box", "crate"), ("disc",)]
    renamed = models.version(first.version)
    assert renamed is not None
    assert lookup(renamed, classes)[:3].tolist() == [0, 1, 2]
    assert renamed.scores == {**scores, "classes": {"crate": 0.5, "disc": 0.25}}
    assert models.in_use() == models.versions()[-1]
