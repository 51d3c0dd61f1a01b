"""Masks from elsewhere become undoable steps, and nobody's work is lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.classes import VOID
from app.domain.mask import EMPTY, HUMAN
from app.formats import FormatError
from app.services import Refusal, create_project, export, import_masks, load, run
from app.storage.project import Project
from tests.services.datasets import HEIGHT, WIDTH, write_voc


def labelme(folder: Path, name: str, *shapes: tuple[str, int, int]) -> None:
    """Rectangles of ten pixels at (x, y) as a labelme file."""
    data = {
        "imagePath": f"{name}.png",
        "imageWidth": WIDTH,
        "imageHeight": HEIGHT,
        "shapes": [
            {"label": label, "shape_type": "rectangle", "points": [[x, y], [x + 9, y + 9]]} for label, x, y in shapes
        ],
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")


def test_an_import_is_reviewed_with_background_void_and_new_classes(project: Project, tmp_path: Path) -> None:
    labelme(tmp_path / "L", "p00", ("zebra", 0, 0), ("box", 20, 0), ("__ignore__", 40, 0))
    labelme(tmp_path / "L", "p01", ("ape", 0, 0), ("zebra", 20, 0))
    result = run(import_masks(project, tmp_path / "L", "labelme"))
    assert (result.done, result.classes_added, result.refused) == (["p00", "p01"], ["zebra", "ape"], {})
    assert project.settings.classes.names == ("background", "box", "disc", "zebra", "ape")
    assert "__ignore__" not in (project.root / "class_names.txt").read_text()
    mask = project.read_mask("p00")[0]
    assert [mask.labels[5, x] for x in (5, 25, 45, 60)] == [3, 1, VOID, 0]
    assert (mask.provenance == HUMAN).all()
    with Image.open(project.mask_path("p00")) as image:
        assert np.array_equal(np.array(image), mask.labels)
    assert project.catalogue.image("p00").status == "reviewed"
    assert project.catalogue.image("p02").status == "untouched"


def test_an_import_can_be_undone(project: Project, tmp_path: Path) -> None:
    labelme(tmp_path / "L", "p00", ("box", 20, 0))
    run(import_masks(project, tmp_path / "L", "labelme"))
    document = load(project, "p00")
    assert document.history.undoable == ("Import labelme", "Reviewed")
    document.undo()
    assert (document.mask.provenance == HUMAN).sum() == 100
    document.undo()
    assert (document.mask.provenance == EMPTY).all()


def test_work_of_a_person_is_left_as_it_is_and_named(project: Project, tmp_path: Path) -> None:
    for name in ("p00", "p01", "p02"):
        labelme(tmp_path / "L", name, ("box", 20, 0))
    run(import_masks(project, tmp_path / "L", "labelme"))
    document = load(project, "p01")
    document.set_reviewed(False)
    before = project.read_mask("p00")[0].labels.copy()
    load(project, "p02").set_reviewed(False)
    load(project, "p02").clear()
    labelme(tmp_path / "L", "p00", ("disc", 0, 0))
    result = run(import_masks(project, tmp_path / "L", "labelme"))
    assert result.done == ["p02"]
    assert "is reviewed" in result.refused["p00.json"]
    assert "a person painted" in result.refused["p01.json"]
    assert np.array_equal(project.read_mask("p00")[0].labels, before)


def test_damaged_files_are_named_and_the_others_go_on(project: Project, tmp_path: Path) -> None:
    labelme(tmp_path / "L", "p00", ("box", 20, 0))
    labelme(tmp_path / "L", "p01", ("", 20, 0))
    labelme(tmp_path / "L", "elsewhere", ("box", 20, 0))
    (tmp_path / "L" / "p02.json").write_text("{")
    result = run(import_masks(project, tmp_path / "L", "labelme"))
    assert result.done == ["p00"]
    assert sorted(result.refused) == ["elsewhere.json", "p01.json", "p02.json"]


def test_a_label_that_can_be_no_class_name_is_refused_without_a_trace(project: Project, tmp_path: Path) -> None:
    labelme(tmp_path / "L", "p00", (" padded ", 20, 0))
    result = run(import_masks(project, tmp_path / "L", "labelme"))
    assert "padded" in result.refused["p00.json"]
    assert len(project.settings.classes) == 3
    assert project.catalogue.image("p00").status == "untouched"


def test_voc_masks_come_in_by_class_name(project: Project, tmp_path: Path) -> None:
    other = write_voc(tmp_path / "V", 2, 2)
    (other / "class_names.txt").write_text("disc\nwheel\nbackground\n", encoding="utf-8")
    result = run(import_masks(project, other, "voc"))
    assert (result.done, result.classes_added) == (["p00", "p01"], ["wheel"])
    with Image.open(other / "SegmentationClass/p00.png") as image:
        theirs = np.array(image)
    assert np.array_equal(project.read_mask("p00")[0].labels, np.array([2, 3, 0], np.uint8)[theirs])


def test_what_cannot_be_done_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there is no format 'nonsense'; there are"):
        run(import_masks(project, tmp_path, "nonsense"))
    with pytest.raises(Refusal, match="can only be imported; export as voc"):
        run(export(project, tmp_path / "out", "labelme"))
    with pytest.raises(Refusal, match="there is no"):
        run(import_masks(project, tmp_path / "nowhere", "labelme"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refusal, match="looks like labelme"):
        run(import_masks(project, tmp_path / "empty", "labelme"))
    with pytest.raises(FormatError, match="no image is reviewed"):
        run(export(project, tmp_path / "out", "voc"))


def test_the_whole_way_of_the_labelme_example(labelme_voc: Path, tmp_path: Path) -> None:
    source = labelme_voc / "data_annotated"
    names = (labelme_voc / "expected/class_names.txt").read_text(encoding="utf-8").splitlines()
    project = create_project(tmp_path / "P", source, names)
    result = run(import_masks(project, source, "labelme"))
    assert (len(result.done), result.classes_added, result.refused) == (3, [], {})
    for expected in (labelme_voc / "expected/SegmentationClass").glob("*.png"):
        with Image.open(expected) as right, Image.open(project.mask_path(expected.stem)) as written:
            assert np.array_equal(np.array(right), np.array(written))
            assert right.getpalette() == written.getpalette()
    assert run(export(project, tmp_path / "out", "voc")).images == 3
    assert len(list((tmp_path / "out/JPEGImages").glob("*.jpg"))) == 3
    project.close()
