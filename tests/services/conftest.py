"""Projects and a small network for the services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.services import open_project
from app.storage.project import Project
from tests.services.datasets import CLASSES, new_project, write_voc


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Three plain pictures, classes background, box and disc; no mask."""
    made = new_project(tmp_path / "P")
    yield made
    made.close()


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Project]:
    """A VOC dataset opened in place: five pictures, three of them reviewed."""
    made = open_project(write_voc(tmp_path / "V", pictures=5, masks=3))
    yield made
    made.close()


@dataclass(frozen=True)
class Files:
    """A backbone's file and heads on it, of the slim variant with random weights."""

    backbone: Path
    make_head: Callable[..., Path]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    import torch

    from core_model import VARIANTS, AsppDecoderHead, Card, Xception, save_backbone, save_head

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models")
    variant = VARIANTS["xception_slim"]
    sha256 = save_backbone(folder / "backbone.safetensors", Xception(variant), Card("backbone", variant.name))

    def make_head(name: str = "head", classes: tuple[str, ...] = CLASSES, seed: int = 0, **card: object) -> Path:
        """A head that calls everything the class number `seed`."""
        torch.manual_seed(seed)
        head = AsppDecoderHead(variant, len(classes))
        with torch.no_grad():
            head.classifier.weight.zero_()
            assert head.classifier.bias is not None
            head.classifier.bias.zero_()
            head.classifier.bias[seed] = 4.0
        path = folder / f"{name}.safetensors"
        save_head(path, head, Card("head", variant.name, backbone=sha256, classes=classes, **card))  # type: ignore[arg-type]
        return path

    return Files(folder / "backbone.safetensors", make_head)
