"""Learnings that were stopped or cut off, and what goes wrong around one: what is kept, and what is said."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.jobs.job import Job
from app.services import LearningFailed, Models, Progress, Refusal, TrainRequest, fit, learning, open_project
from app.services import run as run_job
from app.services.learning import TrainResult
from app.services.run_folder import Run
from app.services.runs import prepare
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import write_voc

SCRIPT = Path(__file__).with_name("fake_fit.py")
Starts = Callable[[str], "Job[TrainResult]"]


@pytest.fixture
def project(dataset: Project, files: Files) -> Project:
    """Three reviewed pictures, and a slim model in use."""
    models = Models(dataset)
    models.use(models.adopt(files.make_head("start"), name="start").version)
    return dataset


@pytest.fixture
def command(files: Files) -> Callable[[str], tuple[str, ...]]:
    return lambda behaviour: (sys.executable, str(SCRIPT), behaviour, str(files.make_head("learnt", seed=1)))


@pytest.fixture
def begin(project: Project, command: Callable[[str], tuple[str, ...]]) -> Starts:
    return lambda behaviour: fit(project, TrainRequest(), command=command(behaviour))


def _until(job: Job[TrainResult], event: str) -> Progress:
    return next(shown for shown in job if isinstance(shown.value, dict) and shown.value["event"] == event)


def _stop(job: Job[TrainResult]) -> None:
    _until(job, "progress")
    job.close()


def _versions(project: Project) -> list[tuple[str, bool]]:
    return [(model.version, model.card["partial"]) for model in Models(project).versions()]


def _in_use(project: Project) -> str:
    model = Models(project).in_use()
    assert model is not None
    return model.version


def _left(project: Project) -> set[str]:
    runs = project.root / ".atrous/runs"
    return {path.relative_to(folder).as_posix() for folder in runs.iterdir() for path in folder.rglob("*.*")}


def test_a_stopped_learning_is_kept_and_goes_on(
    project: Project, begin: Starts, command: Callable[[str], tuple[str, ...]]
) -> None:
    _stop(begin("kept and waits"))
    assert _versions(project) == [("start-1", False), ("quick-2", True)]
    stopped = learning.unfinished(project)
    assert stopped is not None
    assert (stopped.run.recipe, stopped.fraction, stopped.run.learnt) == ("quick", 0.62, ("p00", "p01", "p02"))
    left = _left(project)
    assert {"out/training.safetensors", "pictures/0.png", "truth/2.png", "train.txt", "job.json"} < left
    assert not left & {"out/head.safetensors", "features/0.npy"}
    assert stopped.bytes == sum(f.stat().st_size for f in stopped.run.folder.rglob("*") if f.is_file())
    job = learning.resume(project, stopped, command=command("kept and waits"))
    started = _until(job, "started").value
    assert isinstance(started, dict)
    assert started["resumed_step"] == 5
    result = run_job(job)
    assert (result.version, result.used, result.images) == ("quick-3", True, 3)
    assert _versions(project) == [("start-1", False), ("quick-2", True), ("quick-3", False)]
    assert _left(project) == {"job.json", "stderr.txt"}
    assert learning.unfinished(project) is None
    learnt = [project.catalogue.agreement.learnt(version, "p00") for version in ("quick-2", "quick-3")]
    assert learnt == [0, 0]


def test_a_child_that_is_killed_can_go_on_too(project: Project, begin: Starts) -> None:
    with pytest.raises(LearningFailed, match=r"signal 9.*what was learnt so far is quick-2, marked partial"):
        run_job(begin("kept and killed"))
    assert learning.unfinished(project) is not None
    assert (_versions(project)[-1], _in_use(project)) == (("quick-2", True), "start-1")


def test_a_disk_that_fills_up_during_a_learning_is_said_and_it_can_go_on_once_there_is_room(
    project: Project, begin: Starts, command: Callable[[str], tuple[str, ...]]
) -> None:
    with pytest.raises(LearningFailed, match=r"No space left on device; the model in use stays as it was.*quick-2"):
        run_job(begin("kept and full"))
    assert (_versions(project)[-1], _in_use(project)) == (("quick-2", True), "start-1")
    stopped = learning.unfinished(project)
    assert stopped is not None
    assert run_job(learning.resume(project, stopped, command=command("fine"))).version == "quick-3"


def test_what_was_learnt_when_the_power_went_is_taken_in_and_goes_on(
    tmp_path: Path, files: Files, command: Callable[[str], tuple[str, ...]]
) -> None:
    root = write_voc(tmp_path / "V", 4, 3)
    project = open_project(root)
    models = Models(project)
    models.use(models.adopt(files.make_head("start"), name="start").version)
    project.close()
    words = command("kept and waits")
    cut_off = multiprocessing.get_context("spawn").Process(target=_learn_and_die, args=(root, words))
    cut_off.start()
    cut_off.join()
    assert cut_off.exitcode == -signal.SIGKILL
    moved = root.rename(tmp_path / "moved since")
    project = open_project(moved)
    assert _versions(project) == [("start-1", False)]
    stopped = run_job(learning.recover(project))
    assert stopped is not None
    assert _versions(project)[1:] == [("quick-2", True)]
    run_job(learning.recover(project))
    assert len(_versions(project)) == 2
    Models(project).rename("start-1", "old")
    Models(project).use("quick-2")
    Models(project).delete("old")
    result = run_job(learning.resume(project, stopped, command=command("kept and waits")))
    assert (result.version, _in_use(project)) == ("quick-3", "quick-3")
    project.close()


def _learn_and_die(root: Path, command: tuple[str, ...]) -> None:
    job = fit(open_project(root), TrainRequest(), command=command)
    _until(job, "progress")
    os.kill(os.getpid(), signal.SIGKILL)


def test_only_the_newest_is_kept_and_it_can_be_dropped(project: Project, begin: Starts) -> None:
    _stop(begin("kept and waits"))
    _stop(begin("kept and waits"))
    stopped = learning.unfinished(project)
    assert stopped is not None
    assert len(list(project.root.glob(".atrous/runs/*/pictures"))) == 1
    learning.drop(project)
    assert learning.unfinished(project) is None
    assert _left(project) == {"job.json", "stderr.txt"}
    with pytest.raises(Refusal, match="no longer there: start a new one"):
        run_job(learning.resume(project, stopped))
    assert _versions(project)[1:] == [("quick-2", True), ("quick-3", True)]


def test_a_learning_that_ends_or_never_got_far_leaves_nothing_to_go_on_with(project: Project, begin: Starts) -> None:
    _stop(begin("kept and waits"))
    run_job(begin("fine"))
    assert learning.unfinished(project) is None
    _stop(begin("waits"))
    assert learning.unfinished(project) is None
    assert _left(project) == {"job.json", "stderr.txt"}


@pytest.mark.parametrize("harm", ["run.json", "out/training.safetensors"])
def test_a_damaged_run_is_not_offered(project: Project, begin: Starts, harm: str) -> None:
    _stop(begin("kept and waits"))
    (run,) = project.root.glob(".atrous/runs/*/")
    (run / harm).write_bytes(b"rubbish")
    assert learning.unfinished(project) is None


def test_the_weights_to_start_from_are_in_the_folder(project: Project) -> None:
    from core_model.job import Job as ChildsJob

    run = run_job(prepare(project, TrainRequest()))
    assert Run.read(run.folder) == run
    Models(project).rename("start-1", "old")
    (kept,) = project.backbone_dir.iterdir()
    kept.unlink()
    moved = run.folder.rename(project.root.parent / "job")
    job = ChildsJob.read(moved)
    assert job.head is not None
    assert (job.head.is_file(), job.backbone.is_file(), job.head.stem) == (True, True, "start-1")


def test_a_second_learning_is_refused_and_leaves_the_first_alone(project: Project, begin: Starts) -> None:
    first = begin("waits")
    _until(first, "progress")
    before = _left(project)
    for second in (begin("fine"), begin("waits")):
        with pytest.raises(Refusal, match=rf"a learning is under way .*process {os.getpid()}"):
            next(second)
    with pytest.raises(Refusal, match="a learning is under way"):
        learning.drop(project)
    assert run_job(learning.recover(project)) is None
    assert _left(project) == before
    first.close()
    assert run_job(begin("fine")).used


def test_another_process_cannot_learn_in_the_same_project(
    project: Project, begin: Starts, command: Callable[[str], tuple[str, ...]]
) -> None:
    first = begin("waits")
    _until(first, "progress")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        said = pool.apply(_refused, (project.root, command("fine")))
    assert f"process {os.getpid()}" in said
    first.close()


def _refused(root: Path, command: tuple[str, ...]) -> str:
    project = open_project(root)
    try:
        run_job(fit(project, TrainRequest(), command=command))
    except Refusal as refusal:
        return str(refusal)
    finally:
        project.close()
    return "nothing"


@pytest.mark.parametrize("what", ["pictures/1.png", "run.json", "start/start-1.safetensors"])
def test_a_disk_that_fills_up_while_preparing_is_said(
    project: Project, begin: Starts, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill_up(monkeypatch, what)
    with pytest.raises(Refusal, match=r"no space left on device\): make room; nothing was learnt"):
        run_job(begin("fine"))
    monkeypatch.undo()
    assert (_left(project), _versions(project)) == (set(), [("start-1", False)])
    assert run_job(begin("fine")).used


def test_a_preparation_that_fails_leaves_what_was_stopped(
    project: Project, begin: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop(begin("kept and waits"))
    before = learning.unfinished(project)
    assert before is not None
    with monkeypatch.context() as patch:
        _fill_up(patch, "run.json")
        with pytest.raises(Refusal, match="could not be written"):
            run_job(begin("fine"))
    assert learning.unfinished(project) == before


def _fill_up(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """No room for files of that name."""
    opened = Path.open

    def full(path: Path, mode: str = "r", *more: object, **named: object) -> object:
        if "w" in mode and path.parent.name in what and path.name == Path(what).name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode, *more, **named)  # type: ignore[arg-type, call-overload]

    def no_room(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    if what == "run.json":
        monkeypatch.setattr("app.services.run_folder.atomic.write", no_room)
    if what.startswith("start"):
        monkeypatch.setattr("app.services.runs.os.link", no_room)
        monkeypatch.setattr("app.services.runs.copy_whole", no_room)


def test_a_child_that_cannot_be_started_is_said(project: Project) -> None:
    with pytest.raises(LearningFailed, match=r"could not be started .no such file.*the model in use stays as it was"):
        run_job(fit(project, TrainRequest(), command=("/nowhere/python",)))
    assert _in_use(project) == "start-1"


@pytest.mark.parametrize("behaviour", ["moves", "moves and fails"])
def test_a_project_that_is_moved_during_the_learning(
    tmp_path: Path, files: Files, command: Callable[[str], tuple[str, ...]], behaviour: str
) -> None:
    project = open_project(write_voc(tmp_path / "V", 4, 3))
    models = Models(project)
    models.use(models.adopt(files.make_head("start"), name="start").version)
    with pytest.raises(LearningFailed, match="V is no longer there: it was moved or deleted during the learning"):
        run_job(fit(project, TrainRequest(), command=command(f"kept and {behaviour}")))
    project.close()
    assert not (tmp_path / "V").exists()
    moved = open_project(tmp_path / "elsewhere")
    assert run_job(learning.recover(moved)) is not None
    assert (_in_use(moved), len(_versions(moved))) == ("start-1", 2)
    moved.close()


def test_weights_that_found_no_room_are_taken_in_later(
    project: Project, begin: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Models, "adopt", full)
        with pytest.raises(LearningFailed, match="the next start takes it in"):
            run_job(begin("fine"))
    run_job(learning.recover(project))
    assert _versions(project)[1:] == [("quick-2", False)]
    assert _left(project) == {"job.json", "stderr.txt"}
    assert json.loads((next(project.root.glob(".atrous/runs/*")) / "job.json").read_text())["recipe"] == "quick"
