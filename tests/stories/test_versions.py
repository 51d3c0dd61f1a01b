"""A learning ends with its result card; the person keeps, uses, compares, renames, exports and deletes versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from safetensors import safe_open

from app.jobs.job import Job, Progress
from app.services import Models, Network, TrainRequest, TrainResult, learning
from app.services.comparison import MEASURED_ON
from app.storage.project import Project
from app.ui.dialogs.result_card import ResultCard
from tests.services.conftest import Files, files
from tests.services.datasets import write_voc
from tests.ui.window import Hand

__all__ = ["files"]
pytestmark = pytest.mark.window
Start = Callable[..., Hand]


class Learner:
    """Stands for `services.learning.fit`: each learning brings the next head, with the scores it is told."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.number = 0
        self.scores: list[float | None] = []

    def __call__(self, project: Project, request: TrainRequest) -> Job[TrainResult]:
        yield Progress(0, 1, "", {"event": "started", "images": 3, "held_out": 3, "device": "cpu"})
        yield Progress(0, 1, "", {"event": "progress", "phase": "learn", "fraction": 0.5, "step": 1, "memory": 1536})
        models = Models(project)
        current = models.in_use()
        miou = self.scores.pop(0)
        scores = None if miou is None else {"miou": miou, "pixel_accuracy": miou, "classes": {"box": miou}}
        mark = {} if scores is None else {MEASURED_ON: "of these"}
        head = self.files.make_head(f"learnt {self.number}", seed=self.number)
        self.number += 1
        model = models.adopt(
            head,
            self.files.backbone,
            name="quick",
            change=lambda card: replace(
                card, scores=scores, notes=mark, recipe="quick", learnt_from={"images": 3, "held_out": 3}
            ),
        )
        used, why = learning.decide(scores, current, None if current is None else current.scores)
        if used:
            models.use(model.version)
        return TrainResult(
            model.version, "quick", used, why, scores, current.version if current else None,
            current.scores if current else None, 3, 3 if scores else 0, 1, 1.0,
        )  # fmt: skip


@pytest.fixture
def learner(files: Files, monkeypatch: pytest.MonkeyPatch) -> Learner:
    made = Learner(files)
    monkeypatch.setattr(learning, "fit", made)
    return made


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """Six pictures with a val list of three."""
    return write_voc(tmp_path / "V", 6, 6, {"train": [0, 1, 2], "val": [3, 4, 5]})


def learn(window: Hand, *, pictures: int = 3) -> ResultCard:
    """Learns once, and waits for the card with its pictures."""
    window.place.window.activateWindow()  # no window manager does it here when a card goes
    window.until(window.place.window.isActiveWindow)
    with window.qtbot.waitSignal(window.program.desk.learning.learnt, timeout=20_000):
        window.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    card = window.program.desk.cards.card
    assert card.isVisible()
    assert not card.isModal()
    assert window.place.window.isActiveWindow()  # the keyboard stays with the picture
    window.until(card.waiting.isHidden)
    assert card.pictures.rowCount() > pictures or not pictures
    return card


def in_use(split: Path, window: Hand) -> str:
    model = window.program.desk.versions.in_use()
    assert model is not None
    return model.version


def rows(window: Hand) -> list[str]:
    table = window.place.models.table
    return [table.topLevelItem(row).text(0) for row in range(table.topLevelItemCount())]


def choose(window: Hand, *names: str) -> None:
    table = window.place.models.table
    window.until(lambda: set(names) <= set(rows(window)))
    table.clearSelection()
    for name in names:
        index = table.indexFromItem(table.findItems(name, Qt.MatchFlag.MatchExactly)[0])
        flags = QItemSelectionModel.SelectionFlag
        table.selectionModel().select(index, flags.Select | flags.Rows)


def cells(card: ResultCard) -> list[list[str]]:
    items = (card.table.topLevelItem(row) for row in range(card.table.topLevelItemCount()))
    return [[item.text(column) for column in range(card.table.columnCount())] for item in items]


