"""Numbers and findings about a project."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from app.services import Models, check, examine, info, open_project, run
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import write_voc


def test_info_counts_images_pixels_and_versions(dataset: Project, files: Files) -> None:
    models = Models(dataset)
    models.use(models.adopt(files.make_head(scores={"miou": 0.5, "pixel_accuracy": 0.9, "classes": {}})).version)
    found = json.loads(json.dumps(run(info(dataset))))
    assert found["images"] == {
        "total": 5, "untouched": 2, "predicted": 0, "corrected": 0, "reviewed": 3, "skipped": 0,
    }  # fmt: skip
    masks = np.stack([dataset.read_mask(image_id)[0].labels for image_id in ("p00", "p01", "p02")])
    assert [row["pixels"] for row in found["classes"]] == np.bincount(masks.ravel()).tolist()
    assert [row["name"] for row in found["classes"]] == ["background", "box", "disc"]
    assert found["classes"][1]["color"] == "#800000"
    assert found["in_use"] == "model-1"
    assert found["models"][0]["scores"]["miou"] == 0.5
    assert found["models"][0]["in_use"] is True


def test_check_finds_nothing_in_an_orderly_project(dataset: Project, files: Files) -> None:
    Models(dataset).adopt(files.make_head())
    assert run(check(dataset)) == []


def test_check_names_everything_that_is_wrong(tmp_path: Path, files: Files) -> None:
    root = write_voc(tmp_path / "V", 5, 5)
    project = open_project(root)
    models = Models(project)
    good, gone, damaged = (models.adopt(files.make_head()) for _ in range(3))
    gone.head.unlink()
    damaged.head.write_bytes(damaged.head.read_bytes()[:-9])
    project.close()
    masks = root / "SegmentationClass"
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(masks / "p00.png")
    Image.fromarray(np.full((48, 64), 77, np.uint8)).save(masks / "p01.png")
    (masks / "p02.png").write_bytes(b"rubbish")
    (root / "JPEGImages/p03.png").write_bytes(b"rubbish")
    (root / "ImageSets/Segmentation/train.txt").open("a").write("stranger\n")
    before = {path: path.read_bytes() for path in masks.iterdir()}
    project = open_project(root)
    findings = {(finding.what, finding.problem) for finding in run(check(project))}
    project.close()
    what = {finding[0] for finding in findings}
    assert {"p00", "p01", "p02", "p03", "train.txt", f"model {gone.version}", f"model {damaged.version}"} <= what
    assert what.isdisjoint({"p04", f"model {good.version}"})
    assert any("stranger" in problem for _, problem in findings)
    assert any("class 77" in problem for _, problem in findings)
    assert {path: path.read_bytes() for path in masks.iterdir()} == before


def test_the_doctor_looks_at_python_libraries_qt_device_and_disk() -> None:
    findings = {finding.what: finding for finding in run(examine())}
    for name in ("Python", "torch", "PySide6-Essentials", "Qt", "device", "engine", "this folder"):
        assert findings[name].found
    assert not findings["Python"].problem
    assert "missing" not in findings["numpy"].found
