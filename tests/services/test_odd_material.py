"""Learning from material that is thin or odd, with the real child: a clear word, and no harm to the model in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.classes import VOID
from app.jobs.job import Job
from app.services import LearningFailed, Models, NothingLearnt, Progress, TrainRequest, TrainResult, fit, open_project
from app.services import run as run_job
from app.services.runs import prepare
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import HEIGHT, WIDTH, scene

Make = Callable[..., Project]
QUICKLY = {"steps": 2, "threads": 1, "device": "cpu"}


@pytest.fixture
def made(tmp_path: Path, files: Files) -> Make:
    """A project of reviewed pictures with these truths, and a slim model in use."""

    def make(*truths: np.ndarray, names: tuple[str, ...] = ("background", "box", "disc")) -> Project:
        root = tmp_path / "P"
        for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
            (root / folder).mkdir(parents=True)
        (root / "class_names.txt").write_text("\n".join(names), encoding="utf-8")
        for number, truth in enumerate(truths):
            rgb = np.resize(scene(number)[0], (*truth.shape, 3))
            Image.fromarray(rgb).save(root / f"JPEGImages/p{number}.png")
            Image.fromarray(truth).save(root / f"SegmentationClass/p{number}.png")
        ids = "".join(f"p{number}\n" for number in range(len(truths)))
        (root / "ImageSets/Segmentation/train.txt").write_text(ids, encoding="utf-8")
        project = open_project(root)
        models = Models(project)
        head = files.make_head("start of few", classes=names)
        models.use(models.adopt(head, name="start").version)
        return project

    return make


def _plain(value: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width), value, np.uint8)


def _learn(project: Project, recipe: str) -> TrainResult:
    result = run_job(fit(project, TrainRequest(recipe, **QUICKLY)))  # type: ignore[arg-type]
    assert Models(project).in_use() == Models(project).version(f"{recipe}-2")
    project.close()
    return result


def _in_use(project: Project) -> str:
    model = Models(project).in_use()
    assert model is not None
    return model.version


RECIPES = pytest.mark.parametrize("recipe", ["linear", "quick", "full"])


@pytest.mark.slow
@RECIPES
def test_one_picture(made: Make, recipe: str) -> None:
    result = _learn(made(scene(0)[1]), recipe)
    assert result.images == 1
    assert result.warnings == ("it is one picture that is learnt from: others may be predicted badly",)


@pytest.mark.slow
@RECIPES
def test_a_project_of_one_class(made: Make, recipe: str) -> None:
    result = _learn(made(_plain(0), _plain(0), names=("background",)), recipe)
    assert result.warnings == ("all that is learnt from is background: paint other classes too",)


@pytest.mark.slow
@RECIPES
def test_one_class_of_three(made: Make, recipe: str) -> None:
    result = _learn(made(_plain(1), _plain(1)), recipe)
    assert result.warnings == ("all that is learnt from is box: paint other classes too",)


@pytest.mark.slow
@RECIPES
def test_a_class_without_pixels(made: Make, recipe: str) -> None:
    truths = [np.where(scene(number)[1] == 2, np.uint8(0), scene(number)[1]) for number in range(2)]
    result = _learn(made(*truths), recipe)
    assert result.warnings == ("there is no pixel of disc to learn from",)


@pytest.mark.slow
@RECIPES
@pytest.mark.parametrize("size", [(1, 1), (5, 300), (17, 16)])
def test_pictures_smaller_than_the_crop(made: Make, recipe: str, size: tuple[int, int]) -> None:
    truth = _plain(0, *size)
    truth[:, size[1] // 2 :] = 1
    truth[: size[0] // 2] = 2
    assert _learn(made(truth, truth), recipe).images == 2


def test_nothing_but_void(made: Make) -> None:
    project = made(_plain(VOID), _plain(VOID))
    with pytest.raises(NothingLearnt, match="paint a few strokes of each class, or review one picture"):
        run_job(fit(project, TrainRequest()))
    assert _in_use(project) == "start-1"
    assert not list(project.root.glob(".atrous/runs/*"))
    project.close()


def test_many_classes_without_pixels_are_counted(made: Make) -> None:
    project = made(scene(0)[1], scene(1)[1], names=("background", "box", "disc", "a", "b", "c", "d", "e"))
    assert run_job(prepare(project, TrainRequest())).warnings == (
        "there is no pixel of a, b, c and 2 more to learn from",
    )
    project.close()


def test_pictures_of_void_are_named(made: Make) -> None:
    project = made(scene(0)[1], scene(1)[1], *[_plain(VOID)] * 5)
    run = run_job(prepare(project, TrainRequest()))
    assert run.learnt == ("p0", "p1")
    assert run.warnings == ("p2, p3, p4 and 2 more: reviewed, and all void; nothing is learnt from that",)
    project.close()


@pytest.mark.parametrize(
    ("gone", "said"), [("JPEGImages/p6.png", "p6 is left out: "), ("SegmentationClass/p6.png", "p6: reviewed, and all")]
)
def test_a_picture_that_is_deleted_while_it_is_prepared(made: Make, gone: str, said: str) -> None:
    project = made(*(scene(number)[1] for number in range(8)))
    job: Job[TrainResult] = fit(project, TrainRequest("linear", **QUICKLY))  # type: ignore[arg-type]
    next(shown for shown in job if shown.text.startswith("preparing"))
    (project.root / gone).unlink()
    result = run_job(job)
    assert result.images == 7
    assert result.warnings[0].startswith(said)
    assert result.used
    project.close()


def test_a_picture_that_is_deleted_while_it_is_learnt(made: Make) -> None:
    project = made(*(scene(number)[1] for number in range(2)))

    def delete(progress: Progress) -> None:
        if isinstance(progress.value, dict) and progress.value["event"] == "started":
            (project.root / "JPEGImages/p1.png").unlink(missing_ok=True)

    result = run_job(fit(project, TrainRequest("linear", **QUICKLY)), delete)  # type: ignore[arg-type]
    assert (result.images, result.used) == (2, True)
    project.close()


def test_a_run_that_loses_a_picture(made: Make) -> None:
    project = made(*(scene(number)[1] for number in range(2)))
    job: Job[TrainResult] = fit(project, TrainRequest("linear", **QUICKLY))  # type: ignore[arg-type]
    next(shown for shown in job if shown.text == "starting to learn")
    for picture in project.root.glob(".atrous/runs/*/pictures/1.png"):
        picture.unlink()
    with pytest.raises(LearningFailed, match=r"1\.png cannot be read.*the model in use stays as it was"):
        run_job(job)
    assert _in_use(project) == "start-1"
    project.close()


def test_a_class_that_comes_during_the_learning_is_for_the_next(made: Make) -> None:
    project = made(*(scene(number)[1] for number in range(2)))
    job: Job[TrainResult] = fit(project, TrainRequest("linear", **QUICKLY))  # type: ignore[arg-type]
    next(shown for shown in job if shown.text == "starting to learn")
    project.save_settings(replace(project.settings, classes=project.settings.classes.added("new")))
    run_job(job)
    assert Models(project).versions()[-1].classes == ("background", "box", "disc")
    project.close()
