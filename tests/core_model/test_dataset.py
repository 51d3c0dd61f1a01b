from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core_model.dataset import Dataset
from core_model.job import Job, JobError
from tests.core_model.job_folder import scene, write_job


def _dataset(folder: Path) -> Dataset:
    return Dataset.of(Job.read(folder))


def test_reads_pictures_and_counts_pixels(tmp_path: Path) -> None:
    dataset = _dataset(write_job(tmp_path / "job", train=3, held_out=2))
    assert (len(dataset.train), len(dataset.held_out)) == (3, 2)
    rgb, truth = dataset.train[1].read()
    np.testing.assert_array_equal(rgb, scene(1)[0])
    np.testing.assert_array_equal(truth, scene(1)[1])
    expected = [sum(int((scene(n)[1] == value).sum()) for n in range(3)) for value in (0, 1)]
    assert dataset.pixels.tolist() == expected


def test_leaves_out_a_picture_that_nobody_labelled(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=3)
    cv2.imwrite(str(job / "truth" / "1.png"), np.full((65, 65), 255, np.uint8))
    assert [sample.name for sample in _dataset(job).train] == ["0", "2"]


def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no pictures to learn from"):
        _dataset(write_job(tmp_path / "job", train=0))


def test_a_class_that_the_job_does_not_have(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job")
    cv2.imwrite(str(job / "truth" / "1.png"), np.full((65, 65), 7, np.uint8))
    with pytest.raises(JobError, match="the truth of 1 holds class 7, and there are only 2 classes"):
        _dataset(job)


def test_sizes_that_differ(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job")
    cv2.imwrite(str(job / "truth" / "0.png"), np.zeros((64, 65), np.uint8))
    with pytest.raises(JobError, match="differ in size: 65 x 65 and 65 x 64"):
        _dataset(job)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("pictures/0.png", b"", "cannot be read"),
        ("pictures/0.png", b"no picture", "is not a picture, or is damaged"),
        ("truth/0.png", None, "cannot be read"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, file: str, content: bytes | None, words: str) -> None:
    job = write_job(tmp_path / "job")
    if content is None:
        (job / file).unlink()
    else:
        (job / file).write_bytes(content)
    with pytest.raises(JobError, match=words):
        _dataset(job)


def test_truth_with_other_than_one_byte_a_pixel(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job")
    cv2.imwrite(str(job / "truth" / "0.png"), np.zeros((65, 65), np.uint16))
    with pytest.raises(JobError, match="8 bits"):
        _dataset(job)
    cv2.imwrite(str(job / "truth" / "0.png"), np.zeros((65, 65, 3), np.uint8))
    with pytest.raises(JobError, match="not an 8-bit grey PNG"):
        _dataset(job)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe": "slow"}, "unknown recipe 'slow': there are linear, quick, full"),
        ({"classes": []}, "1 to 255 different names"),
        ({"classes": ["a", "a"]}, "1 to 255 different names"),
        ({"steps": 0}, "steps must be a number above zero, not 0"),
        ({"minutes": "five"}, "minutes must be a number above zero, not 'five'"),
        ({"backbone": None}, "backbone must be a text, not None"),
    ],
)
def test_a_job_that_makes_no_sense(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(JobError, match=words):
        Job.read(write_job(tmp_path / "job", **change))


def test_a_job_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{")
    with pytest.raises(JobError, match="cannot be read"):
        Job.read(tmp_path)
