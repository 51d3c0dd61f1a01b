"""What the effort benchmark counts, and that its policies run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.benchmarks import desk
from tests.benchmarks.annotator import VOID, Annotator
from tests.benchmarks.desk import POLICIES, Dataset, Work, annotate, at_stride_4, correct
from tests.benchmarks.effort import EXPECTED, kept, lanes_of, main, minutes, plot, row_of, table

Labels = NDArray[np.uint8]
REPOSITORY = Path(__file__).resolve().parents[2]


def blotches(seed: int, size: int = 96) -> Labels:
    """Two classes with a ragged border, and a strip of void."""
    noise = np.random.default_rng(seed).random((size, size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    labels: Labels = (smooth > np.median(smooth)).astype(np.uint8)
    labels[:4] = VOID
    return labels


def work_on(
    truth: Labels, filled: Callable[[Labels, Labels], Labels | None] | None, labels: Labels | None = None
) -> tuple[Work, Annotator]:
    """One picture, from an empty mask or from something else."""
    work, annotator = Work("fill", "a", 0), Annotator(truth, np.full_like(truth, VOID) if labels is None else labels, 0)
    correct(annotator, work, filled)
    return work, annotator


def test_the_empty_mask_takes_strokes_alone() -> None:
    truth = blotches(0)
    work, annotator = work_on(truth, None)
    assert annotator.done
    assert work.strokes == work.painted > 5
    assert (work.opened, work.fills, work.undone, work.unfinished) == (0.0, 0, 0, False)
    assert work.nearly is not None
    assert 0 < work.nearly <= work.strokes
    assert 0 < work.human_pixels <= truth.size


def test_the_bound_is_the_truth_but_for_its_edges() -> None:
    truth = blotches(0)
    said = at_stride_4(truth)
    assert said.shape == truth.shape
    wrong = (said != truth) & (truth != VOID)
    edge = cv2.morphologyEx(truth, cv2.MORPH_GRADIENT, np.ones((7, 7), np.uint8)) > 0
    assert 0 < wrong.sum() < 0.1 * truth.size
    assert not (wrong & ~edge).any()
    assert (at_stride_4(np.full((30, 50), 3, np.uint8)) == 3).all()
    assert at_stride_4(np.full((1, 1), VOID, np.uint8)) == 0


def test_a_fill_comes_after_five_strokes_whether_or_not_the_last_one_was_undone() -> None:
    truth = blotches(1)
    opened = np.where(blotches(2) == 0, truth, 1 - truth)
    alone, _ = work_on(truth, None, opened)
    asked: list[int] = []

    def worse(painted: Labels, shown: Labels) -> Labels:
        asked.append(int((painted != VOID).sum()))
        assert ((painted == VOID) != (shown == VOID)).all()  # this one opened with something everywhere
        return np.full_like(truth, VOID)

    work, annotator = work_on(truth, worse, opened)
    assert annotator.done
    assert work.painted == alone.painted  # nothing of the fills is left
    assert work.fills == work.undone == len(asked) == (work.painted - 1) // 5
    assert work.strokes == work.painted + work.undone
    assert asked == sorted(asked)


def test_a_fill_that_helps_stays_and_leaves_what_a_person_has_painted() -> None:
    truth = blotches(2)
    given: list[Labels] = []

    def good(painted: Labels, shown: Labels) -> Labels:
        given.append(painted)
        return np.where(painted == VOID, truth, 1 - truth)  # nonsense where it is painted

    work, annotator = Work("fill", "a", 0), Annotator(truth, np.full_like(truth, VOID), 0)
    human = correct(annotator, work, good)
    assert work.fills == len(given) > 0
    assert work.undone == 0
    assert (annotator.labels == truth)[~human].all()
    alone = Annotator(truth, np.full_like(truth, VOID), 0)
    for number in range(5):
        stroke = alone.next(number)
        assert stroke is not None
        alone.paint(stroke)
    assert np.array_equal(given[0], alone.labels)


def test_a_fill_that_is_not_there_yet_counts_nothing() -> None:
    work, annotator = work_on(blotches(3), lambda painted, shown: None)
    assert annotator.done
    assert (work.fills, work.undone) == (0, 0)


def test_a_picture_that_takes_too_many_strokes_is_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST", 4)
    work, annotator = work_on(blotches(4), None)
    assert work.unfinished
    assert work.strokes == 4
    assert not annotator.done


def test_a_picture_for_which_no_candidate_gains_is_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Annotator, "next", lambda self, number: None)
    work, _ = work_on(blotches(4), None)
    assert work.unfinished
    assert work.strokes == 0


def test_a_picture_that_opens_right_takes_nothing() -> None:
    truth = blotches(5)
    work, annotator = Work("live", "a", 0), Annotator(truth, truth, 0)
    correct(annotator, work)
    assert (work.opened, work.strokes, work.nearly, work.human_pixels, work.unfinished) == (1.0, 0, 0, 0, False)


def done(policy: str, strokes: list[int], seed: int = 0) -> list[Work]:
    return [Work(policy, str(number), seed, painted=painted) for number, painted in enumerate(strokes)]


def test_the_goal_is_a_half_over_all_and_a_quarter_over_the_last_ten() -> None:
    works = {"empty": done("empty", [100] * 20), "both": done("both", [60] * 10 + [30] * 10)}
    shares = [row for row in table(works) if row.name.strip() == "of the empty mask's"]
    assert [(row.value, row.goal, row.met) for row in shares] == [(0.45, 0.5, True), (0.3, 0.25, False)]


def test_what_stands_in_the_file_whole_is_not_run_again(tmp_path: Path) -> None:
    file, data = tmp_path / "kept", Dataset(tmp_path, ("0", "1", "2"))
    assert kept(file, data, 0) == {}
    lines = [*done("empty", [7, 8, 9]), *done("fill", [1, 2]), *done("live", [1, 2, 3], seed=1)]
    file.write_text("".join(json.dumps(row_of(work)) + "\n" for work in lines))
    assert kept(file, data, 0) == {"empty": done("empty", [7, 8, 9])}
    assert kept(file, Dataset(tmp_path, ("2", "1", "0")), 0) == {}


def test_the_whole_benchmark_is_within_eighty_minutes() -> None:
    lanes = lanes_of(POLICIES)
    assert lanes == [["empty", "bound", "fill"], ["live", "both"]]
    assert lanes_of(["empty"]) == [["empty"]]
    assert minutes(lanes, 60) == max(sum(EXPECTED[policy] for policy in lane) for lane in lanes) <= 80
    assert minutes([], 60) == 0


def test_the_curves_are_drawn() -> None:
    sheet = plot({"empty": done("empty", [100, 90, 95]), "both": done("both", [80, 30, 10])})
    assert (sheet == (0, 0, 220)).all(-1).sum() > 100
    assert (sheet == (0, 150, 0)).all(-1).sum() == 0
    assert plot({"empty": done("empty", [0])}).shape == sheet.shape  # nobody came to 95 %


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three pictures in which colour tells the classes."""
    root = tmp_path / "voc"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    (root / "class_names.txt").write_text("grass\nsky\n")
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("a\nb\nc\n")
    colours = np.full((256, 3), 128, np.uint8)
    colours[:2] = (40, 150, 60), (90, 140, 230)
    for seed, name in enumerate("abc"):
        truth = blotches(seed)
        noise = np.random.default_rng(seed).integers(-20, 20, (*truth.shape, 3))
        Image.fromarray((colours[truth] + noise).astype(np.uint8)).save(root / "JPEGImages" / f"{name}.png")
        Image.fromarray(truth).save(root / "SegmentationClass" / f"{name}.png")
    return root


