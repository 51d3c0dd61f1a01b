"""Live learning from the project's side: what the child is told, and what becomes of its heads."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.agreement import Agreement, Confusion
from app.domain.classes import Classes
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.jobs.job import Job, Progress, run
from app.services import editing, reviewing
from app.services.errors import Refusal
from app.services.learning import LearningFailed
from app.services.live import LiveLearner, LiveState
from app.services.models import Models
from app.services.slot import LiveHead, keep_version
from app.storage.agreement import ScoreRecord
from app.storage.project import Project
from tests.services.conftest import Files

FAKE = Path(__file__).with_name("fake_live.py")


class Watched:
    """A live learner whose job the test takes on step by step."""

    def __init__(self, project: Project, command: tuple[str, ...]) -> None:
        self.learner = LiveLearner(project, threads=1, command=command)
        self.job: Job[None] = self.learner.run()
        self.seen: list[Progress] = []

    def until(self, holds: Callable[[Progress], object]) -> Progress:
        """Goes on until something holds of what is reported."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.seen.append(next(self.job))
            if holds(self.seen[-1]):
                return self.seen[-1]
        raise AssertionError(self.seen[-5:])

    def head(self) -> LiveHead:
        found = self.until(lambda progress: isinstance(progress.value, LiveHead)).value
        assert isinstance(found, LiveHead)
        return found

    def look(self) -> None:
        self.learner.look()


Start = Callable[..., Watched]


@pytest.fixture
def start(project: Project, files: Files, tmp_path: Path) -> Iterator[Start]:
    made: list[Watched] = []

    def begin(behaviour: str = "good") -> Watched:
        head = files.make_head("live head", partial=True, recipe="linear")
        fake = (sys.executable, str(FAKE), behaviour, str(head), str(tmp_path / "log"))
        made.append(Watched(project, fake))
        return made[-1]

    yield begin
    for each in made:
        each.job.close()


@pytest.fixture(autouse=True)
def _backbone(monkeypatch: pytest.MonkeyPatch, files: Files) -> None:
    monkeypatch.setattr("app.services.live.starting_backbone", lambda _project: (files.backbone, "xception_slim"))


def heard(tmp_path: Path) -> list[dict[str, object]]:
    log = tmp_path / "log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def review(project: Project, image_id: str) -> int:
    """Paints a little and reviews; gives the revision."""
    document = editing.load(project, image_id)
    document.begin("Brush")
    document.paint(Rect(5, 5, 10, 10), np.ones((10, 10), bool), Label(1))
    document.commit()
    reviewing.review(project, document)
    return document.sequence


def names(project: Project) -> list[str]:
    return sorted(model.version for model in Models(project).versions())


def test_the_child_leaves_a_core_to_the_window(project: Project) -> None:
    job = LiveLearner(project, command=(sys.executable, str(FAKE), "good", "none", str(project.root / "log"))).run()
    next(job)
    job.close()
    said = json.loads((project.root / ".atrous" / "live" / "job.json").read_text())
    assert said["threads"] == max(1, (os.cpu_count() or 1) - 1)


def test_a_reviewed_picture_is_told_and_the_first_head_predicts(project: Project, start: Start, tmp_path: Path) -> None:
    live = start()
    live.until(lambda progress: isinstance(progress.value, LiveState))
    revision = review(project, "p00")
    live.look()
    head = live.head()
    assert (head.model.version, head.used) == ("live", True)
    assert Models(project).in_use() == head.model
    update = heard(tmp_path)[0]
    assert (update["command"], update["id"], update["revision"]) == ("update", "p00", revision)
    state = live.until(lambda progress: isinstance(progress.value, LiveState) and progress.value.images == 1).value
    assert isinstance(state, LiveState)
    assert state.waiting == 0
    assert state.seconds is not None
    assert project.catalogue.agreement.learnt("live", "p00") == revision
    live.until(lambda progress: progress.value is None)
    assert not list((project.root / ".atrous" / "live").glob("*/*.png"))  # what has been looked at goes


def test_what_is_taken_back_is_forgotten_and_a_correction_is_told_again(
    project: Project, start: Start, tmp_path: Path
) -> None:
    live = start()
    first = review(project, "p00")
    live.head()
    document = editing.load(project, "p00")
    reviewing.unreview(document)
    live.look()
    live.head()
    assert [(c["command"], c["revision"]) for c in heard(tmp_path)] == [("update", first), ("update", first + 1)]
    reviewing.skip(project, document)
    live.look()
    live.head()
    assert heard(tmp_path)[-1] == {"command": "forget", "id": "p00", "revision": first + 1}


def test_what_it_knew_before_and_is_no_more_is_forgotten(start: Start, tmp_path: Path) -> None:
    live = start("remembers")
    live.head()
    assert heard(tmp_path) == [{"command": "forget", "id": "gone", "revision": 5}]


def test_a_head_of_another_kind_stays_in_use(project: Project, files: Files, start: Start) -> None:
    models = Models(project)
    models.use(models.adopt(files.make_head("other"), files.backbone, name="quick").version)
    live = start()
    review(project, "p00")
    assert not live.head().used
    used = models.in_use()
    assert used is not None
    assert used.version == "quick-1"
    assert names(project) == ["live", "quick-1"]


