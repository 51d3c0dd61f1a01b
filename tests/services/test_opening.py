"""Ways into a project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app import resources
from app.services import Models, Refusal, class_names, create_project, open_project, open_sample
from app.storage.errors import NotAProject
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import CLASSES, write_picture


def test_an_empty_line_of_a_class_file_keeps_its_number(tmp_path: Path) -> None:
    write_picture(tmp_path / "photos", 1)
    (tmp_path / "names.txt").write_text("__ignore__\nroad\n\ncar\n", encoding="utf-8")
    project = create_project(tmp_path / "P", tmp_path / "photos", class_names(tmp_path / "names.txt"))
    assert [(label.index, label.name) for label in project.settings.classes] == [(0, "road"), (2, "car")]
    project.close()


def test_a_folder_that_is_not_there_or_no_project(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there is no folder"):
        open_project(tmp_path / "nowhere")
    with pytest.raises(NotAProject, match="atrous new"):
        open_project(tmp_path)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files) -> Path:
    """A small sample in place of the one that ships, with a starter on the slim backbone."""
    shipped = tmp_path / "shipped"
    for number in range(2):
        write_picture(shipped / "sample/JPEGImages", number)
    (shipped / "sample/class_names.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    (shipped / "models").mkdir()
    shutil.copy(files.backbone, shipped / "models/backbone.safetensors")
    shutil.copy(files.make_head("starter"), shipped / "models/starter.safetensors")
    monkeypatch.setattr(resources, "path", shipped.joinpath)
    return shipped


def test_the_sample_is_opened_as_a_copy_with_the_starter_in_use(sample: Path, tmp_path: Path) -> None:
    before = sorted(path for path in sample.rglob("*"))
    project = open_sample(tmp_path / "mine")
    assert project.catalogue.counts()["untouched"] == 2
    assert project.settings.pictures == "JPEGImages"
    in_use = Models(project).in_use()
    assert in_use is not None
    assert in_use.version == "starter-1"
    project.close()
    again = open_sample(tmp_path / "mine")
    assert len(Models(again).versions()) == 1
    again.close()
    assert sorted(path for path in sample.rglob("*")) == before


def test_the_sample_is_not_mixed_with_something_else(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.doc").write_text("do not lose me")
    with pytest.raises(Refusal, match="something else"):
        open_sample(tmp_path / "full")
    (sample / "sample/class_names.txt").unlink()
    with pytest.raises(Refusal, match="missing from this installation"):
        open_sample(tmp_path / "new")


def test_a_first_start_that_was_interrupted_is_made_good_by_the_next(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for place, name in ((Project, "create"), (Project, "save_settings"), (Models, "adopt"), (Models, "use")):
        target = tmp_path / f"interrupted in {name}"
        with monkeypatch.context() as patch:
            patch.setattr(place, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                open_sample(target)
        project = open_sample(target)
        assert not project.read_only  # the one before was let go of
        assert (project.settings.name, project.settings.working_size) == (target.name, 640)
        assert [model.version for model in Models(project).versions()] == ["starter-1"]
        assert Models(project).in_use() is not None
        project.close()
        assert not list(tmp_path.glob("*.part"))


def test_the_sample_is_copied_into_an_empty_folder(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    project = open_sample(tmp_path / "empty")
    assert project.catalogue.counts()["untouched"] == 2
    project.close()
