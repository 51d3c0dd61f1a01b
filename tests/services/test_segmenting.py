"""Plain pictures of any shape and kind become masks of their size."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.services import Manner, run, segment
from app.services.manner import PLAIN
from tests.services.conftest import Files


@pytest.mark.parametrize("manner", [PLAIN, Manner(tiles=512), Manner(scales=(0.5, 1.0), flip=True)])
@pytest.mark.parametrize(("kind", "width", "height"), [("RGB", 1, 1), ("L", 5000, 1), ("RGB", 1, 5000), ("L", 60, 40)])
def test_a_pixel_a_line_and_a_grey_picture_are_segmented(
    files: Files, tmp_path: Path, manner: Manner, kind: str, width: int, height: int
) -> None:
    shutil.copy(files.backbone, tmp_path)
    head = Path(shutil.copy(files.make_head("odd", seed=2), tmp_path))
    Image.new(kind, (width, height), 77 if kind == "L" else (7, 77, 177)).save(tmp_path / "p.png")
    result = run(segment([tmp_path / "p.png"], head, tmp_path / "out", manner=manner))
    assert result.refused == {}
    with Image.open(tmp_path / "out/p.png") as image:
        assert image.mode == "P"
        assert image.size == (width, height)
        assert np.unique(np.array(image)).tolist() == [2]