def test_a_live_head_that_leads_over_several_pictures_takes_over_once(
    project: Project, files: Files, start: Start
) -> None:
    models = Models(project)
    models.use(models.adopt(files.make_head("other"), files.backbone, name="quick").version)
    live = start("leads")
    for number in range(3):
        image_id = f"p{number:02}"
        every = Confusion({(1, 1): 80, (1, 2): 20})
        record = ScoreRecord(image_id, "quick-1", review(project, image_id), False, Agreement(every, every))
        project.catalogue.agreement.put(record)
        live.look()
        head = live.head()
        assert head.used == (number == 2)
    assert head.lead == pytest.approx(0.1)  # of the linear head, which is in the slot
    models.go_back()
    review_again = editing.load(project, "p00")
    reviewing.unreview(review_again)
    live.look()
    assert not live.head().used


def test_what_counts_is_the_kind_of_head_that_is_in_the_slot(project: Project, files: Files, start: Start) -> None:
    models = Models(project)
    models.use(models.adopt(files.make_head("other"), files.backbone, name="full").version)
    live = start("quick")
    for number in range(3):
        image_id = f"p{number:02}"
        every = Confusion({(1, 1): 80, (1, 2): 20})
        record = ScoreRecord(image_id, "full-1", review(project, image_id), False, Agreement(every, every))
        project.catalogue.agreement.put(record)
        live.look()
        head = live.head()
    assert head.used
    assert head.lead == pytest.approx(0.15)
    live.until(lambda progress: isinstance(progress.value, LiveState) and progress.value.images == 3)
    assert live.learner.state.head == "quick"


def test_the_slot_is_overwritten_and_a_version_is_kept_of_it_on_request(project: Project, start: Start) -> None:
    with pytest.raises(Refusal, match="review a picture first"):
        run(keep_version(project))
    live = start()
    review(project, "p00")
    live.head()
    kept = run(keep_version(project))
    assert (kept.version, kept.card["partial"]) == ("live-1", False)
    review(project, "p01")
    live.look()
    assert live.head().used
    assert names(project) == ["live", "live-1"]
    assert project.catalogue.agreement.learnt("live-1", "p00") is not None
    assert project.catalogue.agreement.learnt("live-1", "p01") is None


def test_a_renamed_class_is_told_before_anything_else(project: Project, start: Start, tmp_path: Path) -> None:
    live = start()
    review(project, "p00")
    live.head()
    classes = project.settings.classes
    changed = Classes(tuple(replace(label, name="crate") if label.name == "box" else label for label in classes))
    project.save_settings(replace(project.settings, classes=changed))
    review(project, "p01")
    live.look()
    live.until(lambda _progress: len(heard(tmp_path)) == 3)
    told = heard(tmp_path)[1]
    assert (told["command"], told["classes"]) == ("classes", ["background", "crate", "disc"])
    assert dict(told["renamed"])["box"] == "crate"  # type: ignore[call-overload]
    assert heard(tmp_path)[2]["command"] == "update"


def test_pause_and_resume_are_passed_on_and_nothing_is_sent_between(
    project: Project, start: Start, tmp_path: Path
) -> None:
    live = start()
    live.learner.pause(True)
    review(project, "p00")
    live.until(lambda _progress: heard(tmp_path))
    assert heard(tmp_path) == [{"command": "pause"}]
    live.learner.pause(False)
    live.head()
    assert [command["command"] for command in heard(tmp_path)] == ["pause", "resume", "update"]


def test_held_out_pictures_are_sent_last_and_do_not_count_as_learnt(
    project: Project, start: Start, tmp_path: Path
) -> None:
    project.catalogue.set_split(["p00"], "val")
    live = start()
    review(project, "p00")
    review(project, "p01")
    live.head()
    live.until(lambda _progress: len(heard(tmp_path)) == 2)
    assert [(c["id"], c["held_out"]) for c in heard(tmp_path)] == [("p01", False), ("p00", True)]
    live.head()
    assert project.catalogue.agreement.learnt("live", "p00") is None
    state = live.until(lambda progress: isinstance(progress.value, LiveState)).value
    assert isinstance(state, LiveState)
    assert (state.images, state.waiting) == (1, 0)


def test_what_is_kept_back_and_not_reviewed_is_not_sent(project: Project, start: Start, tmp_path: Path) -> None:
    project.catalogue.set_split(["p00"], "val")
    live = start()
    review(project, "p00")
    reviewing.unreview(editing.load(project, "p00"))
    review(project, "p01")
    live.head()
    live.learner.pause(True)
    live.until(lambda _progress: heard(tmp_path)[-1]["command"] == "pause")
    assert [c["id"] for c in heard(tmp_path)[:-1]] == ["p01"]


