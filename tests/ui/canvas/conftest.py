"""What the canvas's tests share: a document to paint on, and a canvas in a real window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from app.domain.classes import Classes
from app.domain.document import Document
from app.domain.mask import MODEL, Mask
from app.ui.canvas import Canvas, Photo

for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):  # opencv's own Qt, set by its import
    os.environ.pop(name, None)
cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def classes() -> Classes:
    """Five of them."""
    return Classes.named(["sky", "tree", "road", "car", "sign"])


@pytest.fixture(scope="session")
def scribbled() -> Callable[..., Document]:
    """Makes documents with a model's and a person's pixels, void and empty ones, down to single pixels."""

    def make(height: int, width: int, seed: int = 0) -> Document:
        random = np.random.default_rng(seed)
        provenance = random.integers(0, 3, (height, width), np.uint8)
        labels = random.integers(0, 5, (height, width), np.uint8)
        labels[(provenance == 0) | ((provenance != MODEL) & (random.random((height, width)) < 0.1))] = 255
        return Document("picture", Mask(labels, provenance))

    return make


@pytest.fixture
def canvas(qtbot) -> Iterator[Canvas]:
    """An empty canvas of 320 x 240 in a window of its own, exposed; nothing but picture and mask in it."""
    widget = Canvas()
    widget.resize(320, 240)
    widget.set_grid(False)
    widget.set_overview(False)
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget.clear()


@pytest.fixture
def shown(canvas: Canvas, classes: Classes) -> Callable[..., Document]:
    """Shows a black picture of some size with an empty or a given document, and gives the document."""

    def show(width: int = 100, height: int = 80, document: Document | None = None) -> Document:
        document = document or Document("picture", Mask.empty(height, width))
        canvas.show_image(Photo.of(np.zeros((*document.mask.labels.shape, 3), np.uint8)), document, classes)
        return document

    return show


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a screen Qt would end the whole run."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    for item in items:
        if item.get_closest_marker("window") and "ui/canvas" in item.nodeid:
            item.add_marker(pytest.mark.skip(reason="needs a window: make test starts an X server"))
