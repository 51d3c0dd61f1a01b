"""A program that is killed: everything it acknowledged is there afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.storage import planes
from app.storage.project import Project
from tests.storage.conftest import opened, stroke

REPOSITORY = Path(__file__).resolve().parents[2]

CHILD = """
import sys, threading
from pathlib import Path
import numpy as np
from app.storage.project import Project
from tests.storage.conftest import opened, stroke

project = Project.open(Path(sys.argv[1]))
document = opened(project, "a1")

def files():
    while True:
        project.saver.flush()
        project.make_durable()

threading.Thread(target=files, daemon=True).start()
random = np.random.default_rng(0)
number = 0
while True:
    number += 1
    if number % 5 == 0:
        document.undo()
    else:
        stroke(document, *(int(v) for v in random.integers(0, 40, 2)), label=number % 3)
    crc = int(document.mask.labels.astype(np.uint64).dot(np.arange(48, dtype=np.uint64)).sum())
    print(document.sequence, crc, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("acts", [1, 37, 160])
def test_every_acknowledged_stroke_survives_a_kill(project: Project, acts: int) -> None:
    project.close()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(project.root)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(acts)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.read().splitlines()
    child.wait()
    told = dict(tuple(map(int, line.split())) for line in lines if len(line.split()) == 2)

    again = Project.open(project.root)
    assert not again.read_only  # the lock died with it
    assert again.warnings == []
    loaded = again.load("a1")
    assert loaded.outcome == "fits"
    assert loaded.sequence >= max(told)
    if loaded.sequence in told:  # the kill may have come between the insert and its line
        weights = np.arange(48, dtype=np.uint64)
        assert int(loaded.mask.labels.astype(np.uint64).dot(weights).sum()) == told[loaded.sequence]
    again.saver.flush()
    assert again.saver.failures == {}
    assert np.array_equal(planes.read(again.mask_path("a1"))[0], loaded.mask.labels)
    document = opened(again, "a1")
    stroke(document, 3, 3, 20, 255)
    again.saver.flush()
    assert np.array_equal(planes.read(again.mask_path("a1"))[0], document.mask.labels)
    again.close()


def test_after_a_crash_the_files_are_brought_up_to_date_without_being_opened(project: Project) -> None:
    document = opened(project, "a1")
    stroke(document, 0, 0)
    project.saver.flush()
    stroke(document, 9, 9)
    project._database.close()  # as if the program ended here
    project._lock.release()
    again = Project.open(project.root)
    assert again.saver.pending() == 1
    again.saver.flush()
    assert np.array_equal(planes.read(again.mask_path("a1"))[0], document.mask.labels)
    assert again.saver.pending() == 0
    again.close()


def test_a_kill_between_the_two_files_is_replayed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    document = opened(project, "a1")
    real = os.replace

    def stop_at_labels(source: Path, target: Path) -> None:
        if Path(target).parent.name == "SegmentationClass":
            raise OSError(5, "gone")
        real(source, target)

    for x in (0, 12, 24):
        stroke(document, x, 5)
        monkeypatch.setattr(os, "replace", stop_at_labels if x != 12 else real)
        project.saver.flush()
    assert planes.read(project.provenance_path("a1"))[1] == 3
    assert planes.read(project.mask_path("a1"))[1] == 2
    monkeypatch.setattr(os, "replace", real)
    project._database.close()
    project._lock.release()
    again = Project.open(project.root)
    loaded = again.load("a1")
    assert loaded.outcome == "fits"
    assert np.array_equal(loaded.mask.labels, document.mask.labels)
    assert np.array_equal(loaded.mask.provenance, document.mask.provenance)
    again.close()


@pytest.mark.parametrize("seed", range(6))
def test_any_life_of_a_project(dataset: Path, seed: int) -> None:
    """Strokes, undo, reviews, saves, restarts, crashes and a journal that is trimmed, in any order."""
    random = np.random.default_rng(seed)
    ids = ("c0", "c4", "c6")
    project = Project.open(dataset)
    documents = {image_id: opened(project, image_id) for image_id in ids}
    for _ in range(60):
        image_id = ids[random.integers(0, 3)]
        document = documents[image_id]
        act = random.integers(0, 10)
        if act < 4:
            stroke(document, *(int(v) for v in random.integers(-3, 40, 2)), 9, [0, 1, 255, None][act])
        elif act == 4:
            document.undo()
        elif act == 5:
            document.redo()
        elif act == 6:
            document.set_reviewed(not document.reviewed, int(random.integers(0, 3)))
        elif act == 7:
            project.saver.flush(image_id if random.random() < 0.5 else None)
        else:
            states = {key: (one.mask, one.reviewed) for key, one in documents.items()}
            if act == 8:
                project.close()
            else:  # it just ends
                project._database.close()
                project._lock.release()
            project = Project.open(dataset)
            project.journal.trim(int(random.integers(0, 3000)))
            documents = {key: opened(project, key) for key in ids}
            for key, (mask, reviewed) in states.items():
                assert np.array_equal(documents[key].mask.labels, mask.labels)
                assert np.array_equal(documents[key].mask.provenance, mask.provenance)
                assert documents[key].reviewed == reviewed
        assert project.saver.failures == {}
    project.saver.flush()
    assert project.saver.failures == {}
    assert not list((dataset / ".atrous").glob("set_aside/*"))
    for image_id, document in documents.items():
        if document.sequence:
            assert np.array_equal(planes.read(project.mask_path(image_id))[0], document.mask.labels)
            assert np.array_equal(planes.read(project.provenance_path(image_id))[0], document.mask.provenance)
    project.close()
