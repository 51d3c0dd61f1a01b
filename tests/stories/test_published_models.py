"""A person fetches a published model over a bad line; it becomes a version of the project and predicts, and stays."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.domain.classes import VOC_NAMES
from app.services import Models, Network, create_project
from app.services.published import CACHE, MIRROR
from core_model import VARIANTS, build
from core_model.checkpoint import tensors_of
from core_model.import_tensorflow import variable_name
from tests.core_model.bundle_writer import write_bundle
from tests.services.loopback import Answer, Server, serving
from tests.ui.window import Hand, write_scenes

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
NAME = "xception65_coco_voc_trainaug"
FILE = "deeplabv3_pascal_train_aug_2018_01_04.tar.gz"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """As the zoo packs them: a checkpoint of a slim network of VOC's classes that calls everything a person."""
    folder = tmp_path_factory.mktemp("zoo")
    torch.manual_seed(0)
    network = build(VARIANTS["xception_slim"], len(VOC_NAMES))
    with torch.no_grad():
        network.head.classifier.weight.zero_()
        network.head.classifier.bias.zero_()
        network.head.classifier.bias[VOC_NAMES.index("person")] = 5
    variables = {}
    for name, tensor in tensors_of(network).items():
        value = tensor.numpy()
        if value.ndim == 4:
            value = value.transpose((2, 3, 0, 1) if name.endswith("depthwise.conv.weight") else (2, 3, 1, 0))
        variables[variable_name(name, "xception_slim")] = np.ascontiguousarray(value)
    write_bundle(folder / "model.ckpt", variables)
    with tarfile.open(folder / FILE, "w:gz", compresslevel=1) as packed:
        for path in sorted(folder.glob("model.ckpt.*")):
            packed.add(path, f"deeplabv3_pascal_train_aug/{path.name}")
    return (folder / FILE).read_bytes()


@pytest.fixture
def server(archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as made:
        made.files[f"/models/{FILE}"] = archive
        monkeypatch.setenv(MIRROR, made.address)
        monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
        yield made


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A project whose classes are some of VOC's, in another order, and one of its own."""
    create_project(tmp_path / "P", write_scenes(tmp_path / "pictures"), ("lamp", "car", "person")).close()
    return tmp_path / "P"


def click(made: QPushButton) -> None:
    QTest.mouseClick(made, Qt.MouseButton.LeftButton)


def test_a_published_model_over_a_bad_line(
    hand: Start, people: Path, server: Server, archive: bytes, tmp_path: Path
) -> None:
    window = hand(network=Network("cpu"))
    window.open(people)
    menu = window.place.models.more.menu()
    next(action for action in menu.actions() if action.text() == "Published models…").trigger()
    published = window.program.desk.published
    page = published.dialog
    window.until(page.isActiveWindow)
    assert page.chosen == NAME
    assert "The project has 2 of its 21 classes: car, person." in page.detail.text()

    # a server that lies about the size is told so, and nothing is taken from it
    server.answers = [Answer(length=str(10**18))]
    click(page.fetch)
    window.until(page.problem.isVisible)
    assert "far above the size that was published" in page.problem.text()

    # the line is cut half-way and the server is down for a while: what came is kept
    half = len(archive) // 2
    server.answers = [Answer(length=str(len(archive)), sent=half), Answer(status=503, body=b"")]
    click(page.fetch)
    window.until(lambda: "answers 503" in page.problem.text())
    assert "are kept, fetch it again to go on" in page.problem.text()
    part = tmp_path / "cache" / "models" / f"{FILE}.part"
    assert part.read_bytes() == archive[:half]

    # the person paints on meanwhile, and fetches again: it goes on, and becomes the version in use
    window.stroke((20, 20), (60, 20))
    with window.qtbot.waitSignal(published.taken, timeout=60_000):
        click(page.fetch)
    assert server.ranges[-1] == f"bytes={half}-"
    model = window.program.desk.versions.in_use()
    assert model.classes == VOC_NAMES
    assert window.messages[-1].startswith(f"{NAME} predicts from now on, as {model.version}.")
    window.until(lambda: window.place.models.table.topLevelItemCount() == 1)
    assert page.fetch.text() == "Add to the project"
    window.key(Qt.Key.Key_Escape)
    window.until(lambda: published.dialog is None)

    # its classes are found by name; the person's own pixels stay
    window.place.window.activateWindow()
    window.until(window.place.window.isActiveWindow)
    window.place.canvas.setFocus()
    window.key(Qt.Key.Key_P)
    window.until(lambda: window.document.mask.labels[150, 200] == 2)
    assert window.document.mask.labels[20, 40] == window.place.painting.label
    assert set(np.unique(window.document.mask.labels)) == {window.place.painting.label, 2}

    # it is a version like any other: after a restart, without a network, it predicts
    window.saved()
    server.files.clear()
    version = model.version
    window.close()
    again = hand(network=Network("cpu"))
    again.open(people)
    assert again.program.desk.versions.in_use().version == version
    assert Models(again.program.desk.project).named(version).classes == VOC_NAMES
