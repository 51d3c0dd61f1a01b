"""What the network said, kept on disk: all of it or nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.domain.classes import Classes
from app.domain.prediction import Prediction
from app.storage.errors import ReadOnlyProject, UnkeptPrediction
from app.storage.predictions import PredictionFiles
from app.storage.project import Project
from tests.storage.conftest import HEIGHT, NAMES, WIDTH, labels

CLASSES = Classes.named(NAMES)
ID = "zweite Wä/b 3"


def prediction(seed: int = 0, version: str = "quick-1") -> Prediction:
    confidence = np.random.default_rng(seed).integers(0, 256, (8, 12), np.uint8)
    return Prediction(labels(seed), confidence, version)


def same(one: Prediction | None, other: Prediction) -> bool:
    return (
        one is not None
        and np.array_equal(one.labels, other.labels)
        and np.array_equal(one.confidence, other.confidence)
        and one.version == other.version
    )


@pytest.fixture
def files(tmp_path: Path) -> PredictionFiles:
    return PredictionFiles(tmp_path / "predictions")


def load(files: PredictionFiles, image_id: str = ID) -> Prediction | None:
    return files.load(image_id, WIDTH, HEIGHT, CLASSES)


@pytest.mark.parametrize("version", ["quick-1", "Modell Ä 木 2", ""])
def test_what_is_stored_is_loaded(files: PredictionFiles, version: str) -> None:
    assert load(files) is None
    files.store(ID, prediction(1, version))
    assert same(load(files), prediction(1, version))
    assert load(files, "another") is None


def test_the_newest_replaces_the_one_before(files: PredictionFiles) -> None:
    for seed in (1, 2):
        files.store(ID, prediction(seed, f"quick-{seed}"))
    assert same(load(files), prediction(2, "quick-2"))
    assert [path.name for path in files.path(ID).parent.iterdir()] == ["b 3.png"]


def test_the_labels_are_a_png_that_others_read(files: PredictionFiles) -> None:
    files.store(ID, prediction(3))
    with Image.open(files.path(ID)) as image:
        image.verify()
    assert np.array_equal(cv2.imread(str(files.path(ID)), cv2.IMREAD_UNCHANGED), labels(3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1)])
def test_pictures_of_any_shape(files: PredictionFiles, shape: tuple[int, int]) -> None:
    said = Prediction(np.full(shape, 2, np.uint8), np.full((1, 1), 7, np.uint8), "v")
    files.store(ID, said)
    assert same(files.load(ID, shape[1], shape[0], CLASSES), said)


def test_one_of_another_picture_or_with_an_unknown_class_is_none(files: PredictionFiles) -> None:
    files.store(ID, prediction())
    assert files.load(ID, WIDTH + 1, HEIGHT, CLASSES) is None
    assert files.load(ID, HEIGHT, WIDTH, CLASSES) is None
    assert files.load(ID, WIDTH, HEIGHT, Classes.named(NAMES[:2])) is None


def test_whatever_is_cut_off_it_is_none(files: PredictionFiles) -> None:
    files.store(ID, prediction(4))
    whole = files.path(ID).read_bytes()
    for length in range(len(whole)):
        files.path(ID).write_bytes(whole[:length])
        assert load(files) is None, length


def test_whatever_is_damaged_nothing_raises_and_nothing_wrong_is_shown(files: PredictionFiles) -> None:
    files.store(ID, prediction(5))
    whole, random = files.path(ID).read_bytes(), np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(whole)
        at = int(random.integers(len(whole)))
        damaged[at : at + 3] = random.bytes(3)
        files.path(ID).write_bytes(damaged)
        found = load(files)
        assert found is None or same(found, prediction(5))


@pytest.mark.parametrize("content", [b"", b"not a PNG"])
def test_what_is_no_prediction_is_none(files: PredictionFiles, content: bytes) -> None:
    files.path(ID).parent.mkdir(parents=True)
    files.path(ID).write_bytes(content)
    assert load(files) is None
    Image.fromarray(labels()).save(files.path(ID), "PNG")  # of another program: no version, no confidence
    assert load(files) is None


def test_a_full_disk_is_said_and_leaves_the_one_before(files: PredictionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.store(ID, prediction(1))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(UnkeptPrediction, match=r"b 3 could not be kept \(no space left on device\)"):
            files.store(ID, prediction(2))
    assert same(load(files), prediction(1))
    assert [path.name for path in files.path(ID).parent.iterdir()] == ["b 3.png"]


def test_nothing_waits_for_the_disk(files: PredictionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    files.store(ID, prediction(1))
    assert not synced


def test_a_project_keeps_them_and_writes_none_when_it_is_read_only(project: Project) -> None:
    project.predictions.store(ID, prediction(1))
    assert (project.root / ".atrous/predictions/zweite Wä/b 3.png").is_file()
    other = Project.open(project.root)
    assert other.read_only
    assert same(other.predictions.load(ID, WIDTH, HEIGHT, other.settings.classes), prediction(1))
    with pytest.raises(ReadOnlyProject):
        other.predictions.store(ID, prediction(2))
    other.close()
    assert "b 3" not in {path.stem for path in (project.root / "SegmentationClass").rglob("*.png")}
