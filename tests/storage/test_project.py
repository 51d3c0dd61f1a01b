from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.classes import VOC_NAMES, ClassError, Classes
from app.storage import lock, planes
from app.storage.catalogue import UnknownImage
from app.storage.errors import NotAProject, ReadOnlyProject
from app.storage.project import MISSING, Project
from app.storage.settings import SettingsError
from tests.storage.conftest import NAMES, labels, opened, picture, stroke


def ids(project: Project) -> list[str]:
    return [record.id for record in project.catalogue.images()]


def test_create(project: Project, pictures: Path) -> None:
    assert project.settings.name == "project"
    assert project.settings.pictures == "../pictures"
    assert project.pictures == pictures
    assert project.settings.unpainted == "background"
    assert (project.root / "class_names.txt").read_text() == "background\nleaf\nstem\n"
    assert ids(project) == ["a1", "a2", "zweite Wä/b 3"]
    assert {(record.width, record.height) for record in project.catalogue.images()} == {(48, 32)}
    assert project.picture_path("zweite Wä/b 3") == pictures / "zweite Wä/b 3.png"
    assert project.mask_path("zweite Wä/b 3") == project.root / "SegmentationClass/zweite Wä/b 3.png"
    assert project.warnings == []
    with pytest.raises(UnknownImage, match='no image "x"'):
        project.load("x")


def test_create_refuses_before_it_writes(pictures: Path, tmp_path: Path) -> None:
    root = tmp_path / "new"
    with pytest.raises(ClassError):
        Project.create(root, pictures, ["a", "a"])
    with pytest.raises(SettingsError):
        Project.create(root, pictures, ["a"], unpainted="b")
    with pytest.raises(NotAProject, match="not a folder"):
        Project.create(root, tmp_path / "nowhere", ["a"])
    assert not root.exists()
    Project.create(root, pictures, ["a"]).close()
    with pytest.raises(NotAProject, match="is a project already"):
        Project.create(root, pictures, ["a"])


def test_what_is_no_project_says_what_to_do(pictures: Path, tmp_path: Path) -> None:
    for root in (pictures, tmp_path / "nowhere"):
        with pytest.raises(NotAProject, match="no project"):
            Project.open(root)
    assert not (pictures / ".atrous").exists()


