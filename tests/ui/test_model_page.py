"""The page of published models: what it lists, a fetch that comes, is stopped or fails, and a file that is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.services import Models, Network, Refusal, weights
from app.services.model import Model
from app.services.published import CACHE, MIRROR, MODELS
from app.storage.project import Project
from app.ui.dialogs.published import PublishedDialog
from tests.core_model.test_archive import CHECKPOINT, pack
from tests.services.conftest import Files, files
from tests.services.loopback import Answer, Server, serving
from tests.ui.window import CLASSES, Hand

__all__ = ["files"]
pytestmark = pytest.mark.window
Start = Callable[..., Hand]
VOC = MODELS[0]
PATH = "/models/deeplabv3_pascal_train_aug_2018_01_04.tar.gz"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mirror on loopback that has one archive of the table."""
    with serving() as made:
        made.files[PATH] = pack(tmp_path / "a.tar.gz", CHECKPOINT).read_bytes()
        monkeypatch.setenv(MIRROR, made.address)
        monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
        yield made


class Adopt:
    """Stands for `services.weights.adopt`: whatever the file is, a head of these classes."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.classes: tuple[str, ...] | None = CLASSES  # None: a backbone
        self.paths: list[Path] = []

    def __call__(self, project: Project, path: Path) -> Model | None:
        self.paths.append(path)
        if self.classes is None:
            return None
        head = self.files.make_head("published", self.classes)
        return Models(project).adopt(head, self.files.backbone, name="published")


@pytest.fixture
def adopt(files: Files, monkeypatch: pytest.MonkeyPatch) -> Adopt:
    made = Adopt(files)
    monkeypatch.setattr(weights, "adopt", made)
    return made


@pytest.fixture
def window(hand: Start, project: Path) -> Hand:
    made = hand(network=Network("cpu"))
    made.open(project)
    return made


def page(window: Hand) -> PublishedDialog:
    window.place.actions["published_models"].trigger()
    made = window.program.desk.published.dialog
    window.until(made.isActiveWindow)
    return made


def click(made: QPushButton) -> None:
    QTest.mouseClick(made, Qt.MouseButton.LeftButton)


def in_use(window: Hand) -> str | None:
    model = window.program.desk.versions.in_use()
    return model and model.version


def here(dialog: PublishedDialog) -> list[bool]:
    table = dialog.table
    return [not table.topLevelItem(row).icon(5).isNull() for row in range(table.topLevelItemCount())]


def test_it_lists_what_there_is(server: Server, window: Hand, adopt: Adopt) -> None:
    dialog = page(window)
    items = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    assert [item.text(0) for item in items] == [model.name for model in MODELS]
    assert [item.text(2) for item in items][:4] == ["21 classes", "21 classes", "19 classes", "151 classes"]
    assert (items[0].text(3), items[0].text(4)) == ("439 MB", "Apache-2.0")
    assert "The project has 0 of its 21 classes. It knows background, aeroplane" in items[0].toolTip(0)
    assert "The project has 1 of its 19 classes: sky." in items[2].toolTip(1)
    assert "It knows no classes" in items[5].toolTip(0)
    assert here(dialog) == [False] * len(MODELS)
    assert dialog.chosen == VOC.name
    assert dialog.detail.text().startswith(VOC.good_for)
    dialog.reject()
    assert window.program.desk.published.dialog is None


def test_a_fetch_becomes_the_version_in_use(server: Server, window: Hand, adopt: Adopt, tmp_path: Path) -> None:
    dialog = page(window)
    assert dialog.fetch.text() == "Fetch"
    with window.qtbot.waitSignal(window.program.desk.published.taken, timeout=20_000):
        QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert adopt.paths == [tmp_path / "cache" / "models" / Path(PATH).name]
    assert in_use(window) == "published-1"
    assert f"{VOC.name} predicts from now on, as published-1." in window.messages[-1]
    table = window.place.models.table
    window.until(lambda: table.topLevelItemCount() == 1)
    assert here(dialog) == [True] + [False] * (len(MODELS) - 1)
    assert dialog.fetch.text() == "Add to the project"
    server.files.clear()  # from here on offline
    with window.qtbot.waitSignal(window.program.desk.published.taken, timeout=20_000):
        click(dialog.fetch)
    assert in_use(window) == "published-2"
    assert len(server.asked) == 1


def test_a_model_of_other_classes_does_not_predict(server: Server, window: Hand, adopt: Adopt) -> None:
    adopt.classes = ("cat", "dog")
    dialog = page(window)
    with window.qtbot.waitSignal(window.program.desk.published.taken, timeout=20_000):
        click(dialog.fetch)
    assert "knows none of this project's classes (cat, dog)" in window.messages[-1]
    assert Models(window.program.desk.project).version("published-1") is not None
    used = window.program.desk.project.catalogue.get("models used")
    assert not used


def test_a_backbone_is_to_learn_on(server: Server, window: Hand, adopt: Adopt) -> None:
    adopt.classes = None
    dialog = page(window)
    with window.qtbot.waitSignal(window.program.desk.published.taken, timeout=20_000):
        click(dialog.fetch)
    assert window.messages[-1] == f"{VOC.name} is a backbone: learning from scratch stands on it from now on."
    assert in_use(window) is None


def test_the_window_goes_on_while_it_comes_and_a_stop_keeps_the_part(
    server: Server, window: Hand, adopt: Adopt, tmp_path: Path
) -> None:
    half = len(server.files[PATH]) // 2
    server.answers = [Answer(sent=half, waits=True)]
    dialog = page(window)
    click(dialog.fetch)
    window.until(lambda: dialog.bar.value() > 0)
    assert dialog.stop.isVisible()
    assert not dialog.fetch.isEnabled()
    assert not dialog.file.isEnabled()
    window.stroke((20, 10), (60, 10))
    assert window.document.mask.labels[10, 40] == window.place.painting.label
    click(dialog.stop)
    window.until(dialog.fetch.isEnabled)
    assert not dialog.bar.isVisible()
    assert not dialog.problem.isVisible()
    assert adopt.paths == []
    part = tmp_path / "cache" / "models" / f"{Path(PATH).name}.part"
    assert part.read_bytes() == server.files[PATH][: part.stat().st_size]
    server.going.set()


def test_what_goes_wrong_is_said_in_the_page(server: Server, window: Hand, adopt: Adopt) -> None:
    dialog = page(window)
    dialog.table.setCurrentItem(dialog.table.topLevelItem(8))
    click(dialog.fetch)
    window.until(dialog.problem.isVisible)
    assert "there is no such file on 127.0.0.1" in dialog.problem.text()
    assert dialog.problem.text() == window.messages[-1]
    assert dialog.fetch.isEnabled()
    assert dialog.chosen == MODELS[8].name


def test_a_file_that_the_project_cannot_take(
    server: Server, window: Hand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def adopt(_project: Project, path: Path) -> Model:
        raise Refusal(f"{path.name} is of another network")

    monkeypatch.setattr(weights, "adopt", adopt)
    dialog = page(window)
    click(dialog.fetch)
    window.until(dialog.problem.isVisible)
    assert "is on this machine, but the project has not got it: deeplabv3_pascal" in dialog.problem.text()
    assert here(dialog)[0]
    window.answers.files = [tmp_path / "other.pth"]
    click(dialog.file)
    window.until(lambda: dialog.problem.text() == "other.pth is of another network")


def test_a_file_is_opened(server: Server, window: Hand, adopt: Adopt, tmp_path: Path) -> None:
    dialog = page(window)
    window.answers.files = [None, tmp_path / "mine.pth"]
    click(dialog.file)
    assert adopt.paths == []
    with window.qtbot.waitSignal(window.program.desk.published.taken, timeout=20_000):
        click(dialog.file)
    assert adopt.paths == [tmp_path / "mine.pth"]
    assert "mine.pth predicts from now on, as published-1" in window.messages[-1]


def test_leaving_ends_a_fetch(server: Server, window: Hand, adopt: Adopt) -> None:
    server.answers = [Answer(sent=len(server.files[PATH]) // 2, waits=True)]
    dialog = page(window)
    click(dialog.fetch)
    window.until(lambda: dialog.bar.value() > 0)
    key = window.program.desk.published._key
    assert window.place.fetcher.has(key)
    assert window.program.leave()
    window.until(lambda: not window.place.fetcher.has(key))
    assert window.messages == []
    assert adopt.paths == []
    server.going.set()
