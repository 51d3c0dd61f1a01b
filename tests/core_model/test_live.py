"""The live child as its parent sees it: commands in, events out, over real pipes."""

from __future__ import annotations

import io
import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core_model import Predictor, file_sha256, load_backbone, load_head, read_card
from core_model.cells import Cells
from core_model.commands import Command, Forget, NewClasses, Pause, Rubbish, Stop, Update, command_of
from core_model.events import Events
from core_model.fit import live
from core_model.heads import LinearHead
from core_model.job import Job
from core_model.linear import LinearSettings, learn
from core_model.reservoir import Reservoir
from tests.core_model.job_folder import ROOT, backbone, scene, write_job

Event = dict[str, Any]
WAIT = 60.0  # seconds for anything that has to happen; nothing is ever that slow unless it is broken


class Child:
    """A live child and the parent's end of its pipes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.revision = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "core_model.fit", str(folder), "--live"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.events: Queue[Event | None] = Queue()
        self.seen: list[Event] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.put(json.loads(line))
        self.events.put(None)

    def until(self, kind: str, holds: Callable[[Event], object] = lambda _event: True) -> Event:
        """The next event of a kind of which something holds; fails when the child ends before."""
        while (event := self.events.get(timeout=WAIT)) is not None:
            self.seen.append(event)
            if event["event"] == kind and holds(event):
                return event
        raise AssertionError(f"no {kind}: {self.seen[-3:]} {self.errors()}")

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def tell(self, command: str, **fields: object) -> None:
        self.write(json.dumps({"command": command, **fields}).encode())

    def update(self, image_id: str, rgb: NDArray[np.uint8], truth: NDArray[np.uint8]) -> int:
        """Sends a picture; gives its revision."""
        self.revision += 1
        name = f"{image_id}-{self.revision}.png"
        cv2.imwrite(str(self.folder / "pictures" / name), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(self.folder / "truth" / name), truth)
        files = {"picture": f"pictures/{name}", "truth": f"truth/{name}"}
        self.tell("update", id=image_id, revision=self.revision, **files)
        return self.revision

    def learnt(self, image_id: str, revision: int) -> Event:
        """Waits for a head that holds a picture."""
        return self.until("published", lambda event: event["revisions"].get(image_id) == revision)

    def learn_for_ever(self) -> None:
        while True:
            self.learnt("a", self.update("a", *scene(self.revision)))

    def end(self) -> int:
        """Closes its stdin and waits; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(WAIT)

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode() if self.process.poll() is not None else ""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def begin(**changes: Any) -> Child:
        folder = tmp_path / "job"
        if not folder.exists():
            write_job(folder, train=0, held_out=0, recipe="linear", steps=None, **changes)
        made.append(Child(folder))
        return made[-1]

    yield begin
    for child in made:
        child.close()


def accuracy(head: str, number: int) -> float:
    rgb, truth = scene(number)
    eyes = Predictor(load_backbone(backbone()), "cpu", threads=1)
    labels = eyes.predict(eyes.features(rgb), load_head(head), truth.shape).labels
    return float((labels == truth)[truth != 255].mean())


def held(folder: Path, reads: tuple[str, ...]) -> dict[str, int]:
    """What the reservoir on disk holds."""
    return Reservoir(folder / "cells", file_sha256(backbone()), reads).revisions


def test_an_update_is_learnt_published_and_scored_before_it_is_learnt(start: Callable[..., Child]) -> None:
    child = start()
    assert child.until("started")["revisions"] == {}
    assert child.until("paused")["why"] == "nothing to learn from"
    first = child.learnt("a", child.update("a", *scene(0)))
    assert accuracy(first["path"], 9) > 0.85
    card = read_card(first["path"])
    assert (card.partial, card.head, card.notes["live"], card.learnt_from["images"]) == (True, "linear", True, 1)
    assert (card.classes, card.backbone) == (("ground", "disc"), file_sha256(backbone()))
    child.learnt("b", child.update("b", *scene(1)))
    assert next(event for event in child.seen if event["event"] == "scores")["id"] == "b"
    assert child.until("paused")["why"] == "nothing improves"
    child.tell("stop")
    assert child.until("done")["partial"]
    assert child.process.wait(WAIT) == 0
    assert child.errors() == ""