def test_bad_pictures_are_listed_with_their_reason(pictures: Path, tmp_path: Path) -> None:
    (pictures / "empty.png").touch()
    (pictures / "text.jpg").write_text("hello")
    whole = (pictures / "a2.jpg").read_bytes()
    (pictures / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    project = Project.create(tmp_path / "new", pictures, ["a"])
    problems = {record.id: record.problem for record in project.catalogue.images() if record.problem}
    assert problems == {
        "empty": "the file is empty",
        "text": "not a picture, or its beginning is damaged",
        "cut": "the file is truncated",
    }
    project.close()
    (pictures / "cut.jpg").write_bytes(whole)
    again = Project.open(project.root)
    assert again.catalogue.image("cut").problem is None
    assert again.catalogue.image("cut").width == 48
    again.close()


def test_a_problem_found_while_decoding_stays_until_the_picture_is_whole(project: Project, pictures: Path) -> None:
    project.catalogue.set_problem("a1", "found by somebody who decoded it")
    project.load("a1")
    assert project.catalogue.image("a1").problem is not None
    assert project.refresh() == 0
    assert project.catalogue.image("a1").problem is None


def test_newcomers_collisions_and_vanished_pictures(project: Project, pictures: Path) -> None:
    mask = opened(project, "a1").mask
    Image.fromarray(picture(5)).save(pictures / "a1.jpg")
    Image.fromarray(picture(6)).save(pictures / "A1.bmp")
    Image.fromarray(picture(7)).save(pictures / "line\nbreak.png")
    (pictures / "a2.jpg").unlink()
    assert project.refresh() == 3
    assert {record.file: record.id for record in project.catalogue.images()} == {
        "a1.png": "a1",
        "a1.jpg": "a1.jpg",
        "A1.bmp": "A1.bmp",
        "a2.jpg": "a2",
        "line\nbreak.png": "line_break",
        "zweite Wä/b 3.png": "zweite Wä/b 3",
    }
    assert project.catalogue.image("a2").problem == MISSING
    assert project.load("a2").mask.labels.shape == mask.labels.shape  # its mask can still be looked at
    Image.fromarray(picture(1)).save(pictures / "a2.jpg")
    assert project.refresh() == 0
    assert project.catalogue.image("a2").problem is None


def test_a_newcomer_in_place_of_a_vanished_picture_brings_its_mask(project: Project, pictures: Path) -> None:
    (pictures / "a2.jpg").rename(pictures / "a4.jpg")
    planes.write(project.mask_path("a4"), labels(3), None, 0)
    assert project.refresh() == 1
    assert project.catalogue.image("a4").status == "corrected"


def test_ids_are_fixed_at_first_sight(project: Project, pictures: Path) -> None:
    Image.fromarray(picture(5)).save(pictures / "a1.jpg")
    project.refresh()
    (pictures / "a1.png").unlink()
    project.close()
    again = Project.open(project.root)
    assert again.catalogue.image("a1.jpg").file == "a1.jpg"
    assert again.catalogue.image("a1").problem == MISSING
    again.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_no_text_are_left_out_and_told(project: Project, pictures: Path) -> None:
    shutil.copy(pictures / "a1.png", pictures / os.fsdecode(b"\xff.png"))
    assert project.refresh() == 0
    assert "no text" in project.warnings[-1]


def test_a_project_inside_its_picture_folder_does_not_list_its_masks(pictures: Path) -> None:
    for root in (pictures / "labels", pictures):
        project = Project.create(root, pictures, NAMES)
        document = opened(project, "a1")
        stroke(document, 0, 0)
        project.saver.flush()
        assert project.refresh() == 0
        assert len(ids(project)) == 3
        project.close()
        if root != pictures:
            shutil.rmtree(root)


def test_moved_pictures_can_be_pointed_to(project: Project, pictures: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "p"
    moved.parent.mkdir()
    pictures.rename(moved)
    project.close()
    again = Project.open(project.root)
    assert "point to it again" in again.warnings[0]
    assert {record.problem for record in again.catalogue.images()} == {MISSING}
    (tmp_path / "other").mkdir()
    with pytest.raises(NotAProject, match="none of this project's pictures"):
        again.relocate(tmp_path / "other")
    assert again.relocate(moved) == 3
    assert {record.problem for record in again.catalogue.images()} == {None}
    assert again.settings.pictures == "../elsewhere/p"
    again.close()
    third = Project.open(project.root)
    assert third.pictures == moved
    third.close()


def test_changed_classes_are_on_disk(project: Project) -> None:
    from dataclasses import replace

    classes = project.settings.classes.renamed(1, "blade").added("root").recolored(0, (9, 9, 9))
    project.save_settings(replace(project.settings, classes=classes))
    assert (project.root / "class_names.txt").read_text() == "background\nblade\nstem\nroot\n"
    stroke(opened(project, "a1"), 0, 0, label=3)
    project.close()
    again = Project.open(project.root)
    assert again.settings.classes == classes
    with Image.open(again.mask_path("a1")) as image:
        assert image.getpalette()[:3] == [0, 0, 0]  # VOC's colours, whatever the window shows
    again.close()


def test_classes_of_a_dataset_without_names(dataset: Path) -> None:
    (dataset / "class_names.txt").unlink()
    planes.write(dataset / "SegmentationClass/c0.png", np.full((32, 48), 20, np.uint8), None, 0)
    project = Project.open(dataset)
    assert project.settings.classes.names == VOC_NAMES
    project.close()
    shutil.rmtree(dataset / ".atrous")
    for name in ("atrous.toml", "class_names.txt"):
        (dataset / name).unlink()
    planes.write(dataset / "SegmentationClass/c0.png", np.full((32, 48), 23, np.uint8), None, 0)
    project = Project.open(dataset)
    assert project.settings.classes.names == tuple(f"class {n}" for n in range(24))
    project.close()


def test_a_class_names_file_that_cannot_be_used_is_named(dataset: Path) -> None:
    (dataset / "class_names.txt").write_text("a\na\n")
    with pytest.raises(SettingsError, match=r"class_names\.txt"):
        Project.open(dataset)
    assert not (dataset / "atrous.toml").exists()


def test_camvid_opens_in_place(camvid: Path, tmp_path: Path) -> None:
    root = shutil.copytree(camvid, tmp_path / "camvid")
    project = Project.open(root)
    assert project.warnings == []
    assert project.catalogue.counts()["reviewed"] == 468
    assert len(project.held_out()) == 101
    assert all(record.width == 480 for record in project.catalogue.images())
    mask = project.load("0001TP_006690").mask
    with Image.open(camvid / "SegmentationClass/0001TP_006690.png") as image:
        assert np.array_equal(mask.labels, np.array(image))
    project.close()
    assert (root / "class_names.txt").read_bytes() == (camvid / "class_names.txt").read_bytes()


# One writer


def test_a_second_program_reads_only_and_is_told_who_writes(project: Project) -> None:
    stroke(document := opened(project, "a1"), 0, 0)
    second = Project.open(project.root)
    assert second.read_only
    assert f"process {os.getpid()}" in second.warnings[0]
    assert np.array_equal(second.load("a1").mask.labels, document.mask.labels)  # from the journal
    for attempt in (
        lambda: second.save_settings(),
        lambda: second.refresh(),
        lambda: second.relocate(second.pictures),
        lambda: second.catalogue.set_status("a1", "skipped"),
        lambda: second.saver.feed("a1", project.journal.entries("a1")[0]),
        lambda: second.journal.append("a1", project.journal.entries("a1")[0]),
    ):
        with pytest.raises(ReadOnlyProject, match="is working on it"):
            attempt()
    second.saver.flush()
    assert second.saver.failures == {}
    second.close()
    project.saver.flush()
    project.close()
    third = Project.open(project.root)
    assert not third.read_only
    third.close()


def test_a_folder_that_cannot_be_written(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: lock.ProjectLock) -> str | None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lock.ProjectLock, "acquire", refuse)
    monkeypatch.setattr(os, "replace", lambda *paths: pytest.fail(f"wrote {paths}"))
    before = sorted(path for path in dataset.rglob("*") if path.is_file())
    project = Project.open(dataset)
    assert project.read_only
    assert "cannot be written to (permission denied)" in project.warnings[0]
    assert project.catalogue.counts()["reviewed"] == 5
    assert project.held_out() == {"c3", "c5"}
    assert np.array_equal(project.load("c0").mask.labels, labels(0))
    with pytest.raises(ReadOnlyProject, match="cannot be written"):
        project.catalogue.set_status("c0", "skipped")
    project.close()
    assert sorted(path for path in dataset.rglob("*") if path.is_file()) == before


def test_read_only_on_request(project: Project) -> None:
    stroke(opened(project, "a1"), 0, 0)
    project.close()
    second = Project.open(project.root, read_only=True)
    assert second.load("a1").sequence == 1
    writer = Project.open(project.root)  # it takes no lock
    assert not writer.read_only
    writer.close()
    second.close()


# A lost catalogue


def test_a_damaged_catalogue_is_begun_anew_from_masks_and_lists(dataset: Path) -> None:
    project = Project.open(dataset)
    opened(project, "c6").set_reviewed(True, 1)
    opened(project, "c3").set_reviewed(False)
    document = opened(project, "c4")
    stroke(document, 0, 0)
    project.close()
    (dataset / ".atrous/catalogue.sqlite3").write_bytes(b"rubbish" * 1000)
    masks = {path.name: path.read_bytes() for path in (dataset / "SegmentationClass").iterdir()}
    again = Project.open(dataset)
    assert any("set aside as catalogue.sqlite3.damaged-1" in warning for warning in again.warnings)
    status = {record.id: record.status for record in again.catalogue.images()}
    assert status["c6"] == "reviewed"
    assert status["c4"] == "corrected"
    assert {record.id for record in again.catalogue.images() if record.split == "val"} == {"c3", "c5"}
    assert np.array_equal(again.load("c4").mask.labels, document.mask.labels)
    stroke(opened(again, "c4"), 20, 20, label=2)
    again.saver.flush()
    assert again.saver.failures == {}
    del masks["c4.png"]
    assert {name: (dataset / "SegmentationClass" / name).read_bytes() for name in masks} == masks
    again.close()


def test_a_lost_catalogue_knows_models_work_from_people_s(project: Project) -> None:
    from app.domain.prediction import Prediction

    prediction = Prediction(labels(2), np.full((8, 12), 255, np.uint8), "v")
    opened(project, "a1").pre_annotate(prediction)
    document = opened(project, "a2")
    document.pre_annotate(prediction)
    stroke(document, 0, 0)
    project.close()
    shutil.rmtree(project.root / ".atrous" / "set_aside", ignore_errors=True)
    for file in (project.root / ".atrous").glob("catalogue*"):
        file.unlink()
    again = Project.open(project.root)
    assert {record.id: record.status for record in again.catalogue.images()} == {
        "a1": "predicted", "a2": "corrected", "zweite Wä/b 3": "untouched"
    }  # fmt: skip
    loaded = again.load("a1")
    assert (loaded.outcome, loaded.sequence) == ("fits", 1)
    again.close()


def test_state_and_models(project: Project) -> None:
    from app.storage.catalogue import ModelRecord

    catalogue = project.catalogue
    assert catalogue.get("model") is None
    catalogue.set("model", "a")
    catalogue.set("model", "b")
    assert catalogue.get("model") == "b"
    catalogue.set("model", None)
    assert catalogue.get("model") is None
    first, second = ModelRecord("z", "0" * 64, "{}", "2026-01-01"), ModelRecord("a", "1" * 64, "{}", "2026-01-02")
    catalogue.add_model(second)
    catalogue.add_model(first)
    assert catalogue.models() == [first, second]
    assert catalogue.model("a") == second
    assert catalogue.model("b") is None


def test_statuses(project: Project) -> None:
    project.catalogue.set_status("a1", "skipped")
    assert [record.id for record in project.catalogue.images("skipped")] == ["a1"]
    assert project.catalogue.ids("untouched") == ["a2", "zweite Wä/b 3"]
    assert project.catalogue.counts() == {
        "untouched": 2, "predicted": 0, "corrected": 0, "reviewed": 0, "skipped": 1
    }  # fmt: skip
    with pytest.raises(ValueError, match="no status"):
        project.catalogue.set_status("a1", "done")
    assert Classes.named(NAMES) == project.settings.classes
