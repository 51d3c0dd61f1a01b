"""Fixtures that every test may use: the real pictures, where they lie beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(*parts: str) -> Path:
    path = SHARED.joinpath("data", *parts)
    if not path.exists():
        pytest.skip(f"needs {Path('..', 'shared', 'data', *parts)}: data for research, not part of the repository")
    return path


@pytest.fixture(scope="session")
def camvid() -> Path:
    """CamVid as a VOC dataset, read only: copy what a test writes to."""
    return _shared("camvid")


@pytest.fixture(scope="session")
def labelme_voc() -> Path:
    """Three VOC photographs with labelme polygons, and the masks that labelme's own converter made of them."""
    return _shared("labelme_voc")