def test_the_order_is_the_file_s_or_shuffled_by_the_seed(dataset: Path) -> None:
    assert Dataset.of(dataset, 2, 0, "file").ids == ("a", "b")
    orders = {Dataset.of(dataset, 3, seed, "shuffled").ids for seed in range(9)}
    assert len(orders) > 1
    assert Dataset.of(dataset, 3, 4, "shuffled") == Dataset.of(dataset, 3, 4, "shuffled")


def test_from_the_command_line(dataset: Path, tmp_path: Path) -> None:
    kept_in, drawn = tmp_path / "rows", tmp_path / "curves.png"
    command = [sys.executable, "-m", "tests.benchmarks.effort", str(dataset), "--images", "2", "--policies", "empty"]
    command += ["--json", "--keep", str(kept_in), "--plot", str(drawn)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    said = json.loads(ended.stdout)
    assert [row["policy"] for row in said["pictures"]] == ["empty", "empty"]
    assert said["pictures"] == [json.loads(line) for line in kept_in.read_text().splitlines()]
    assert said["rows"][0]["value"] == np.mean([row["strokes"] for row in said["pictures"]])
    assert "about" in ended.stderr
    assert cv2.imread(str(drawn)) is not None


def test_what_is_no_dataset_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["effort", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no VOC folder"):
        main()


@pytest.mark.slow
def test_with_the_learner_pictures_open_with_what_it_has_learnt(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "READY", 120.0)  # however busy the machine is
    monkeypatch.setattr(desk, "LEARNING", 1.0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        works = list(annotate("both", Dataset.of(dataset, 3, 0, "file"), 0))
    finally:
        torch.set_num_threads(threads)
    assert [work.image for work in works] == ["a", "b", "c"]
    assert works[0].opened == 0.0
    assert min(work.opened for work in works[1:]) > 0.6
    assert all(work.waited > 0 for work in works[1:])
    assert not any(work.unfinished for work in works)
