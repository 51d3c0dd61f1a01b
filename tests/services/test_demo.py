"""The whole loop without a window, on a small sample and with a child that learns nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from app import resources
from app.services import Refusal, TrainRequest, demo, open_project, run
from app.services import learning as learning_module
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import CLASSES, write_picture


@pytest.fixture
def sample(tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven small pictures with their truth, and a starter that calls everything background."""
    shipped = tmp_path / "shipped"
    (shipped / "sample_truth").mkdir(parents=True)
    for number in range(7):
        truth = write_picture(shipped / "sample/JPEGImages", number)
        Image.fromarray(truth).save(shipped / f"sample_truth/p{number:02}.png")
    (shipped / "sample/class_names.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    (shipped / "models").mkdir()
    shutil.copy(files.backbone, shipped / "models/backbone.safetensors")
    shutil.copy(files.make_head("starter"), shipped / "models/starter.safetensors")
    monkeypatch.setattr(resources, "path", shipped.joinpath)
    script = str(Path(__file__).with_name("fake_fit.py"))
    command = (sys.executable, script, "fine", str(files.make_head("learnt", seed=1)))
    monkeypatch.setitem(learning_module.fit.__kwdefaults__, "command", command)


@pytest.mark.usefixtures("sample")
def test_the_loop_corrects_reviews_learns_predicts_and_exports(tmp_path: Path) -> None:
    stages: list[tuple[str, dict[str, int]]] = []

    def stage(name: str, text: str, project: Project, image_id: str) -> None:
        assert text
        assert project.saver.pending() == 0
        assert image_id in project.catalogue.ids()
        stages.append((name, project.catalogue.counts()))

    story = run(demo(tmp_path / "demo", stage, TrainRequest(steps=1)))
    assert [name for name, _ in stages] == [
        "opened", "pre-annotated", "corrected", "reviewed", "learnt", "predicted", "exported",
    ]  # fmt: skip
    counts = dict(stages)
    assert counts["opened"]["untouched"] == 7
    assert counts["pre-annotated"]["predicted"] == 7
    assert counts["reviewed"]["reviewed"] == 5
    assert story.strokes > 0
    assert story.trained["used"] is True
    assert 0 < story.accuracy["left_after"] < story.accuracy["left_before"] < 1  # everything box, then
    assert len(story.lines) == 7
    assert len(list((tmp_path / "demo/export/SegmentationClass").iterdir())) == 5
    project = open_project(tmp_path / "demo/project")
    assert project.catalogue.counts()["reviewed"] == 5
    project.close()


@pytest.mark.usefixtures("sample")
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("do not lose me")
    with pytest.raises(Refusal, match="something in"):
        run(demo(tmp_path))
