"""The first loop in a real window: open, pre-annotate, correct, review, learn, pre-annotate with what was learnt."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import resources
from app.domain.classes import voc_color
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.services import TrainRequest, create_project, open_project
from tests.ui.window import CLASSES, WAIT, Hand, scene, write_scenes

BACKBONE = resources.path("models", "xception_imagenet.safetensors")
LEARNING = 600_000  # ms, on a machine that is busy with other things

pytestmark = [
    pytest.mark.window,
    pytest.mark.slow,
    pytest.mark.skipif(not BACKBONE.is_file(), reason="the backbone is not here: git clone brings it"),
]
Start = Callable[..., Hand]
Truth = NDArray[np.uint8]


def paint(window: Hand, truth: Truth, label: int, radius: int, rows: int = 3) -> None:
    """Paints strokes of a class along its longest runs of pixels, far enough from their ends."""
    window.place.painting.choose_label(label)
    window.place.painting.set_radius(radius)
    runs = []
    for y in range(radius, truth.shape[0] - radius, 2):
        inside = (truth[y - radius : y + radius + 1] == label).all(axis=0).astype(np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], inside, [0]])))
        runs += [(end - start, y, start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    for length, y, start, end in sorted(runs, reverse=True)[: rows * 4 : 4]:
        if length > 2 * radius + 2:
            window.stroke((start + radius, y), (end - radius - 1, y))


def labels(project: Path, image_id: str) -> Truth:
    picture = Image.open(project / "SegmentationClass" / f"{image_id}.png")
    assert picture.mode == "P"
    palette = picture.getpalette()
    assert tuple(palette[3:6]) == voc_color(1)
    assert tuple(palette[765:768]) == (224, 224, 192)
    return np.asarray(picture)


def names(project: Path, list_name: str) -> list[str]:
    return (project / "ImageSets" / "Segmentation" / f"{list_name}.txt").read_text().split()


def learn(window: Hand, steps: int) -> None:
    """Learns for so many steps, so that the same comes out on a slow machine, and waits for the new version."""
    panel = window.place.learning
    with window.qtbot.waitSignal(window.program.desk.learning.learnt, timeout=LEARNING) as learnt:
        window.program.desk.learning.begin(TrainRequest(steps=steps, threads=1))
        assert panel.stop.isVisible()
    assert learnt.args[0].used
    assert panel.plots.loss.points
    assert all(np.isfinite(loss) for _, loss in panel.plots.loss.points)


def pre_annotate(window: Hand) -> NDArray[np.bool_]:
    """One key; returns where the model has written."""
    window.key(Qt.Key.Key_P)
    mask = window.document.mask
    window.until(lambda: bool((mask.provenance == MODEL).any()), timeout=LEARNING)
    return mask.provenance == MODEL


def test_from_a_folder_of_pictures_to_a_dataset(hand: Start, tmp_path: Path) -> None:
    create_project(tmp_path / "project", write_scenes(tmp_path / "pictures"), CLASSES).close()
    project = tmp_path / "project"
    window = hand()
    window.open(project)

    window.key(Qt.Key.Key_P)
    window.until(lambda: any("paint a few strokes" in text for text in window.messages))
    assert (window.document.mask.provenance == EMPTY).all()

    truth = scene(0)[1]
    for label in range(3):
        paint(window, truth, label, 2)
    human = window.document.mask.provenance == HUMAN
    assert 0 < human.mean() < 0.4
    assert (window.document.mask.labels[human] == truth[human]).all()

    learn(window, 60)
    model = pre_annotate(window)
    mask = window.document.mask
    assert (model | human).all()
    assert (mask.labels[human] == truth[human]).all()
    assert (mask.labels == truth).mean() > 0.6

    assert window.go(Qt.Key.Key_Return) == "b"
    pre_annotate(window)
    assert (window.document.mask.labels == scene(1)[1]).mean() > 0.5
    window.key(Qt.Key.Key_E)
    window.stroke((80, 10))
    window.key(Qt.Key.Key_V)
    window.stroke((80, 170))
    window.saved()
    written = labels(project, "b")
    assert written[10, 80] == 255
    assert written[170, 80] == 255
    assert names(project, "trainval") == ["a"]
    assert names(project, "train") == ["a"]
    assert (labels(project, "a") == mask.labels).all()
    assert window.place.models.table.topLevelItemCount() == 1

    head = next((project / ".atrous" / "models").glob("*.safetensors"))
    create_project(tmp_path / "other", tmp_path / "pictures", ("box", "water", "sky")).close()
    window.open(tmp_path / "other")
    window.answers.files.append(head)
    window.key(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: window.place.models.table.topLevelItemCount() == 1, timeout=LEARNING)
    pre_annotate(window)
    by_name = np.array([2, 255, 0], np.uint8)[scene(0)[1]]
    other = window.document.mask
    assert set(np.unique(other.labels)) <= {0, 2, 255}
    assert (other.labels == by_name).mean() > 0.5
    assert (other.provenance[other.labels == 255] == EMPTY).all()


def test_learning_can_be_stopped_and_what_was_learnt_stays(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    truth = scene(0)[1]
    for label in range(3):
        paint(window, truth, label, 2)
    panel = window.place.learning
    panel.minutes.setValue(5)
    window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: bool(panel.plots.loss.points), timeout=LEARNING)
    with window.qtbot.waitSignal(window.place.learner.cancelled, timeout=WAIT):
        QTest.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    assert panel.start.isVisible()
    assert "Stopped" in panel.state.text()


def test_real_pictures_opened_in_place(hand: Start, camvid: Path, tmp_path: Path) -> None:
    project = tmp_path / "camvid"
    ids = (camvid / "ImageSets" / "Segmentation" / "train.txt").read_text().split()[::90]
    for folder, suffix in (("JPEGImages", ".jpg"), ("SegmentationClass", ".png")):
        (project / folder).mkdir(parents=True)
        for image_id in ids:
            if folder == "JPEGImages" or image_id in ids[:2]:
                shutil.copyfile(camvid / folder / f"{image_id}{suffix}", project / folder / f"{image_id}{suffix}")
    shutil.copyfile(camvid / "class_names.txt", project / "class_names.txt")
    (project / "ImageSets" / "Segmentation").mkdir(parents=True)
    (project / "ImageSets" / "Segmentation" / "train.txt").write_text("\n".join(ids) + "\n")
    truths = {i: np.asarray(Image.open(camvid / "SegmentationClass" / f"{i}.png")) for i in ids}

    window = hand()
    window.open(project)
    model = window.place.images.model
    assert [model.record(image_id).status for image_id in ids[:3]] == ["reviewed", "reviewed", "untouched"]
    assert window.document.image_id == ids[2]

    learn(window, 15)
    pre_annotate(window)
    truth = truths[ids[2]]
    scored = truth != 255
    mask = window.document.mask
    assert (mask.labels[scored] == truth[scored]).mean() > 0.3

    road = int((truth == 3).sum(axis=1).argmax())
    columns = np.flatnonzero(truth[road] == 3)
    window.key(Qt.Key.Key_4)
    window.place.painting.set_radius(3)
    window.stroke((int(columns[0]) + 3, road), (int(columns[0]) + 40, road))
    assert window.go(Qt.Key.Key_Return) == ids[3]
    window.saved()
    assert names(project, "trainval") == sorted(ids[:3])
    assert set(ids) <= set(names(project, "train"))
    assert (project / "ImageSets" / "Segmentation" / "train.txt.before-atrous").is_file()
    assert (labels(project, ids[2]) == mask.labels).all()
    assert (labels(project, ids[0]) == truths[ids[0]]).all()
    window.close()

    reopened = open_project(project)
    assert reopened.catalogue.image(ids[2]).status == "reviewed"
    reopened.close()
