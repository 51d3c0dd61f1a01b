"""Lists, split and held-out images: imagesets, held_out, and what a project makes of them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.storage.held_out import newly_held_out, place
from app.storage.imagesets import ImageSets
from app.storage.project import Project
from tests.storage.conftest import NAMES, opened


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
    lists.write([" b ", "c d"], [], known)
    assert lists.path("train").read_bytes() == b"\xff\xfe odd\n b \nc d\n"
    lists.write([" b "], [], known)
    assert lists.read("train", known) == [b"\xff\xfe odd".decode(errors="surrogateescape"), " b "]