def test_a_picture_that_becomes_held_out_is_told_after_what_is_new_is_published(
    project: Project, start: Start, tmp_path: Path
) -> None:
    live = start()
    review(project, "p00")
    live.head()
    project.catalogue.set_split(["p00"], "val")
    review(project, "p01")
    live.look()
    live.head()
    assert [c["id"] for c in heard(tmp_path)] == ["p00", "p01"]
    live.head()  # at once, and without being told to look again
    last = heard(tmp_path)[-1]
    assert (last["command"], last["id"], last["held_out"]) == ("update", "p00", True)


def test_only_so_many_held_out_pictures_are_sent(
    project: Project, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.live._HELD_OUT", 1)
    project.catalogue.set_split(["p00", "p01"], "val")
    live = start()
    for image_id in ("p00", "p01", "p02"):
        review(project, image_id)
    live.head()
    live.head()
    live.learner.pause(True)
    live.until(lambda _progress: heard(tmp_path)[-1]["command"] == "pause")
    assert sorted(c["held_out"] for c in heard(tmp_path)[:-1]) == [False, True]


def test_another_backbone_in_use_starts_the_child_again(
    project: Project, files: Files, start: Start, tmp_path: Path
) -> None:
    live = start()
    review(project, "p00")
    live.head()
    models = Models(project)
    same = models.adopt(files.make_head("same backbone"), files.backbone, name="quick")
    models.use(same.version)
    live.look()
    review(project, "p01")
    live.look()
    live.head()
    assert [command["id"] for command in heard(tmp_path)] == ["p00", "p01"]
    moved = models.adopt(*_on_another_backbone(tmp_path, files), name="full")
    models.use(moved.version)
    live.look()
    live.until(lambda progress: isinstance(progress.value, LiveState) and progress.value.doing == "starting")
    job = json.loads((project.root / ".atrous" / "live" / "job.json").read_text())
    assert Path(job["backbone"]) == moved.backbone
    live.until(lambda _progress: len(heard(tmp_path)) == 4)
    assert {command["id"] for command in heard(tmp_path)[2:]} == {"p00", "p01"}  # it has to see all of them again


def _on_another_backbone(folder: Path, files: Files) -> tuple[Path, Path]:
    from core_model import VARIANTS, Card, Xception, load_head, save_backbone, save_head

    backbone = folder / "another.safetensors"
    variant = VARIANTS["xception_slim"]
    sha256 = save_backbone(backbone, Xception(variant), Card("backbone", variant.name))
    head = load_head(files.make_head("to be moved"))
    assert head.card is not None
    save_head(folder / "moved.safetensors", head, replace(head.card, backbone=sha256))
    return folder / "moved.safetensors", backbone


@pytest.mark.parametrize(("behaviour", "words"), [("killed", "last words"), ("failed", "there is no GPU")])
def test_a_child_that_ends_says_why_and_changes_nothing(
    project: Project, start: Start, behaviour: str, words: str
) -> None:
    live = start(behaviour)
    review(project, "p00")
    with pytest.raises(LearningFailed, match=words):
        live.head()
    assert names(project) == []


def test_a_picture_that_it_cannot_take_is_named_and_not_sent_again(
    project: Project, start: Start, tmp_path: Path
) -> None:
    live = start("refuses")
    review(project, "p00")
    live.until(lambda progress: progress.text == "it is damaged")
    live.look()
    live.learner.pause(True)
    live.until(lambda _progress: len(heard(tmp_path)) == 2)
    assert [command["command"] for command in heard(tmp_path)] == ["update", "pause"]


def test_a_picture_that_is_gone_is_named(project: Project, start: Start) -> None:
    live = start()
    review(project, "p00")
    review(project, "p01")
    project.saver.flush()
    project.picture_path("p00").unlink()
    live.until(lambda progress: "p00 is not learnt" in progress.text)
    assert live.head().used


def test_closing_ends_the_child_at_once(project: Project, start: Start) -> None:
    live = start()
    review(project, "p00")
    live.head()
    live.job.close()
    assert not (project.root / ".atrous" / "live" / "pictures").exists()
    assert (project.root / ".atrous" / "live" / "job.json").exists()


@pytest.mark.parametrize("kept", ["cells", "features"])
def test_what_was_kept_of_a_class_that_has_lost_its_name_meanwhile_is_dropped(
    project: Project, start: Start, kept: str
) -> None:
    live = start()
    next(live.job)
    cells = project.root / ".atrous" / "live" / kept
    cells.mkdir()
    live.job.close()
    again = start()
    next(again.job)
    assert cells.exists()
    again.job.close()
    classes = Classes(tuple(replace(label, name=f"new {label.name}") for label in project.settings.classes))
    project.save_settings(replace(project.settings, classes=classes, unpainted="void"))
    next(start().job)
    assert not cells.exists()


def test_the_real_child_learns_a_picture(project: Project, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.services import model
    from app.services.child import COMMAND

    monkeypatch.setattr("app.services.live.starting_backbone", model.starting_backbone)
    watched = Watched(project, COMMAND)
    try:
        review(project, "p00")
        head = watched.head()
        assert head.used
        assert (head.model.card["head"], head.model.classes) == ("linear", ("background", "box", "disc"))
    finally:
        watched.job.close()
