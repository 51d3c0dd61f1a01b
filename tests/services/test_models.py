"""Model versions of a project, and what a name or a file stands for."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import core_model
from app.services import Models, NothingLearnt, Refusal, open_project
from app.services.matching import lookup
from app.services.model import read_model
from app.services.models import SLOT
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


def test_a_renamed_version_stays_what_it_was(project: Project, files: Files) -> None:
    models = Models(project)
    first = models.use(models.adopt(files.make_head("a"), name="quick").version)
    models.use(models.adopt(files.make_head("b", parent="quick-1"), name="quick").version)
    before = first.head.read_bytes()
    renamed = models.rename("quick-1", "  second drive no 2 ")
    assert renamed.version == "second drive no 2"
    assert renamed.head.read_bytes() == before
    assert not first.head.exists()
    assert [model.version for model in models.versions()] == ["second drive no 2", "quick-2"]
    assert models.versions()[1].card["parent"] == "second drive no 2"
    assert models.go_back() == renamed == models.in_use()
    assert models.rename("second drive no 2", "second drive no 2") == renamed
    assert models.adopt(files.make_head("c"), name="quick").version == "quick-3"


def test_the_number_of_a_version_that_was_renamed_or_deleted_is_not_given_again(project: Project, files: Files) -> None:
    models = Models(project)
    models.use(models.adopt(files.make_head()).version)
    for _ in range(2):
        models.adopt(files.make_head())
    models.rename("model-3", "mine")
    assert models.adopt(files.make_head()).version == "model-4"
    models.delete("model-4")
    assert models.adopt(files.make_head()).version == "model-5"


@pytest.mark.parametrize("name", ["", " ", ".hidden", "a/b", "..", "a\\b", "-x", "x-", "a\nb", "x" * 61, 'a"b'])
def test_a_name_that_is_no_file_is_refused(project: Project, files: Files, name: str) -> None:
    models = Models(project)
    model = models.adopt(files.make_head())
    with pytest.raises(Refusal, match="cannot be a version's name") as caught:
        models.rename(model.version, name)
    assert "\n" not in str(caught.value)
    assert models.versions() == [model]


def test_names_are_unique_however_they_are_capitalised(project: Project, files: Files) -> None:
    models = Models(project)
    for _ in range(2):
        models.adopt(files.make_head())
    with pytest.raises(Refusal, match="a version called MODEL-2 already"):
        models.rename("model-1", "MODEL-2")
    assert models.rename("model-1", "Model-1").version == "Model-1"
    with pytest.raises(Refusal, match="no model version 'gone'"):
        models.rename("gone", "x")


def test_a_deleted_version_is_gone_with_its_file_and_its_row(project: Project, files: Files) -> None:
    models = Models(project)
    first, second = (models.use(models.adopt(files.make_head()).version) for _ in range(2))
    with pytest.raises(Refusal, match="model-2 is in use: use another version first"):
        models.delete(second.version)
    models.delete(first.version)
    assert not first.head.exists()
    assert second.backbone.is_file()  # the other one stands on it
    assert models.versions() == [second]
    assert project.catalogue.model(first.version) is None
    assert models.previous() is None
    with pytest.raises(Refusal, match="no model version 'model-1'"):
        models.delete(first.version)


def test_a_backbone_goes_when_nobody_needs_it(project: Project, files: Files) -> None:
    models = Models(project)
    first, second = (models.adopt(files.make_head()) for _ in range(2))
    other = project.backbone_dir / f"{'0' * 64}.safetensors"
    shutil.copy(first.backbone, other)
    models.use(second.version)
    card = replace(core_model.read_card(first.head), backbone="0" * 64)
    models._note(first.version, json.loads(card.to_json()))
    running = project.root / ".atrous/runs/now"
    (running / "pictures").mkdir(parents=True)
    (running / "job.json").write_text(json.dumps({"backbone": str(other)}))
    models.delete(first.version)
    assert other.is_file()
    assert second.backbone.is_file()
    third = models.adopt(files.make_head())
    models._note(third.version, json.loads(card.to_json()))
    shutil.rmtree(running / "pictures")
    models.delete(third.version)
    assert not other.exists()
    assert second.backbone.is_file()


def test_what_the_disk_refuses_changes_nothing(
    project: Project, files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    models = Models(project)
    for _ in range(2):
        models.use(models.adopt(files.make_head()).version)
    before = models.versions()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(Refusal, match=r"model-1 could not be renamed \(permission denied\); it keeps its name"):
        models.rename("model-1", "mine")
    with pytest.raises(Refusal, match=r"model-1 could not be deleted \(permission denied\); it stays"):
        models.delete("model-1")
    assert models.versions() == before


def test_nothing_changes_in_a_project_that_is_read_only(project: Project, files: Files) -> None:
    models = Models(project)
    for _ in range(2):
        models.use(models.adopt(files.make_head()).version)
    project.close()
    again = open_project(project.root, read_only=True)
    for act in (lambda: Models(again).rename("model-1", "mine"), lambda: Models(again).delete("model-1")):
        with pytest.raises(Refusal, match=r"nothing was changed: .*reading only"):
            act()
    assert len(Models(again).versions()) == 2
    again.close()


def test_the_slot_of_live_learning_keeps_its_name(project: Project, files: Files) -> None:
    models = Models(project)
    models.adopt(files.make_head())
    project.catalogue.add_model(replace(project.catalogue.models()[0], version=SLOT))
    shutil.copy(project.model_dir / "model-1.safetensors", project.model_dir / f"{SLOT}.safetensors")
    for version, name in ((SLOT, "mine"), ("model-1", "Live")):
        with pytest.raises(Refusal, match="live is what live learning goes on with"):
            models.rename(version, name)


def test_agreement_follows_a_version_to_its_new_name(project: Project, files: Files) -> None:
    models = Models(project)
    models.adopt(files.make_head())
    project.catalogue.agreement.note_learnt("model-1", {"p00": 3})
    models.rename("model-1", "mine")
    assert project.catalogue.agreement.learnt("mine", "p00") == 3
    assert project.catalogue.agreement.learnt("model-1", "p00") is None
