"""Learning: what the child is given, what it may do wrong, and which head predicts afterwards."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.classes import VOID, Classes
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.jobs.job import Job
from app.services import LearningFailed, Models, NothingLearnt, Progress, Refusal, TrainRequest, fit, load, open_project
from app.services import run as run_job
from app.services.learning import TrainResult
from app.services.network import engine_cache
from app.services.runs import nearest, prepare, truth_table
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import write_voc

Fit = Callable[[str], "Job[TrainResult]"]


@pytest.fixture
def using(files: Files) -> Callable[[Project], Project]:
    """Puts a slim model in use, so that learning continues from it and no large backbone is needed."""

    def use(project: Project) -> Project:
        models = Models(project)
        models.use(models.adopt(files.make_head("start"), name="start").version)
        return project

    return use


@pytest.fixture
def learning(files: Files) -> Callable[..., Job[TrainResult]]:
    script = Path(__file__).with_name("fake_fit.py")

    def start(project: Project, behaviour: str, **request: object) -> Job[TrainResult]:
        head = files.make_head("learnt", seed=1)
        command = (sys.executable, str(script), behaviour, str(head))
        return fit(project, TrainRequest(**request), command=command)  # type: ignore[arg-type]

    return start


def read(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_the_job_holds_reviewed_images_whole_and_of_others_what_a_person_painted(
    dataset: Project, using: Callable[[Project], Project]
) -> None:
    document = load(using(dataset), "p03")
    document.begin("Brush")
    document.paint(Rect(4, 5, 6, 7), np.ones((7, 6), bool), Label(2))
    document.commit()
    run = run_job(prepare(dataset, TrainRequest("quick", None, 5, 0.5, "cpu", seed=3, threads=1)))
    assert (run.learnt, run.held_out, run.warnings) == (("p00", "p01", "p02", "p03"), (), ())
    assert (run.folder / "train.txt").read_text().split() == ["0", "1", "2", "3"]
    assert (run.folder / "val.txt").read_text() == ""
    assert np.array_equal(read(run.folder / "truth/0.png"), dataset.read_mask("p00")[0].labels)
    painted = np.full((48, 64), VOID, np.uint8)
    painted[5:12, 4:10] = 2
    assert np.array_equal(read(run.folder / "truth/3.png"), painted)
    assert np.array_equal(read(run.folder / "pictures/0.png"), read(dataset.picture_path("p00")))
    job = json.loads((run.folder / "job.json").read_text())
    model = Models(dataset).in_use()
    assert model is not None
    assert job == {
        "recipe": "quick", "variant": "xception_slim",
        "backbone": f"start/{model.backbone.name}", "head": "start/start-1.safetensors",
        "head_classes": ["background", "box", "disc"], "classes": ["background", "box", "disc"], "working_size": 1024,
        "output_stride": 16, "steps": 5, "minutes": 0.5, "device": "cpu", "seed": 3, "threads": 1,
        "engine_cache": str(engine_cache()),
    }  # fmt: skip


def test_the_job_is_one_that_the_child_understands(dataset: Project, using: Callable[[Project], Project]) -> None:
    from core_model.dataset import Dataset
    from core_model.job import Job as ChildsJob

    run = run_job(prepare(using(dataset), TrainRequest()))
    read_back = Dataset.of(ChildsJob.read(run.folder))
    assert (len(read_back.train), len(read_back.held_out)) == (3, 0)
    assert read_back.pixels.sum() == 3 * 64 * 48


def test_a_recipe_goes_on_from_a_head_of_its_own_kind_alone(
    dataset: Project, using: Callable[[Project], Project]
) -> None:
    model = Models(using(dataset)).in_use()
    assert model is not None
    for recipe, parent in (("linear", None), ("quick", "start-1"), ("full", "start-1")):
        run = run_job(prepare(dataset, TrainRequest(recipe)))
        job = json.loads((run.folder / "job.json").read_text())
        assert (run.parent, job["head"] is None) == (parent, parent is None)
        assert (job["variant"], job["backbone"]) == ("xception_slim", f"start/{model.backbone.name}")


def test_large_pictures_are_reduced_and_gaps_in_the_indices_closed(
    dataset: Project, using: Callable[[Project], Project]
) -> None:
    kept = [label for label in dataset.settings.classes if label.name != "box"]
    boxes = replace(dataset.settings.classes[1], index=7)
    dataset.save_settings(replace(dataset.settings, working_size=32, classes=Classes((*kept, boxes))))
    document = load(using(dataset), "p03")
    document.begin("Brush")
    document.paint(Rect(0, 0, 64, 48), np.ones((48, 64), bool), Label(7))
    document.commit()
    run = run_job(prepare(dataset, TrainRequest()))
    number = run.learnt.index("p03")
    assert read(run.folder / f"pictures/{number}.png").shape == (24, 32, 3)
    truth = read(run.folder / f"truth/{number}.png")
    assert truth.shape == (24, 32)
    assert np.unique(truth).tolist() == [2]
    assert json.loads((run.folder / "job.json").read_text())["classes"] == ["background", "disc", "box"]
    assert truth_table(dataset.settings.classes)[[0, 2, 7, 1, 255]].tolist() == [0, 1, 2, VOID, VOID]


def test_nearest_takes_the_pixel_under_each_centre() -> None:
    labels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    assert np.array_equal(nearest(labels, 5, 7), labels)
    assert np.array_equal(nearest(np.repeat(np.repeat(labels, 3, 0), 3, 1), 5, 7), labels)
    assert np.array_equal(nearest(labels, 1, 1), [[labels[2, 3]]])


def test_held_out_images_are_scored_and_never_learnt(tmp_path: Path, using: Callable[[Project], Project]) -> None:
    project = using(open_project(write_voc(tmp_path / "V", 5, 4, {"train": [0, 1], "val": [2, 3]})))
    document = load(project, "p03")
    document.set_reviewed(False)
    run = run_job(prepare(project, TrainRequest()))
    assert (run.learnt, run.held_out) == (("p00", "p01"), ("p02",))
    assert (run.folder / "val.txt").read_text().split() == ["2"]
    assert [image_id for image_id, _, truth in run.held_out_files() if truth.is_file()] == ["p02"]
    project.close()


def test_nothing_to_learn_from(project: Project, using: Callable[[Project], Project]) -> None:
    with pytest.raises(NothingLearnt, match="paint a few strokes of each class, or review one picture"):
        run_job(fit(using(project), TrainRequest()))
    assert not list((project.root / ".atrous/runs").iterdir())


def test_unreadable_pictures_are_left_out_with_a_warning(dataset: Project, using: Callable[[Project], Project]) -> None:
    dataset.picture_path("p01").write_bytes(b"rubbish")
    run = run_job(prepare(using(dataset), TrainRequest()))
    assert run.learnt == ("p00", "p02")
    assert "p01 is left out" in run.warnings[0]


@pytest.mark.parametrize("request_", [{"recipe": "magic"}, {"steps": 0}, {"minutes": 0}, {"variant": "magic"}])
def test_senseless_requests_are_refused(dataset: Project, request_: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        run_job(fit(dataset, TrainRequest(**request_)))  # type: ignore[arg-type]


def test_what_was_learnt_becomes_a_version_and_is_used(
    dataset: Project, using: Callable[[Project], Project], learning: Callable[..., Job[TrainResult]]
) -> None:
    seen: list[Progress] = []
    result = run_job(learning(using(dataset), "fine"), seen.append)
    assert (result.version, result.used, result.scores, result.previous) == ("quick-2", True, None, "start-1")
    assert "not measured" in result.reason
    assert (result.images, result.held_out, result.steps, result.seconds) == (3, 0, 7, 1.5)
    assert result.warnings == ("the features have little room",)
    models = Models(dataset)
    assert [model.version for model in models.versions()] == ["start-1", "quick-2"]
    assert models.in_use() == models.version("quick-2")
    events = [progress.value["event"] for progress in seen if isinstance(progress.value, dict)]
    assert events == ["started", "published", "warning", "done"]
    (folder,) = (dataset.root / ".atrous/runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["job.json", "stderr.txt"]
    assert json.loads(dataset.catalogue.get(f"run {folder.name}") or "")["version"] == "quick-2"


@pytest.mark.parametrize(("behaviour", "used"), [("good", True), ("poor", False)])
def test_with_held_out_images_only_a_better_head_is_used(
    tmp_path: Path,
    using: Callable[[Project], Project],
    learning: Callable[..., Job[TrainResult]],
    behaviour: str,
    used: bool,
) -> None:
    project = using(open_project(write_voc(tmp_path / "V", 4, 4, {"train": [0, 1], "val": [2, 3]})))
    result = run_job(learning(project, behaviour))
    assert result.used is used
    assert result.previous_scores is not None
    # the start model calls everything background
    truths = np.stack([project.read_mask(image_id)[0].labels for image_id in ("p02", "p03")])
    assert result.previous_scores["pixel_accuracy"] == pytest.approx((truths == 0).mean())
    assert result.previous_scores["miou"] == pytest.approx((truths == 0).mean() / 3)
    in_use = Models(project).in_use()
    assert in_use is not None
    assert in_use.version == ("quick-2" if used else "start-1")
    assert len(Models(project).versions()) == 2
    project.close()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("failed", "not enough memory for one picture"),
        ("crash", "the driver is gone"),
        ("killed", "signal 9 .out of memory.*last words.*what was learnt so far is quick-2, marked partial"),
        ("silent", "code 0 and no result"),
        ("rubbish", "code 0 and no result.*null"),
        ("lies", "code 3 and no result"),
        ("nonsense", "code 0 and no result.*miou"),
        ("no weights", "left no weights"),
        ("loses its folder", "is gone: it was moved or deleted during the learning"),
    ],
)
def test_a_child_that_goes_wrong_is_reported_and_changes_nothing(
    dataset: Project,
    using: Callable[[Project], Project],
    learning: Callable[..., Job[TrainResult]],
    behaviour: str,
    said: str,
) -> None:
    before = Models(using(dataset)).in_use()
    with pytest.raises(LearningFailed, match=said) as caught:
        run_job(learning(dataset, behaviour))
    assert "\n" not in str(caught.value)
    assert "stays as it was" in str(caught.value)
    assert Models(dataset).in_use() == before
    assert [model.version for model in Models(dataset).versions() if not model.card["partial"]] == ["start-1"]


@pytest.mark.parametrize("behaviour", ["waits", "stubborn"])
def test_stopping_keeps_what_was_learnt_and_leaves_no_process(
    dataset: Project,
    using: Callable[[Project], Project],
    learning: Callable[..., Job[TrainResult]],
    behaviour: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.services import child

    children: list[child.Child] = []
    monkeypatch.setattr(child.Child, "__init__", _remembering(child.Child.__init__, children))
    before = Models(using(dataset)).in_use()
    job = learning(dataset, behaviour)
    for progress in job:
        if isinstance(progress.value, dict) and progress.value["event"] == "progress":
            break
    job.close()
    assert children[0].exit_code is not None
    with pytest.raises(ProcessLookupError):
        os.kill(children[0].pid, 0)
    partial = Models(dataset).versions()[-1]
    assert (partial.version, partial.card["partial"]) == ("quick-2", True)
    assert Models(dataset).in_use() == before


def test_stopping_while_the_version_before_is_scored_keeps_a_finished_head(
    tmp_path: Path, using: Callable[[Project], Project], learning: Callable[..., Job[TrainResult]]
) -> None:
    project = using(open_project(write_voc(tmp_path / "V", 4, 4, {"train": [0, 1], "val": [2, 3]})))
    job = learning(project, "good")
    for progress in job:
        if progress.text.startswith("scoring start-1"):
            break
    job.close()
    kept = Models(project).versions()[-1]
    assert (kept.version, kept.card["partial"]) == ("quick-2", False)
    in_use = Models(project).in_use()
    assert in_use is not None
    assert in_use.version == "start-1"
    project.close()


def test_a_renamed_class_is_still_the_parents(dataset: Project, using: Callable[[Project], Project]) -> None:
    classes = using(dataset).settings.classes
    dataset.save_settings(replace(dataset.settings, classes=classes.renamed(1, "crate")))
    Models(dataset).rename_class("box", "crate")
    run = run_job(prepare(dataset, TrainRequest()))
    job = json.loads((run.folder / "job.json").read_text())
    assert job["head_classes"] == job["classes"] == ["background", "crate", "disc"]


def test_a_class_that_is_renamed_during_learning_is_learnt_under_its_new_name(
    dataset: Project, using: Callable[[Project], Project], learning: Callable[..., Job[TrainResult]]
) -> None:
    job = learning(using(dataset), "fine")
    next(progress for progress in job if isinstance(progress.value, dict))
    dataset.save_settings(replace(dataset.settings, classes=dataset.settings.classes.renamed(1, "crate")))
    run_job(job)
    assert Models(dataset).versions()[-1].classes == ("background", "crate", "disc")


def _remembering(init: Callable[..., None], children: list) -> Callable[..., None]:
    def remember(self: object, *arguments: object, **more: object) -> None:
        children.append(self)
        init(self, *arguments, **more)

    return remember


def test_weights_that_find_no_room_are_kept_where_they_are(
    dataset: Project,
    using: Callable[[Project], Project],
    learning: Callable[..., Job[TrainResult]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = Models(using(dataset)).in_use()
    monkeypatch.setattr(Models, "adopt", full)
    with pytest.raises(LearningFailed, match=r"no space left on device.*head\.safetensors"):
        run_job(learning(dataset, "fine"))
    (kept,) = (dataset.root / ".atrous/runs").glob("*/out/head.safetensors")
    assert Models(dataset).resolve(kept).classes == ("background", "box", "disc")
    assert Models(dataset).in_use() == before


@pytest.mark.slow
def test_the_real_child_learns_a_few_steps(dataset: Project, using: Callable[[Project], Project]) -> None:
    events: list[dict] = []

    def note(progress: Progress) -> None:
        if isinstance(progress.value, dict):
            events.append(progress.value)

    result = run_job(fit(using(dataset), TrainRequest(steps=3, threads=1, device="cpu")), note)
    assert (result.version, result.used, result.steps, result.previous) == ("quick-2", True, 3, "start-1")
    model = Models(dataset).version("quick-2")
    assert model is not None
    assert (model.card["parent"], model.card["partial"], model.card["recipe"]) == ("start-1", False, "quick")
    assert model.card["learnt_from"]["images"] == 3
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "done"


def test_a_version_is_known_to_have_learnt_from_the_images_of_its_run(
    dataset: Project, using: Callable[[Project], Project], learning: Callable[..., Job[TrainResult]]
) -> None:
    version = run_job(learning(using(dataset), "good")).version
    learnt = [dataset.catalogue.agreement.learnt(version, image_id) for image_id in ("p00", "p02", "p03")]
    assert learnt == [0, 0, None]
    assert dataset.catalogue.agreement.learnt("start-1", "p00") is None
