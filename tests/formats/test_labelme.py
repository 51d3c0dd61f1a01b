"""labelme's JSON files become exactly the masks that labelme makes of them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.domain.classes import VOID
from app.domain.mask import EMPTY, HUMAN
from app.formats import Found, Pictures, Refused, labelme

SQUARE = [[2, 2], [5, 2], [5, 5], [2, 5]]


def picture(path: Path, width: int = 12, height: int = 10, orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.full((height, width, 3), 90, np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def shape(label: str = "cat", kind: str | None = "polygon", points: Any = SQUARE, **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, **more}


def write(folder: Path, *shapes: Any, name: str = "a", size: tuple[int, int] | None = (12, 10), **more: Any) -> Path:
    width, height = size or (None, None)
    data = {"shapes": list(shapes), "imagePath": f"{name}.jpg", "imageWidth": width, "imageHeight": height, **more}
    file = folder / f"{name}.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures({"a": picture(tmp_path / "a.jpg"), "b": picture(tmp_path / "b.jpg")})


def only(folder: Path, pictures: Pictures) -> Found | Refused:
    (item,) = labelme.read(folder, pictures)
    return item


def found(folder: Path, pictures: Pictures) -> Found:
    item = only(folder, pictures)
    assert isinstance(item, Found), item
    return item


def refused(folder: Path, pictures: Pictures) -> str:
    item = only(folder, pictures)
    assert isinstance(item, Refused), item
    return item.reason


def test_the_masks_of_labelmes_own_converter(labelme_voc: Path) -> None:
    source = labelme_voc / "data_annotated"
    names = (labelme_voc / "expected" / "class_names.txt").read_text(encoding="utf-8").splitlines()
    pictures = Pictures({path.stem: path for path in source.glob("*.jpg")})
    items = list(labelme.read(source, pictures))
    assert [item.source for item in items] == [f"2011_0000{number}.json" for number in ("03", "06", "25")]
    for item in items:
        assert isinstance(item, Found)
        with Image.open(labelme_voc / "expected" / "SegmentationClass" / f"{item.image_id}.png") as image:
            expected = np.array(image)
        table = np.full(256, VOID, np.uint8)
        table[: len(item.names)] = [names.index(name) for name in item.names]
        labels = np.where(item.mask.provenance == EMPTY, names.index("_background_"), table[item.mask.labels])
        assert np.array_equal(labels, expected)


def test_later_shapes_lie_over_earlier_ones_and_ignore_is_void(tmp_path: Path, pictures: Pictures) -> None:
    write(
        tmp_path,
        shape("cat", points=[[0, 0], [9, 0], [9, 9], [0, 9]]),
        shape("dog", points=[[2, 2], [6, 2], [6, 6], [2, 6]]),
        shape("__ignore__", points=[[4, 4], [7, 4], [7, 7], [4, 7]]),
    )
    item = found(tmp_path, pictures)
    assert item.names == ("cat", "dog")
    assert (item.mask.labels[0, 0], item.mask.labels[3, 3]) == (0, 1)
    assert (item.mask.labels[5, 5], item.mask.provenance[5, 5]) == (VOID, HUMAN)
    assert (item.mask.labels[9, 11], item.mask.provenance[9, 11]) == (VOID, EMPTY)


@pytest.mark.parametrize(
    ("kind", "points", "inside", "outside"),
    [
        ("rectangle", [[2, 3], [6, 8]], (8, 6), (9, 6)),
        ("circle", [[5, 5], [5, 8]], (8, 5), (2, 2)),
        ("line", [[5, 0], [5, 9]], (4, 8), (4, 11)),
        ("linestrip", [[5, 0], [5, 4], [5, 9]], (4, 8), (4, 11)),
        ("point", [[5, 5]], (5, 10), (5, 11)),
        ("oriented_rectangle", SQUARE, (5, 5), (6, 6)),
        (None, SQUARE, (5, 5), (6, 6)),
    ],
)
def test_every_kind_of_shape(
    tmp_path: Path, pictures: Pictures, kind: str, points: Any, inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    write(tmp_path, shape(kind=kind, points=points))
    mask = found(tmp_path, pictures).mask
    assert mask.provenance[inside] == HUMAN
    assert mask.provenance[outside] == EMPTY


def test_a_mask_shape_is_laid_on_its_corner_and_cut_to_the_picture(tmp_path: Path, pictures: Pictures) -> None:
    stamp = np.zeros((4, 5), np.uint8)
    stamp[1:, 2:] = 1
    buffer = io.BytesIO()
    Image.fromarray(stamp).save(buffer, "PNG")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    write(tmp_path, shape(kind="mask", points=[[9, -2], [13, 1]], mask=encoded))
    expected = np.zeros((10, 12), bool)
    expected[0:2, 11] = True
    assert np.array_equal(found(tmp_path, pictures).mask.provenance == HUMAN, expected)


def test_points_on_an_upright_photo_stay_and_those_on_a_stored_one_are_turned(tmp_path: Path) -> None:
    upright = picture(tmp_path / "a.jpg", 12, 10, orientation=6)  # shown as 10 wide, 12 high
    pictures = Pictures({"a": upright})
    corner = shape(kind="rectangle", points=[[0, 0], [1, 2]])
    write(tmp_path, corner, size=(10, 12))
    mask = found(tmp_path, pictures).mask
    assert mask.labels.shape == (12, 10)
    assert mask.provenance[:3, :2].all()
    write(tmp_path, corner, size=(12, 10))  # drawn before the rotation: upper left becomes upper right
    mask = found(tmp_path, pictures).mask
    assert mask.labels.shape == (12, 10)
    expected = np.zeros((12, 10), bool)
    expected[:2, -3:] = True
    assert np.array_equal(mask.provenance == HUMAN, expected)


def test_without_a_size_the_pictures_counts(tmp_path: Path, pictures: Pictures) -> None:
    write(tmp_path, shape(), size=None)
    assert found(tmp_path, pictures).mask.labels.shape == (10, 12)


def test_the_picture_is_found_by_path_by_id_or_by_its_only_name(tmp_path: Path) -> None:
    pictures = Pictures({"deep/a": picture(tmp_path / "photos" / "deep" / "a.jpg")})
    elsewhere = tmp_path / "labels"
    (elsewhere / "deep").mkdir(parents=True)
    write(elsewhere, shape(), imagePath="..\\photos\\deep\\a.jpg")
    assert found(elsewhere, pictures).image_id == "deep/a"
    write(elsewhere, shape(), imagePath="renamed.jpg")
    assert found(elsewhere, pictures).image_id == "deep/a"
    (elsewhere / "a.json").rename(elsewhere / "deep" / "a.json")
    assert found(elsewhere, pictures).image_id == "deep/a"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "damaged"),
        ("\x00\x01", "damaged"),
        ("[]", "no list of shapes"),
        ('{"shapes": 3}', "no list of shapes"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_what_is_no_labelme_file_is_refused(tmp_path: Path, pictures: Pictures, content: str, reason: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    assert reason in refused(tmp_path, pictures)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (3, "shape 1 is damaged"),
        (shape(label=""), "no label"),
        (shape(label=None), "no label"),
        (shape(points=[[1, 2], [3]]), "damaged points"),
        (shape(points=[[1, "x"], [3, 4], [5, 6]]), "damaged points"),
        (shape(points=None), "damaged points"),
        (shape(points=[[1, 2], [3, 4]]), "cannot have 2 points"),
        (shape(kind="circle"), "cannot have 4 points"),
        (shape(kind="blob"), "'blob'"),
        (shape(points=[[1, 2], [1e300, 4], [5, 6]]), "far outside"),
        (shape(points=[[1, 2], [float("nan"), 4], [5, 6]]), "far outside"),
        (shape(kind="mask", points=[[1, 2], [3, 4]], mask="!"), "damaged mask"),
        (shape(kind="mask", points=[[1, 2], [3, 4]]), "damaged mask"),
    ],
)
def test_a_damaged_shape_refuses_its_file_and_says_which(
    tmp_path: Path, pictures: Pictures, bad: Any, reason: str
) -> None:
    write(tmp_path, bad)
    assert reason in refused(tmp_path, pictures)


def test_other_sizes_missing_and_damaged_pictures_are_refused_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    pictures = Pictures({"a": picture(tmp_path / "a.jpg"), "broken": tmp_path / "broken.jpg"})
    write(tmp_path, shape())
    write(tmp_path, shape(), name="broken")
    write(tmp_path, shape(), name="gone")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", shape(), name="a", size=(99, 98))
    items = {item.source: item for item in labelme.read(tmp_path, pictures)}
    assert isinstance(items["a.json"], Found)
    reasons = {name: item.reason for name, item in items.items() if isinstance(item, Refused)}
    assert "cannot be read" in reasons["broken.json"]
    assert "no picture 'gone.jpg'" in reasons["gone.json"]
    assert "99 x 98" in reasons["sub/a.json"]


def test_swapped_sides_without_rotation_are_refused(tmp_path: Path, pictures: Pictures) -> None:
    write(tmp_path, shape(), size=(10, 12))
    assert "swapped" in refused(tmp_path, pictures)


def test_one_file_can_be_named(tmp_path: Path, pictures: Pictures) -> None:
    write(tmp_path, shape(), name="b")
    item = found(write(tmp_path, shape()), pictures)
    assert (item.source, item.image_id) == ("a.json", "a")
