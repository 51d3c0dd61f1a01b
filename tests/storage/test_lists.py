"""Lists, split and held-out images: imagesets, held_out, and what a project makes of them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.prediction import Prediction
from app.storage import planes
from app.storage.catalogue import Catalogue
from app.storage.database import Database
from app.storage.held_out import newly_held_out, place
from app.storage.imagesets import ImageSets
from app.storage.project import Project
from tests.storage.conftest import NAMES, labels, opened, stroke


def review(project: Project, *ids: str) -> None:
    for image_id in ids:
        opened(project, image_id).set_reviewed(True, 0)
    project.saver.flush()
    assert project.saver.failures == {}


def unreview(project: Project, image_id: str) -> None:
    opened(project, image_id).set_reviewed(False)
    project.saver.flush()


def listed(root: Path) -> dict[str, list[str]]:
    folder = root / "ImageSets" / "Segmentation"
    paths = {name: folder / f"{name}.txt" for name in ("train", "val", "trainval")}
    return {name: path.read_text().splitlines() for name, path in paths.items() if path.exists()}


def test_place_is_the_first_eight_bytes_of_sha256() -> None:
    digits = hashlib.sha256(b"0001TP_006690").hexdigest()[:16]
    assert place("0001TP_006690") == int(digits, 16) / 2**64


@given(st.sets(st.text(min_size=1, max_size=6), max_size=40), st.data())
def test_held_out_rule(reviewed: set[str], data: st.DataObject) -> None:
    fixed = set(data.draw(st.lists(st.sampled_from(sorted(reviewed)), max_size=4))) if reviewed else set()
    assert newly_held_out(reviewed, fixed, by_list=True) == set()
    new = newly_held_out(reviewed, fixed, by_list=False)
    assert not new & fixed
    assert new <= reviewed
    if len(reviewed) < 10:
        assert new == set()
    else:
        low = {name for name in reviewed if place(name) < 0.15}
        assert low <= new | fixed
        assert len(new | fixed) >= 2
        assert new <= low or len(low | fixed) < 2
        assert newly_held_out(reviewed, fixed | new, by_list=False) == set()  # fixed for ever


def test_the_lowest_places_are_taken_when_there_are_too_few() -> None:
    names = [name for name in map(str, range(1000)) if place(name) >= 0.15][:10]
    assert newly_held_out(names, set(), by_list=False) == set(sorted(names, key=place)[:2])
    assert newly_held_out(names, {names[0]}, by_list=False) == {min(names[1:], key=place)}


def many(tmp_path: Path, count: int = 14) -> Project:
    from PIL import Image

    from tests.storage.conftest import picture

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(count):
        Image.fromarray(picture(number, 12, 8)).save(folder / f"p{number}.png")
    return Project.create(tmp_path / "project", folder, NAMES)


def test_a_project_without_lists(tmp_path: Path) -> None:
    project = many(tmp_path)
    ids = [record.id for record in project.catalogue.images()]
    assert listed(project.root) == {}
    review(project, *ids[:9])
    assert listed(project.root) == {"trainval": ids[:9], "train": ids[:9]}
    assert project.held_out() == set()
    review(project, *ids[9:])
    held = project.held_out()
    assert held >= {image_id for image_id in ids if place(image_id) < 0.15}
    assert 2 <= len(held) < 8
    assert listed(project.root) == {
        "trainval": ids,
        "val": [image_id for image_id in ids if image_id in held],
        "train": [image_id for image_id in ids if image_id not in held],
    }
    for image_id in ids:  # what was held out stays so
        unreview(project, image_id)
    assert listed(project.root) == {"trainval": [], "val": [], "train": []}
    assert project.held_out() == set()
    review(project, *ids[:9])
    assert project.held_out() == held & set(ids[:9])
    project.close()
    again = Project.open(project.root)
    assert again.held_out() == held & set(ids[:9])
    assert not list((project.root / "ImageSets/Segmentation").glob("*.before-atrous"))
    again.close()


def test_a_dataset_opened_in_place(dataset: Path) -> None:
    before = listed(dataset)
    masks = {path.name: path.read_bytes() for path in (dataset / "SegmentationClass").iterdir()}
    project = Project.open(dataset)
    status = {record.id: record.status for record in project.catalogue.images()}
    assert status == {**dict.fromkeys(("c0", "c1", "c2", "c3", "c5"), "reviewed"), "c4": "corrected", "c6": "untouched"}
    assert {record.id: record.split for record in project.catalogue.images()} == {
        **dict.fromkeys(("c0", "c1", "c2", "c6"), "train"), "c3": "val", "c5": "val", "c4": None
    }  # fmt: skip
    assert project.held_out() == {"c3", "c5"}
    assert project.settings.unpainted == "background"
    assert "1 name in the lists has no picture (elsewhere)" in project.warnings[0]
    after = listed(dataset)
    assert {name: after[name] for name in before} == before  # to the order
    assert sorted(after["trainval"]) == ["c0", "c1", "c2", "c3", "c5"]
    for name in before:
        kept = dataset / "ImageSets/Segmentation" / f"{name}.txt.before-atrous"
        assert kept.read_text().splitlines() == before[name]

    review(project, "c4", "c6")
    assert listed(dataset) == {
        "train": [*before["train"], "c4"],
        "val": before["val"],
        "trainval": ["c0", "c1", "c2", "c3", "c4", "c5", "c6"],
    }
    unreview(project, "c3")
    unreview(project, "c4")
    assert listed(dataset)["val"] == before["val"]  # no name is ever dropped from a list that was found
    assert listed(dataset)["train"] == before["train"]
    assert listed(dataset)["trainval"] == ["c0", "c1", "c2", "c5", "c6"]
    assert project.held_out() == {"c5"}
    project.close()
    assert {name: (dataset / "SegmentationClass" / name).read_bytes() for name in ("c0.png", "c5.png")} == {
        name: masks[name] for name in ("c0.png", "c5.png")
    }


def test_opening_again_keeps_the_first_lists(dataset: Path) -> None:
    before = listed(dataset)
    for _ in range(3):
        project = Project.open(dataset)
        project.saver.flush()
        project.close()
    shutil.rmtree(dataset / ".atrous")
    (dataset / "atrous.toml").unlink()
    project = Project.open(dataset)
    project.saver.flush()
    for name in before:
        assert (dataset / f"ImageSets/Segmentation/{name}.txt.before-atrous").read_text().splitlines() == before[name]
        assert listed(dataset)[name] == before[name]
    project.close()


def test_a_list_never_names_an_image_without_mask(project: Project) -> None:
    project.catalogue.set_status("a1", "reviewed")  # as after a crash before its mask was written
    review(project, "a2")
    assert listed(project.root)["trainval"] == ["a2"]


def test_an_unchanged_list_is_not_written(dataset: Path) -> None:
    path = dataset / "ImageSets/Segmentation/train.txt"
    path.write_bytes(b"c2\r\nc0\r\n\r\n c1\r\n")  # as somebody's editor left it
    project = Project.open(dataset)
    project.saver.flush()
    assert path.read_bytes() == b"c2\r\nc0\r\n\r\n c1\r\n"
    project.close()


def test_names_that_are_no_text_and_names_with_spaces_survive(tmp_path: Path) -> None:
    lists = ImageSets(tmp_path)
    lists.path("train").write_bytes(b"\xff\xfe odd\na\n")
    known = {"a", " b ", "c d"}
    database = Database(tmp_path / "catalogue.sqlite3")
    lists.write([" b ", "c d"], [], known, Catalogue(database))
    assert lists.path("train").read_bytes() == b"\xff\xfe odd\na\n b \nc d\n"
    lists.write([" b "], [], known, Catalogue(database))
    database.close()
    assert lists.read("train", known) == [b"\xff\xfe odd".decode(errors="surrogateescape"), "a", " b "]


def lose_catalogue(root: Path) -> None:
    for file in (root / ".atrous").glob("catalogue*"):
        file.unlink()


def test_names_written_by_hand_survive_what_atrous_does(dataset: Path) -> None:
    (dataset / "ImageSets/Segmentation/val.txt").unlink()
    project = Project.open(dataset)
    review(project, "c5")
    project.close()
    (dataset / "ImageSets/Segmentation/val.txt").write_text("c4\nc6\n")  # known, not reviewed
    for _ in range(2):
        project = Project.open(dataset)
        assert listed(dataset)["val"] == ["c4", "c6"]
        project.close()
    project = Project.open(dataset)
    unreview(project, "c5")
    assert "c5" not in listed(dataset)["trainval"]  # its own names it still takes back, also after a restart
    review(project, "c5")
    project.close()
    lose_catalogue(dataset)
    before = listed(dataset)
    project = Project.open(dataset)
    assert project.saver.failures == {}
    after = listed(dataset)
    assert all(set(names) <= set(after[name]) for name, names in before.items())
    project.close()


def test_a_name_that_a_full_disk_kept_in_a_list_is_dropped_later(
    project: Project, break_disk: Callable[[bool], None]
) -> None:
    review(project, "a1", "a2")
    break_disk(True)
    unreview(project, "a1")
    assert project.saver.failures
    assert listed(project.root)["trainval"] == ["a1", "a2"]
    break_disk(False)
    project.saver.flush()
    assert listed(project.root) == {"trainval": ["a2"], "train": ["a2"]}


def test_a_lost_catalogue_makes_no_ground_truth_of_predictions(dataset: Path) -> None:
    (dataset / "ImageSets/Segmentation/trainval.txt").write_text("c0\nc6\n")
    shutil.copy(dataset / "JPEGImages/c6.jpg", dataset / "JPEGImages/c7.jpg")
    project = Project.open(dataset)
    prediction = Prediction(labels(2), np.full((8, 12), 255, np.uint8), "v")
    for image_id in ("c6", "c7"):  # c6: named by the lists as they came, without a mask
        opened(project, image_id).pre_annotate(prediction)
    review(project, "c7")
    stroke(opened(project, "c3"), 0, 0)
    project.close()
    lose_catalogue(dataset)
    project = Project.open(dataset)
    status = {record.id: record.status for record in project.catalogue.images()}
    assert status["c6"] == "predicted"
    assert status["c7"] == "reviewed"  # trainval.txt gained it
    assert (status["c0"], status["c3"]) == ("reviewed", "reviewed")  # a person's alone
    project.close()


def test_a_mask_that_comes_later_is_taken_up(dataset: Path) -> None:
    shutil.copy(dataset / "JPEGImages/c6.jpg", dataset / "JPEGImages/c7.jpg")
    shutil.copy(dataset / "JPEGImages/c6.jpg", dataset / "JPEGImages/c8.jpg")
    project = Project.open(dataset)
    stroke(document := opened(project, "c8"), 0, 0)
    document.undo()
    project.saver.flush()
    project.catalogue.set_status("c8", "untouched")
    project.close()
    for image_id in ("c6", "c7"):
        planes.write(dataset / f"SegmentationClass/{image_id}.png", labels(6), None, 0)
    project = Project.open(dataset)
    status = {record.id: record.status for record in project.catalogue.images()}
    assert status["c6"] == "reviewed"  # train.txt names it
    assert status["c7"] == "corrected"
    assert status["c8"] == "untouched"  # its mask is Atrous's own
    assert np.array_equal(project.load("c7").mask.labels, labels(6))
    assert "c6" in listed(dataset)["trainval"]
    project.close()
