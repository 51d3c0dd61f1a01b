"""Pre-annotating in the real window, with a network of the test's own that waits when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.services.model import Model
from app.services.models import Models
from app.services.network import Network
from app.storage.errors import UnkeptPrediction
from app.storage.images import UnreadableImage
from app.storage.predictions import PredictionFiles
from app.storage.project import Project
from tests.ui.window import SIZE, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
LABEL = 1


class Oracle(Network):
    """Says grass everywhere; waits at the gate while that is closed, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[str] = []
        self.entered = threading.Semaphore(0)
        self.unreadable: set[str] = set()

    def predict(self, project: Project, image_id: str, model: Model) -> Prediction:
        self.asked.append(image_id)
        self.entered.release()
        assert self.gate.wait(30)
        if image_id in self.unreadable:
            raise UnreadableImage("the file is truncated")
        width, height = SIZE
        labels = np.full((height, width), LABEL, np.uint8)
        return Prediction(labels, np.full((height // 4, width // 4), 255, np.uint8), model.version)

    def fingerprint(self, project: Project, model: Model, min_confidence: float = 0.0) -> str:
        return model.version


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    monkeypatch.setattr(Models, "in_use", lambda self: SimpleNamespace(version="oracle-1"))
    return Oracle()


def test_one_key_fills_what_no_human_has_touched(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle)
    window.open(project)
    window.key(Qt.Key.Key_3)
    window.stroke((30, 40), (60, 40))
    window.key(Qt.Key.Key_P)
    mask = window.document.mask
    window.until(lambda: mask.provenance[5, 5] == MODEL)
    assert mask.labels[5, 5] == LABEL
    assert (mask.labels[40, 45], mask.provenance[40, 45]) == (2, HUMAN)
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert mask.provenance[5, 5] == EMPTY
    assert mask.labels[40, 45] == 2


def test_the_window_lives_while_the_network_thinks_and_the_work_can_be_cancelled(
    hand: Start, project: Path, oracle: Oracle
) -> None:
    oracle.gate.clear()
    window = hand(network=oracle)
    window.open(project)
    window.key(Qt.Key.Key_P)
    status = window.place.window.status
    window.until(status.stop.isVisible)
    assert oracle.entered.acquire(timeout=10)
    window.stroke((30, 40), (60, 40))
    assert window.document.mask.labels[40, 45] == 0
    QTest.mouseClick(status.stop, Qt.MouseButton.LeftButton)
    assert not status.stop.isVisible()
    with window.qtbot.waitSignal(window.place.worker.cancelled):
        oracle.gate.set()
    assert not (window.document.mask.provenance == MODEL).any()


def test_what_was_asked_for_is_written_when_the_person_went_on(hand: Start, project: Path, oracle: Oracle) -> None:
    oracle.gate.clear()
    window = hand(network=oracle)
    window.open(project)
    window.key(Qt.Key.Key_P)
    assert oracle.entered.acquire(timeout=10)
    assert window.go(Qt.Key.Key_D) == "b"
    oracle.gate.set()
    window.until(lambda: window.place.images.model.record("a").status == "predicted")
    window.saved()
    assert (np.asarray(Image.open(project / "SegmentationClass" / "a.png")) == LABEL).all()
    assert (window.document.mask.provenance == EMPTY).all()


def test_a_prediction_that_comes_during_a_stroke_waits_for_its_end(hand: Start, project: Path, oracle: Oracle) -> None:
    oracle.gate.clear()
    window = hand(network=oracle)
    window.open(project)
    window.key(Qt.Key.Key_P)
    canvas = window.place.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=window.at(30, 40))
    with window.qtbot.waitSignal(window.place.worker.finished):
        oracle.gate.set()
    assert window.document.editing
    assert not (window.document.mask.provenance == MODEL).any()
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=window.at(60, 40))
    window.until(lambda: bool((window.document.mask.provenance == MODEL).any()))
    assert window.document.mask.labels[40, 45] == 0


def test_all_images_but_reviewed_and_skipped_ones_are_filled(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle)
    window.open(project)
    window.go(Qt.Key.Key_Return)
    window.go(Qt.Key.Key_S)
    assert window.document.image_id == "c"
    oracle.unreadable.add("d")
    window.key(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    window.until(lambda: any("1 of 2 images pre-annotated" in text for text in window.messages))
    assert oracle.asked == ["c", "d"]
    model = window.place.images.model
    assert [model.record(image_id).status for image_id in "abcd"] == ["reviewed", "skipped", "predicted", "untouched"]
    assert model.record("d").problem == "the file is truncated"
    assert (window.document.mask.provenance == MODEL).all()


def test_filling_all_can_be_stopped_and_keeps_what_is_done(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle)
    window.open(project)
    oracle.gate.clear()
    window.key(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert oracle.entered.acquire(timeout=10)
    window.key(Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    with window.qtbot.waitSignal(window.place.worker.cancelled):
        oracle.gate.set()
    assert oracle.asked == ["a"]
    assert "Stopped: 0 of 4" in window.messages[-1]


def all_filled(window: Hand, message: str) -> None:
    """Fills all images and waits until that is said, written and kept."""
    files = window.place.files
    window.key(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    window.until(lambda: any(message in text for text in window.messages))
    window.until(lambda: not any(files.has((job, each)) for job in ("write", "keep prediction") for each in "abcd"))


def test_filling_all_again_asks_only_for_what_has_changed(
    hand: Start, project: Path, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = hand(network=oracle)
    window.open(project)
    all_filled(window, "4 of 4 images pre-annotated.")
    all_filled(window, "0 of 4 images pre-annotated, 4 as before.")
    assert oracle.asked == ["a", "b", "c", "d"]
    window.stroke((30, 40), (60, 40))
    all_filled(window, "1 of 4 images pre-annotated, 3 as before.")
    assert oracle.asked == ["a", "b", "c", "d", "a"]
    monkeypatch.setattr(Models, "in_use", lambda self: SimpleNamespace(version="oracle-2"))
    window.place.messages.log.clear()
    all_filled(window, "4 of 4 images pre-annotated.")
    assert len(oracle.asked) == 9


def test_what_was_filled_one_by_one_is_not_asked_for_again_by_filling_all(
    hand: Start, project: Path, oracle: Oracle
) -> None:
    window = hand(network=oracle)
    window.open(project)
    with window.qtbot.waitSignal(
        window.place.files.finished, check_params_cb=lambda key, _: key == ("keep prediction", "a")
    ):
        window.key(Qt.Key.Key_P)
    all_filled(window, "3 of 4 images pre-annotated, 1 as before.")
    assert oracle.asked == ["a", "b", "c", "d"]


def test_what_the_network_said_is_known_and_again_after_a_restart(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle)
    window.open(project)
    predictions = window.program.desk.predictions
    assert predictions.known is None
    with window.qtbot.waitSignal(predictions.known_changed) as heard:
        window.key(Qt.Key.Key_P)
    assert heard.args[0] is predictions.known
    assert window.go(Qt.Key.Key_D) == "b"
    assert predictions.known is None
    all_filled(window, "images pre-annotated")
    window.close()

    again = hand(network=oracle)
    again.open(project)
    for image_id in ("b", "a"):
        if again.document.image_id != image_id:
            again.go(Qt.Key.Key_A)
        again.until(lambda: again.program.desk.predictions.known is not None)
        known = again.program.desk.predictions.known
        assert (known.labels == LABEL).all()
        assert known.version == "oracle-1"
        assert known.confidence.shape == (SIZE[1] // 4, SIZE[0] // 4)
    assert again.document.image_id == "a"
    assert oracle.asked == ["a", "b", "c", "d"]


def test_whoever_leaves_at_once_finds_it_again_all_the_same(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle)
    window.open(project)
    mask = window.document.mask
    window.place.files.submit("slow", lambda: _until(lambda: mask.provenance[5, 5] == MODEL), urgency=9)
    window.key(Qt.Key.Key_P)
    window.until(lambda: mask.provenance[5, 5] == MODEL)
    window.close()
    assert (project / ".atrous" / "predictions" / "a.png").is_file()


def _until(holds: Callable[[], bool]) -> Job[None]:
    """Keeps a thread busy, step by step."""
    while not holds():
        yield Progress()


def test_what_was_read_ahead_is_known_at_once(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle, reads_ahead=True)
    window.open(project)
    window.until(lambda: oracle.asked == ["a", "b", "c"] and not window.place.worker.has(("predict", "c")))
    assert window.program.desk.predictions.known is not None
    window.go(Qt.Key.Key_D)
    assert window.program.desk.predictions.known is not None
    assert not list((project / ".atrous").rglob("predictions/*.png"))  # nothing of it was written into an image


def test_a_disk_that_takes_no_predictions_is_said_once_and_the_masks_are_written(
    hand: Start, project: Path, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: PredictionFiles, image_id: str, prediction: Prediction) -> None:
        raise UnkeptPrediction(f"what the network said of {image_id} could not be kept (no space left on device)")

    monkeypatch.setattr(PredictionFiles, "store", full)
    window = hand(network=oracle)
    window.open(project)
    all_filled(window, "4 of 4 images pre-annotated.")
    model = window.place.images.model
    window.until(lambda: [model.record(image_id).status for image_id in "abcd"] == ["predicted"] * 4)
    window.until(lambda: any("could not be kept" in text for text in window.messages))
    window.saved()
    assert sum("could not be kept" in text for text in window.messages) == 1
    assert window.program.desk.predictions.known is not None


def test_a_reviewed_image_is_not_filled(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle)
    window.open(project)
    window.go(Qt.Key.Key_Return)
    window.go(Qt.Key.Key_A)
    window.key(Qt.Key.Key_P)
    assert "reviewed" in window.messages[-1]
    assert oracle.asked == []


def test_reading_ahead_makes_the_next_answer_instant(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle, reads_ahead=True)
    window.open(project)
    window.until(lambda: oracle.asked == ["a", "b", "c"])
    with window.qtbot.waitSignal(window.place.worker.idle):
        window.go(Qt.Key.Key_D)
    window.key(Qt.Key.Key_P)
    assert (window.document.mask.provenance == MODEL).all()


def test_going_faster_than_the_network_leaves_no_queue(hand: Start, project: Path, oracle: Oracle) -> None:
    oracle.gate.clear()
    window = hand(network=oracle, reads_ahead=True)
    window.open(project)
    assert oracle.entered.acquire(timeout=30)
    for _ in range(3):
        window.go(Qt.Key.Key_D)
    with window.qtbot.waitSignal(window.place.worker.idle):
        oracle.gate.set()
    assert oracle.asked == ["a", "d"]


def test_other_classes_make_what_was_predicted_stale(hand: Start, project: Path, oracle: Oracle) -> None:
    window = hand(network=oracle, reads_ahead=True)
    window.open(project)
    window.until(lambda: oracle.asked == ["a", "b", "c"] and not window.place.worker.has(("predict", "c")))
    window.program.desk.class_edits.rename(1, "lawn")
    window.until(lambda: oracle.asked == ["a", "b", "c"] * 2)


def test_a_renamed_class_has_its_new_name_in_the_list_of_models(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.until(lambda: not window.place.files.has("list models"))
    with window.qtbot.waitSignal(window.program.desk.versions.listed):
        window.program.desk.class_edits.rename(1, "lawn")


def test_a_network_that_has_learnt_nothing_says_what_to_do(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_P)
    window.until(lambda: bool(window.messages))
    assert "paint a few strokes of each class, or review one picture" in window.messages[-1]
    assert window.place.window.messages.isVisible()
    assert (window.document.mask.provenance == EMPTY).all()
    assert not window.place.window.status.stop.isVisible()


def test_a_damaged_model_file_is_refused_in_one_line(hand: Start, project: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"not a model")
    window = hand()
    window.open(project)
    window.answers.files.append(damaged)
    window.key(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: bool(window.messages), timeout=120_000)
    assert window.messages[-1].startswith("The model in use stays")
    assert "damaged" in window.messages[-1]
    assert window.place.models.table.topLevelItemCount() == 0