def test_what_is_forgotten_is_in_neither_reservoir_nor_head(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start()
    rgb, truth = scene(0)
    child.learnt("right", child.update("right", rgb, truth))
    wrong = np.where(truth == 255, 255, 1 - truth).astype(np.uint8)
    both = child.learnt("wrong", child.update("wrong", rgb, wrong))
    reads = read_card(both["path"]).reads
    child.tell("forget", id="wrong", revision=2)
    after = child.until("published", lambda event: set(event["revisions"]) == {"right"})
    assert accuracy(after["path"], 0) > 0.95
    assert set(held(tmp_path / "job", reads)) == {"right"}
    child.tell("forget", id="right", revision=1)
    assert child.until("paused", lambda event: event["why"] != "nothing improves")["why"] == "nothing to learn from"


def test_a_correction_replaces_what_was_learnt(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start()
    rgb, truth = scene(0)
    child.learnt("a", child.update("a", rgb, np.where(truth == 255, 255, 1 - truth).astype(np.uint8)))
    child.learnt("a", child.update("a", rgb, truth))
    child.until("paused")
    path = tmp_path / "job" / "out" / "head.safetensors"
    assert accuracy(str(path), 0) > 0.95
    assert held(tmp_path / "job", read_card(path).reads) == {"a": 2}


def test_it_goes_on_from_the_reservoir_after_a_restart(start: Callable[..., Child]) -> None:
    child = start()
    child.learnt("a", child.update("a", *scene(0)))
    assert child.end() == 0
    again = start()
    assert again.until("started")["revisions"] == {"a": 1}
    assert accuracy(again.learnt("a", 1)["path"], 9) > 0.85


def test_the_end_of_stdin_ends_it(start: Callable[..., Child]) -> None:
    child = start()
    child.until("paused")
    assert child.end() == 0
    child.until("done")


@pytest.mark.slow
def test_the_head_is_whole_whenever_it_is_killed(start: Callable[..., Child], tmp_path: Path) -> None:
    dice, revision, path = random.Random(0), 0, tmp_path / "job" / "out" / "head.safetensors"
    for _ in range(4):
        child = start()
        child.revision = revision
        child.learnt("a", child.update("a", *scene(revision)))
        killer = threading.Timer(dice.uniform(0.0, 0.7), child.process.kill)
        killer.start()
        with pytest.raises((AssertionError, BrokenPipeError)):
            child.learn_for_ever()
        killer.join()
        assert child.process.wait(WAIT) == -signal.SIGKILL
        assert load_head(path).card is not None
        revision = child.revision
    last = start()
    last.revision = revision
    last.learnt("a", last.update("a", *scene(0)))
    assert not list(path.parent.glob(".*.part"))


@pytest.mark.slow
def test_the_quick_head_goes_on_whenever_it_is_killed(start: Callable[..., Child], tmp_path: Path) -> None:
    dice, job = random.Random(1), tmp_path / "job"
    child = start()
    for number in range(6):
        child.update(f"p{number}", *scene(number))
    for life in range(4):
        child.until("progress", lambda event: event.get("head") == "quick")
        killer = threading.Timer(dice.uniform(0.0, 1.0), child.process.kill)
        killer.start()
        with pytest.raises(AssertionError):
            child.until("failed")
        killer.join()
        assert child.process.wait(WAIT) == -signal.SIGKILL
        assert load_head(job / "out" / "head.safetensors").card is not None
        child = start()
        child.revision = 10 * (life + 1)
        known = child.until("started")["revisions"]
        assert set(known) == {f"p{number}" for number in range(6)}
        child.update(f"p{life}", *scene(life))
    child.until("progress", lambda event: event.get("head") == "quick")
    assert child.end() == 0
    assert not [*job.glob(".*.part"), *job.glob("*/.*.part")]


def test_rubbish_is_a_warning_and_it_goes_on(start: Callable[..., Child]) -> None:
    child = start()
    for line in (b"\xff\xfe{", b"[1, 2]", b"{}", b'{"command": "dance"}', b'{"command": "update", "id": 3}'):
        child.write(line)
        assert "not a command" in child.until("warning")["text"]
    child.tell("classes", revision=1, classes=[])
    assert "not a command" in child.until("warning")["text"]
    child.learnt("a", child.update("a", *scene(0)))


def test_a_picture_that_cannot_be_read_is_a_warning_by_its_name(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start()
    child.tell("update", id="gone", revision=1, picture="pictures/no.png", truth="truth/no.png")
    assert child.until("warning")["id"] == "gone"
    (tmp_path / "job" / "pictures" / "bad.png").write_bytes(b"no picture")
    child.tell("update", id="bad", revision=1, picture="pictures/bad.png", truth="truth/bad.png")
    assert "is not a picture, or is damaged" in child.until("warning")["text"]
    child.tell("update", id="out", revision=1, picture="../../etc/x.png", truth="truth/bad.png")
    assert "do not lie in the job's folder" in child.until("warning")["text"]
    child.update("strange", scene(0)[0], np.full((65, 65), 7, np.uint8))
    assert "holds class 7, and there are only 2" in child.until("warning")["text"]
    child.learnt("a", child.update("a", *scene(0)))


def test_odd_pictures(start: Callable[..., Child]) -> None:
    child = start(classes=["ground"])
    rgb, truth = scene(0)
    child.update("void", rgb, np.full_like(truth, 255))
    child.until("progress", lambda event: event.get("id") == "void")
    child.learnt("dot", child.update("dot", np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)))
    only = child.learnt("one class", child.update("one class", rgb, np.where(truth == 1, 255, 0).astype(np.uint8)))
    assert set(only["revisions"]) == {"dot", "one class"}
    assert read_card(only["path"]).classes == ("ground",)


def test_classes_come_and_go_and_change_their_names(start: Callable[..., Child]) -> None:
    child = start()
    child.learnt("a", child.update("a", *scene(0)))
    child.until("paused")
    child.tell("classes", revision=1, classes=["sky", "ball", "ground"], renamed={"disc": "ball"})
    new = child.until("published", lambda event: event["classes_revision"] == 1)
    assert read_card(new["path"]).classes == ("sky", "ball", "ground")
    eyes = Predictor(load_backbone(backbone()), "cpu", threads=1)
    rgb, truth = scene(9)
    labels = eyes.predict(eyes.features(rgb), load_head(new["path"]), (65, 65)).labels
    assert float((labels == 2 - truth)[truth != 255].mean()) > 0.85
    child.tell("classes", revision=2, classes=["sky"])
    assert child.until("paused", lambda event: "improves" not in event["why"])["why"] == "nothing to learn from"


def test_while_it_is_paused_it_takes_pictures_in_and_learns_none(start: Callable[..., Child]) -> None:
    child = start()
    child.tell("pause")
    assert child.until("paused", lambda event: event["why"] == "asked")
    revision = child.update("a", *scene(0))
    child.tell("dance")
    child.until("warning")
    assert not [event for event in child.seen if event["event"] in ("published", "progress")]
    child.tell("resume")
    child.learnt("a", revision)


@pytest.mark.parametrize("changes", [{"classes": []}, {"recipe": "quick"}, {"variant": "xception"}])
def test_what_cannot_be_learnt_live_is_one_line(start: Callable[..., Child], tmp_path: Path, changes: Any) -> None:
    write_job(tmp_path / "job", train=0, held_out=0, **{"recipe": "linear", "steps": None, **changes})
    child = start()
    assert child.until("failed")["text"]
    assert child.process.wait(WAIT) == 1


class Script:
    """Stands for the inbox: one picture, and the end once there is nothing to do."""

    def __init__(self) -> None:
        self.commands: list[Command] = [Update("a", 1, "pictures/0.png", "truth/0.png")]

    def take(self, *, wait: bool) -> list[Command]:
        commands, self.commands = self.commands, []
        return commands or ([Stop()] if wait else [])


@pytest.mark.parametrize(("failures", "published"), [(1, True), (99, False)])
def test_weights_that_are_no_numbers_are_rolled_back_and_learnt_more_carefully(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, published: bool
) -> None:
    decays = []

    def shaky(head: LinearHead, cells: Cells, settings: LinearSettings, *rest: Any) -> None:
        decays.append(settings.decay)
        if len(decays) <= failures:
            raise FloatingPointError("the loss is nan")
        learn(head, cells, settings, *rest)

    monkeypatch.setattr("core_model.live.linear.learn", shaky)
    job = write_job(tmp_path / "job", train=1, held_out=0, recipe="linear", steps=None)
    stream = io.StringIO()
    live(Job.read(job), Events(stream), Script())  # type: ignore[arg-type]
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert decays[1] == 2 * decays[0]
    assert ("published" in [event["event"] for event in events]) == published
    assert "does not settle" in next(event["text"] for event in events if event["event"] == "warning")
    assert events[-1]["event"] == "done"
    assert (job / "out" / "head.safetensors").exists() == published


def test_commands_are_read_line_by_line() -> None:
    files = {"picture": "pictures/a.png", "truth": "truth/a.png"}
    line = json.dumps({"command": "update", "id": "a/ü", "revision": 3, **files}).encode()
    assert command_of(line) == Update("a/ü", 3, "pictures/a.png", "truth/a.png")
    held_out = json.dumps({"command": "update", "id": "a", "revision": 3, **files, "held_out": True}).encode()
    assert command_of(held_out) == Update("a", 3, "pictures/a.png", "truth/a.png", held_out=True)
    assert command_of(b'{"command": "forget", "id": "a", "revision": 4}') == Forget("a", 4)
    renamed = b'{"command": "classes", "revision": 1, "classes": ["a", "b"], "renamed": {"c": "b"}}'
    assert command_of(renamed) == NewClasses(1, ("a", "b"), {"c": "b"})
    assert command_of(b'{"command": "pause", "revision": 9}') == Pause()
    asked = json.dumps({"command": "update", "id": "a", "revision": 3, **files, "held_out": "no"}).encode()
    for bad in (
        asked,
        b'{"command": "classes", "revision": 1, "classes": ["a", "a"]}',
        b"null",
        b'{"command": ["stop"]}',
    ):
        assert isinstance(command_of(bad), Rubbish)