def test_from_the_card_to_an_exported_and_a_deleted_version(
    hand: Start, split: Path, learner: Learner, tmp_path: Path
) -> None:
    window = hand(network=Network("cpu"))
    window.open(split)

    # the first one is used at once: there is nothing to keep
    learner.scores = [0.5, 0.4, 0.75]
    card = learn(window)
    assert list(card.buttons) == ["quick-1"]
    assert "first model of this project" in " ".join(window.messages)
    assert cells(card) == [["Mean IoU", "0.500"], ["Pixel accuracy", "0.500"], ["box", "0.500"]]

    # a worse one is kept and does not predict; the window is not held up, and Esc leaves it so
    card = learn(window)
    assert in_use(split, window) == "quick-1"
    assert cells(card)[0] == ["Mean IoU", "0.500", "0.400", "▼ 0.100"]
    assert card.buttons["quick-1"].isDefault()
    assert card.buttons["quick-1"].text() == "Keep quick-1"
    window.stroke((20, 10), (40, 10))
    assert window.document.mask.labels[10, 30] == window.place.painting.label
    card.activateWindow()
    window.until(card.isActiveWindow)
    window.key(Qt.Key.Key_Escape)
    window.until(lambda: window.program.desk.cards.card is None)
    assert in_use(split, window) == "quick-1"

    # a better one predicts; the person keeps the one before all the same
    card = learn(window)
    assert in_use(split, window) == "quick-3"
    assert cells(card)[2] == ["box", "0.500", "0.750", "▲ 0.250"]
    assert card.buttons["quick-3"].isDefault()
    with window.qtbot.waitSignal(window.program.desk.versions.changed):
        QTest.mouseClick(card.buttons["quick-1"], Qt.MouseButton.LeftButton)
    assert in_use(split, window) == "quick-1"
    assert window.program.desk.cards.card is None

    # two versions side by side, and the other one is used
    panel = window.place.models
    choose(window, "quick-3", "quick-2")
    assert not panel.use.isEnabled()
    QTest.mouseClick(panel.compare, Qt.MouseButton.LeftButton)
    window.until(lambda: window.program.desk.cards.card is not None)
    card = window.program.desk.cards.card
    assert cells(card)[0] == ["Mean IoU", "0.400", "0.750", "▲ 0.350"]
    assert "same 3 held-out images" in card.note.text()
    with window.qtbot.waitSignal(window.program.desk.versions.changed):
        QTest.mouseClick(card.buttons["quick-3"], Qt.MouseButton.LeftButton)

    # a name of its own
    choose(window, "quick-3")
    panel.rename.trigger()
    editor = panel.table.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "good drive")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    window.until(lambda: "good drive" in rows(window))
    assert in_use(split, window) == "good drive"

    # out of the project
    window.answers.new_files.append(tmp_path / "mine")
    choose(window, "good drive")
    panel.export.trigger()
    out = tmp_path / "mine.safetensors"
    window.until(lambda: any(f"is written to {out}" in text for text in window.messages))
    with safe_open(out, "np") as file:
        said = json.loads(json.loads(file.metadata()["atrous"])["card"])
        assert all(np.isfinite(file.get_tensor(name)).all() for name in file.keys())  # noqa: SIM118 (no mapping)
    assert said["classes"] == ["background", "box", "disc"]
    assert said["scores"]["miou"] == 0.75
    assert (split / ".atrous/models/good drive.safetensors").is_file()

    # away with it, after one question; not with the one in use
    assert not panel.delete.isEnabled()
    choose(window, "quick-2")
    window.answers.deletions += [False, True]
    panel.delete.trigger()
    assert "quick-2" in rows(window)
    panel.delete.trigger()
    window.until(lambda: rows(window) == ["good drive", "quick-1"])
    assert not (split / ".atrous/models/quick-2.safetensors").exists()


def test_where_nothing_is_held_out_the_card_says_so(hand: Start, tmp_path: Path, learner: Learner) -> None:
    project = write_voc(tmp_path / "V", 4, 2)
    window = hand(network=Network("cpu"))
    window.open(project)
    learner.scores = [None, None]
    learn(window, pictures=0)
    card = learn(window, pictures=0)
    assert card.note.text().startswith("Not measured: below ten reviewed images none is held out")
    assert not card.table.isVisible()
    assert card.pictures.itemAtPosition(1, 0) is None
    assert card.buttons["quick-2"].isDefault()
    assert "on cpu" in window.place.learning.events.toPlainText()
    assert window.place.learning.machine.text() == "On cpu, 1.5 GB of memory at most"
    cards = window.program.desk.cards
    window.close()
    assert cards.card is None


def test_a_name_that_is_taken_is_refused_and_the_row_keeps_its_own(hand: Start, split: Path, learner: Learner) -> None:
    window = hand(network=Network("cpu"))
    window.open(split)
    learner.scores = [0.5, 0.6]
    learn(window)
    learn(window)
    panel = window.place.models
    window.until(lambda: rows(window) == ["quick-2", "quick-1"])
    panel.rename_asked.emit("quick-1", "QUICK-2")
    window.until(lambda: any("called QUICK-2 already" in text for text in window.messages))
    assert rows(window) == ["quick-2", "quick-1"]
