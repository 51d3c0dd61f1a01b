from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.domain.prediction import Prediction
from app.storage import planes, saver
from app.storage.errors import MaskProblem
from app.storage.project import Project
from tests.storage.conftest import HEIGHT, WIDTH, labels, opened, stroke


def on_disk(project: Project, image_id: str) -> tuple[np.ndarray, np.ndarray]:
    return planes.read(project.mask_path(image_id))[0], planes.read(project.provenance_path(image_id))[0]


def test_strokes_undo_review_and_predictions_reach_the_files(project: Project) -> None:
    document = opened(project, "zweite Wä/b 3")
    prediction = Prediction(labels(3), np.full((8, 12), 255, np.uint8), "v1")
    acts: list[Callable[[], object]] = [
        lambda: stroke(document, 1, 2),
        lambda: stroke(document, 20, 3, 12, 255),
        lambda: document.pre_annotate(prediction),
        document.undo,
        document.undo,
        document.redo,
        document.redo,
        lambda: document.set_reviewed(True, 0),
        lambda: document.set_reviewed(False),
        document.clear,
    ]
    for act in acts:
        act()
        project.saver.flush()
        assert project.saver.pending() == 0
        assert project.saver.failures == {}
        on_labels, on_provenance = on_disk(project, "zweite Wä/b 3")
        assert np.array_equal(on_labels, document.mask.labels)
        assert np.array_equal(on_provenance, document.mask.provenance)


def test_many_images_in_any_order_with_little_memory(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saver, "_COPIES_BYTES", 3 * WIDTH * HEIGHT)
    documents = [opened(project, record.id) for record in project.catalogue.images()]
    random = np.random.default_rng(0)
    for _ in range(40):
        document = documents[random.integers(0, 3)]
        if random.random() < 0.3:
            document.undo()
        else:
            stroke(document, *(int(v) for v in random.integers(0, 30, 2)), label=int(random.integers(0, 3)))
        if random.random() < 0.3:
            project.saver.flush(document.image_id if random.random() < 0.5 else None)
    project.saver.flush()
    assert project.saver.failures == {}
    for document in documents:
        assert np.array_equal(on_disk(project, document.image_id)[0], document.mask.labels)


def test_a_full_disk_keeps_the_work_and_says_so(project: Project, break_disk: Callable[[bool], None]) -> None:
    document = opened(project, "a1")
    stroke(document, 0, 0)
    project.saver.flush()
    before = project.mask_path("a1").read_bytes()
    break_disk(True)
    for x in (5, 10):
        stroke(document, x, 0)
        project.saver.flush()
        assert project.saver.failures == {"a1": "no space left on device"}
        assert project.saver.pending() == 1
    assert project.mask_path("a1").read_bytes() == before
    break_disk(False)
    document.undo()
    project.saver.flush()
    assert project.saver.failures == {}
    assert project.saver.pending() == 0
    assert np.array_equal(on_disk(project, "a1")[0], document.mask.labels)


def test_one_image_that_cannot_be_saved_does_not_stop_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(project, "a1"), opened(project, "a2")
    stroke(one, 0, 0)
    stroke(other, 0, 0)
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == "a1.png":
            raise PermissionError(13, "Permission denied", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    project.saver.flush()
    assert project.saver.failures == {"a1": "permission denied"}
    assert np.array_equal(on_disk(project, "a2")[0], other.mask.labels)


def test_another_program_writes_while_an_image_is_open(project: Project) -> None:
    document = opened(project, "a1")
    stroke(document, 0, 0)
    project.saver.flush()
    planes.write(project.mask_path("a1"), labels(5), None, 99)
    foreign = project.mask_path("a1").read_bytes()
    stroke(document, 9, 0)
    project.saver.flush()
    assert np.array_equal(on_disk(project, "a1")[0], document.mask.labels)
    assert (project.root / ".atrous/set_aside/a1.png.set-aside-1").read_bytes() == foreign
    assert "another program changed it" in project.warnings[-1]
    assert project.saver.failures == {}


def test_feeding_while_flushing(project: Project) -> None:
    document = opened(project, "a1")
    stop = threading.Event()

    def files() -> None:
        while not stop.is_set():
            project.saver.flush()

    thread = threading.Thread(target=files)
    thread.start()
    random = np.random.default_rng(1)
    for number in range(150):
        stroke(document, *(int(v) for v in random.integers(0, 30, 2)), label=number % 3)
        if number % 7 == 0:
            document.undo()
    stop.set()
    thread.join()
    project.saver.flush()
    assert project.saver.failures == {}
    assert np.array_equal(on_disk(project, "a1")[0], document.mask.labels)
    assert project.catalogue.image("a1").sequence == document.sequence


def test_the_journal_is_durable_before_the_files(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = planes.write
    monkeypatch.setattr(planes, "write", lambda path, *rest: (order.append(path.parent.name), real(path, *rest)))
    monkeypatch.setattr(project._database, "checkpoint", lambda: order.append("journal"))
    stroke(opened(project, "a1"), 0, 0)
    project.saver.flush()
    assert order == ["journal", "provenance", "SegmentationClass"]


def test_a_journal_on_a_full_disk_loses_no_stroke(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.storage.errors import CatalogueError

    document = opened(project, "a1")
    stroke(document, 0, 0)
    database = project._database
    real = type(database).transaction

    def full(self: object) -> object:
        raise CatalogueError("database or disk is full")

    monkeypatch.setattr(type(database), "transaction", full)
    with pytest.raises(CatalogueError, match="kept in memory"):
        stroke(document, 9, 0)
    project.saver.flush()
    assert "kept in memory" in project.saver.failures[saver.JOURNAL]
    monkeypatch.setattr(type(database), "transaction", real)
    stroke(document, 18, 0)
    project.saver.flush()
    assert project.saver.failures == {}
    assert [entry.sequence for entry in project.journal.entries("a1")] == [1, 2, 3]
    assert np.array_equal(on_disk(project, "a1")[0], document.mask.labels)


def test_without_room_for_a_copy_nothing_is_overwritten(project: Project, break_disk: Callable[[bool], None]) -> None:
    stroke(opened(project, "a1"), 0, 0)
    project.close()
    planes.write(project.mask_path("a1"), labels(5), None, 1)
    foreign = project.mask_path("a1").read_bytes()
    again = Project.open(project.root)
    break_disk(True)
    with pytest.raises(MaskProblem, match="cannot be copied"):
        again.load("a1")
    break_disk(False)
    assert project.mask_path("a1").read_bytes() == foreign
    assert again.load("a1").outcome == "restored"
    again.close()


def test_pending_work_is_saved_at_close(project: Project) -> None:
    document = opened(project, "a1")
    stroke(document, 0, 0)
    project.close()
    assert np.array_equal(on_disk(project, "a1")[0], document.mask.labels)
