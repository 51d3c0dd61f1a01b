"""Whole, in tiles or at several scales: the same masks in the same places, and nothing half-written."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.mask import MODEL
from app.jobs.job import Progress
from app.services import Manner, Model, Models, Network, load, pre_annotate, run, segment
from app.services.manner import PLAIN
from app.services.network import read_photo
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import HEIGHT, WIDTH, new_project

TILES, SCALES = Manner(tiles=128), Manner(scales=(0.5, 1.0), flip=True)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A picture of several tiles."""
    folder = tmp_path / "large"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (150, 260, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "p.png")
    return folder / "p.png"


def model_of(files: Files, tmp_path: Path, seed: int = 2) -> Path:
    shutil.copy(files.backbone, tmp_path)
    return Path(shutil.copy(files.make_head(f"head{seed}", seed=seed, working_size=100), tmp_path))


@pytest.mark.parametrize(("manner", "what", "count"), [(TILES, "tile", 6), (SCALES, "view", 4)])
def test_masks_have_the_pictures_size_and_progress_tells_tiles_and_views(
    files: Files, tmp_path: Path, large: Path, manner: Manner, what: str, count: int
) -> None:
    told: list[Progress] = []
    result = run(segment([large], model_of(files, tmp_path), tmp_path / "out", manner=manner), told.append)
    mask = np.asarray(Image.open(result.written[0]))
    assert mask.shape == (150, 260)
    assert (mask == 2).all()
    assert [p.text for p in told] == ["p.png", *(f"p.png, {what} {i + 1} of {count}" for i in range(count))]
    assert [p.done for p in told] == [0, *((i + 1) / count for i in range(count))]
    assert result.notes == []


def test_tiles_are_of_the_picture_at_its_own_size(files: Files, tmp_path: Path, large: Path) -> None:
    """The model learnt at 100 pixels; in tiles it sees all 260."""
    model_file = model_of(files, tmp_path)
    network, seen = Network(), []
    project = new_project(tmp_path / "P", 1)
    model = Models(project).adopt(model_file, tmp_path / files.backbone.name)
    predictor, _ = network.parts(model)
    logits = predictor.logits
    predictor.logits = lambda rgb, head: seen.append(rgb.shape[:2]) or logits(rgb, head)  # type: ignore[method-assign]
    said = run(TILES.classify(network, read_photo(large, TILES.longest_side(100)), model, 100, None, Progress()))
    project.close()
    assert len(seen) == 6
    assert max(seen) == (129, 129)
    assert said.confidence.shape == (38, 65)
    assert PLAIN.longest_side(100) == SCALES.longest_side(100) == 100


def test_what_is_cancelled_between_two_tiles_leaves_no_file(files: Files, tmp_path: Path, large: Path) -> None:
    job = segment([large], model_of(files, tmp_path), tmp_path / "out", manner=TILES)
    for _ in range(3):
        assert next(job).text.startswith("p.png")
    job.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_mask_that_cannot_be_written_whole_is_not_there(
    files: Files, tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, path: Path, __: str) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space"):
        run(segment([large], model_of(files, tmp_path), tmp_path / "out"))
    assert list((tmp_path / "out").iterdir()) == []


def model_in(project: Project, files: Files) -> Model:
    return Models(project).adopt(files.make_head("inside", seed=1), files.backbone)


def test_an_image_is_pre_annotated_once_in_each_manner(project: Project, files: Files) -> None:
    model = model_in(project, files)
    for manner in (TILES, SCALES, Manner(flip=True), PLAIN):
        assert run(pre_annotate(project, ["p00"], model, manner=manner)).done == ["p00"]
        assert run(pre_annotate(project, ["p00"], model, manner=manner)).as_before == ["p00"]
        mask = load(project, "p00").mask
        assert mask.labels.shape == (HEIGHT, WIDTH)
        assert (mask.labels == 1).all()
        assert (mask.provenance == MODEL).all()


def test_an_image_that_is_cancelled_half_way_stays_as_it_was(project: Project, files: Files) -> None:
    job = pre_annotate(project, ["p00", "p01"], model_in(project, files), manner=SCALES)
    texts = [next(job).text for _ in range(7)]
    assert texts[-1] == "p01, view 1 of 4"
    job.close()
    assert project.journal.last_sequence("p00") == 1
    assert project.journal.last_sequence("p01") == 0


def test_marks_tell_manners_apart() -> None:
    manners = [PLAIN, TILES, Manner(tiles=256), SCALES, Manner(scales=(0.5, 1.0)), Manner(flip=True)]
    assert len({manner.mark for manner in manners}) == len(manners)
    assert PLAIN.mark == ""
    assert not any(" " in manner.mark for manner in manners)
