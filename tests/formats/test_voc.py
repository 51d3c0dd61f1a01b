"""VOC trees out and in."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.classes import VOC_NAMES, VOID
from app.formats import FormatError, Found, Pictures, Refused, voc
from app.jobs.job import run
from app.services import load, open_project, review
from app.storage import images, planes
from tests.services.datasets import CLASSES, write_voc


def test_the_complete_tree(tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", 5, 4, {"train": [0, 1, 2], "val": [3]}))
    result = run(voc.write(project, out := tmp_path / "out"))
    assert (result.images, result.refused) == (4, ())
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {
        *(f"JPEGImages/p0{n}.png" for n in range(4)),
        *(f"SegmentationClass/p0{n}.png" for n in range(4)),
        *(f"ImageSets/Segmentation/{name}.txt" for name in ("train", "val", "trainval")),
        "class_names.txt",
        "labelmap.txt",
    }
    lists = {name: (out / f"ImageSets/Segmentation/{name}.txt").read_text().split() for name in ("train", "val")}
    assert lists == {"train": ["p00", "p01", "p02"], "val": ["p03"]}
    assert (out / "class_names.txt").read_text().split() == list(CLASSES)
    assert (out / "JPEGImages/p00.png").read_bytes() == project.picture_path("p00").read_bytes()
    labels, sequence = planes.read(out / "SegmentationClass/p00.png")
    assert np.array_equal(labels, project.read_mask("p00")[0].labels)
    assert sequence is None
    with Image.open(out / "SegmentationClass/p00.png") as image:
        assert image.mode == "P"
        assert image.getpalette()[:6] == [0, 0, 0, 128, 0, 0]  # type: ignore[index]
    project.close()
    again = open_project(out)
    assert again.catalogue.counts()["reviewed"] == 4
    again.close()


def test_a_photo_with_exif_rotation_is_written_upright(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "V", 1, 1)
    stored = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    (root / "JPEGImages/p00.png").unlink()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored).save(root / "JPEGImages/p00.jpg", exif=exif, quality=100, subsampling=0)
    Image.fromarray(np.zeros((64, 48), np.uint8)).save(root / "SegmentationClass/p00.png")
    project = open_project(root)
    assert run(voc.write(project, tmp_path / "out")).images == 1
    written = tmp_path / "out/JPEGImages/p00.jpg"
    with Image.open(written) as image:
        assert image.size == (48, 64) == Image.open(tmp_path / "out/SegmentationClass/p00.png").size
        assert image.getexif().get(0x0112, 1) == 1
    difference = images.read(written).astype(int) - images.read(root / "JPEGImages/p00.jpg")
    assert np.abs(difference).mean() < 6
    project.close()


def test_nothing_reviewed_or_something_there_is_refused(tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", 2, 1))
    with pytest.raises(FormatError, match="something in"):
        run(voc.write(project, tmp_path))
    with pytest.raises(FormatError, match="something in"):
        run(voc.write(project, project.root / "class_names.txt"))
    document = load(project, "p00")
    document.set_reviewed(False)
    with pytest.raises(FormatError, match="no image is reviewed"):
        run(voc.write(project, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    review(project, document)
    assert run(voc.write(project, tmp_path / "out")).images == 1
    project.close()


def test_an_image_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", 3, 3))
    project.picture_path("p01").write_bytes(b"rubbish")
    result = run(voc.write(project, tmp_path / "out"))
    assert result.images == 2
    assert [item.source for item in result.refused] == ["p01"]
    assert (tmp_path / "out/ImageSets/Segmentation/train.txt").read_text().split() == ["p00", "p02"]
    project.close()


def pictures_of(root: Path) -> Pictures:
    return Pictures({path.stem: path for path in (root / "JPEGImages").iterdir()})


def test_reading_goes_by_names_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "V", 4, 4)
    masks = root / "SegmentationClass"
    Image.fromarray(np.full((48, 64), VOID, np.uint8)).save(masks / "p00.png")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(masks / "p01.png")
    Image.fromarray(np.full((48, 64), 9, np.uint8)).save(masks / "p02.png")
    shutil.copy(masks / "p03.png", masks / "stranger.png")
    items = {item.source: item for item in voc.read(root, pictures_of(root))}
    whole = items["p00.png"]
    assert isinstance(whole, Found)
    assert (whole.names, whole.mask.provenance.min()) == ((), 2)
    good = items["p03.png"]
    assert isinstance(good, Found)
    assert good.names == CLASSES
    reasons = {name: item.reason for name, item in items.items() if isinstance(item, Refused)}
    assert "5 x 5" in reasons["p01.png"]
    assert "class 9" in reasons["p02.png"]
    assert "no picture" in reasons["stranger.png"]


@pytest.mark.parametrize(("highest", "name"), [(20, VOC_NAMES[20]), (21, "class 21")])
def test_without_names_vocs_own_or_numbers(tmp_path: Path, highest: int, name: str) -> None:
    root = write_voc(tmp_path / "V", 1, 1)
    (root / "class_names.txt").unlink()
    Image.fromarray(np.full((48, 64), highest, np.uint8)).save(root / "SegmentationClass/p00.png")
    (item,) = voc.read(root, pictures_of(root))
    assert isinstance(item, Found)
    assert item.names == (name,)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no folder"):
        list(voc.read(tmp_path / "nowhere", Pictures({})))
