"""Fixtures that every test may use: the real pictures, where they lie beside the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(*parts: str) -> Path:
    path = SHARED.joinpath("data", *parts)
    if not path.exists():
        pytest.skip(f"needs {Path('..', 'shared', 'data', *parts)}: data for research, not part of the repository")
    return path


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the program keeps for a quicker start is not kept among the user's."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def camvid() -> Path:
    """CamVid as a VOC dataset, read only: copy what a test writes to."""
    return _shared("camvid")


@pytest.fixture(scope="session")
def labelme_voc() -> Path:
    """Three VOC photographs with labelme polygons, and the masks that labelme's own converter made of them."""
    return _shared("labelme_voc")
