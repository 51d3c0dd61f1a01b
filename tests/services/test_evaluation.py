"""Scores by hand against scores by program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.services import Refusal, evaluate, run


def write(folder: Path, name: str, rows: list[list[int]], names: str = "a\nb\nc\n") -> None:
    (folder / "SegmentationClass").mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(rows, np.uint8)).save(folder / "SegmentationClass" / f"{name}.png")
    if names:
        (folder / "class_names.txt").write_text(names, encoding="utf-8")


def test_void_in_the_truth_is_ignored_and_in_the_prediction_wrong(tmp_path: Path) -> None:
    write(tmp_path / "t", "x", [[0, 0, 1, 255], [0, 1, 1, 255]])
    write(tmp_path / "p", "x", [[0, 1, 1, 0], [255, 1, 2, 2]])
    scores = run(evaluate(tmp_path / "t", tmp_path / "p"))
    # a: 1 right, union 3 truth; b: 2 right, union 3 truth + 1 false; c does not occur in the truth
    assert scores.pixel_accuracy == pytest.approx(3 / 6)
    assert scores.classes == {"a": pytest.approx(1 / 3), "b": pytest.approx(2 / 4)}
    assert scores.miou == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert scores.as_json()["classes"] == scores.classes


def test_several_images_are_one_dataset(tmp_path: Path) -> None:
    for name, truth, said in (("x", [[0, 0]], [[0, 1]]), ("sub/y", [[1, 1]], [[1, 1]])):
        (tmp_path / "t/SegmentationClass/sub").mkdir(parents=True, exist_ok=True)
        (tmp_path / "p/SegmentationClass/sub").mkdir(parents=True, exist_ok=True)
        write(tmp_path / "t", name, truth)
        write(tmp_path / "p", name, said)
    scores = run(evaluate(tmp_path / "t", tmp_path / "p"))
    assert scores.classes == {"a": 0.5, "b": pytest.approx(2 / 3)}
    assert run(evaluate(tmp_path / "t", tmp_path / "p", ["sub/y"])).miou == 1


def test_classes_of_another_order_are_matched_by_name(tmp_path: Path) -> None:
    write(tmp_path / "t", "x", [[0, 1, 2]])
    write(tmp_path / "p", "x", [[2, 0, 1]], names="b\nc\na\n")
    assert run(evaluate(tmp_path / "t", tmp_path / "p")).pixel_accuracy == 1
    write(tmp_path / "p", "x", [[0, 1, 2]], names="")
    (tmp_path / "p/class_names.txt").unlink()
    assert run(evaluate(tmp_path / "t", tmp_path / "p")).pixel_accuracy == 1


def test_without_names_classes_are_numbered(tmp_path: Path) -> None:
    write(tmp_path / "t", "x", [[0, 7]], names="")
    assert run(evaluate(tmp_path / "t/SegmentationClass", tmp_path / "t")).classes == {"class 0": 1.0, "class 7": 1.0}


def test_what_cannot_be_compared_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("x", "y", "z"):
        write(tmp_path / "t", name, [[0, 1]])
    write(tmp_path / "p", "x", [[0, 1]])
    with pytest.raises(Refusal, match=r"y, z are not in .*--ids"):
        run(evaluate(tmp_path / "t", tmp_path / "p"))
    with pytest.raises(Refusal, match="nonsense is not in"):
        run(evaluate(tmp_path / "t", tmp_path / "p", ["x", "nonsense"]))
    with pytest.raises(Refusal, match="no folder"):
        run(evaluate(tmp_path / "nowhere", tmp_path / "p"))
    write(tmp_path / "p", "x", [[0, 1, 1]])
    with pytest.raises(Refusal, match="x: the prediction is 3 x 1, the truth 2 x 1"):
        run(evaluate(tmp_path / "t", tmp_path / "p", ["x"]))
    (tmp_path / "p/SegmentationClass/x.png").write_bytes(b"rubbish")
    with pytest.raises(Refusal, match=r"x\.png"):
        run(evaluate(tmp_path / "t", tmp_path / "p", ["x"]))
    write(tmp_path / "v", "x", [[255, 255]])
    with pytest.raises(Refusal, match="every pixel of the truth"):
        run(evaluate(tmp_path / "v", tmp_path / "v"))


def test_camvid_against_itself_is_perfect(camvid: Path) -> None:
    ids = (camvid / "ImageSets/Segmentation/val.txt").read_text().split()[:5]
    scores = run(evaluate(camvid, camvid, ids))
    assert (scores.miou, scores.pixel_accuracy) == (1, 1)
    assert set(scores.classes) <= set((camvid / "class_names.txt").read_text().split())
