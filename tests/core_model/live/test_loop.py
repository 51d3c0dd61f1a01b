"""The live child with both of its heads: order of work, which one predicts, forgetting, other classes, restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from core_model import load_head, read_card
from core_model.commands import Command, Forget, NewClasses, Pause, Resume
from core_model.live import Live, LiveLinear, LiveQuick
from core_model.live.descent import Slope
from core_model.live.scores import Scores
from core_model.quick import Quick
from tests.core_model.job_folder import write_job
from tests.core_model.live.script import FAST, Event, at_once, holds, pictures, play, said


def heads(events: list[Event]) -> list[str]:
    """Whose heads were published, without repetition."""
    all_of_them = [event["head"] for event in events if event["event"] == "published"]
    return [head for n, head in enumerate(all_of_them) if n == 0 or head != all_of_them[n - 1]]


@pytest.fixture
def quick_leads(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """Every comparison is won by the quick head, unless something else is put into the list."""
    results: list[dict[str, float]] = []

    def compare(self: Scores, *_: Any) -> Iterator[dict[str, tuple[float, float]]]:
        self._contest.held_out = 2
        yield {}
        yield {
            kind: (miou, 0.8) for kind, miou in (results.pop(0) if results else {"linear": 0.4, "quick": 0.5}).items()
        }

    monkeypatch.setattr(Scores, "compare", compare)
    return results


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order."""
    done: list[str] = []
    for owner, method, name in (
        (Live, "_look", "look"),
        (LiveLinear, "go_on", "linear"),
        (LiveQuick, "go_on", "quick"),
    ):
        original = getattr(owner, method)

        def noted(self: Any, *args: Any, original: Any = original, name: str = name) -> Any:
            done.append(name)
            return original(self, *args)

        monkeypatch.setattr(owner, method, noted)
    return done


def test_new_pictures_come_first_then_the_linear_head_then_quick(tmp_path: Path, work: list[str]) -> None:
    marks = []

    def after_some_steps(_events: list[Event]) -> bool:
        if work.count("quick") < 5:
            return False
        marks.append(len(work))
        return True

    again = said("published", revisions={"p0": 1, "p1": 1, "p2": 1})
    play(tmp_path / "job", (at_once, pictures(0, 1)), (after_some_steps, pictures(2)), (again, []))
    first = work.index("quick")
    assert set(work[:first]) == {"look", "linear"}
    assert work[:2] == ["look", "look"]
    told = marks[0]
    assert work[told - 1] == "quick"  # in the middle of it
    assert work[told : told + 2] == ["look", "linear"]


def test_the_quick_head_begins_with_enough_pictures(tmp_path: Path, work: list[str]) -> None:
    pace = replace(FAST, least=4)
    play(tmp_path / "job", (at_once, pictures(0, 1, 2)), (said("paused", images=3), []), pace=pace)
    assert "quick" not in work


def test_it_waits_when_nothing_improves_and_wakes_with_the_next_picture(tmp_path: Path, work: list[str]) -> None:
    marks = []

    def woken(_events: list[Event]) -> bool:
        return "quick" in work[marks[0] :]

    def asleep(events: list[Event]) -> bool:
        if not said("paused", why="nothing improves", images=2)(events) or "quick" not in work:
            return False
        marks.append(len(work))
        return True

    pace = replace(FAST, loss_gain=10.0, rounds=2)  # no round gains that much
    play(tmp_path / "job", (at_once, pictures(0, 1)), (asleep, pictures(2)), (woken, []), pace=pace)
    assert work[marks[0]] == "look"


def test_quick_takes_over_when_it_is_better_and_linear_takes_back(
    tmp_path: Path, quick_leads: list[dict[str, float]]
) -> None:
    quick_leads += [{"linear": 0.6, "quick": 0.5}, {"linear": 0.6, "quick": 0.7}, {"linear": 0.8, "quick": 0.7}]
    job = tmp_path / "job"
    cards = []

    def taken_over(events: list[Event]) -> bool:
        if heads(events) != ["linear", "quick"]:
            return False
        cards.append(read_card(job / "out" / "head.safetensors"))
        return True

    def back(events: list[Event]) -> bool:
        return heads(events) == ["linear", "quick", "linear"]

    events = play(job, (at_once, pictures(0, 1)), (taken_over, []), (back, []), pace=replace(FAST, rounds=99))
    card = cards[0]
    assert (card.recipe, card.head, card.notes["live"], card.partial) == ("quick", "aspp_linear", True, True)
    assert card.learnt_from["images"] == 2
    assert read_card(job / "out" / "head.safetensors").head == "linear"
    assert all(
        set(e["revisions"]) == {"p0", "p1"} for e in events if e["event"] == "published" and e["head"] == "quick"
    )


def test_a_new_picture_votes_as_soon_as_the_linear_head_has_learnt_it_and_is_drawn_next(
    tmp_path: Path, quick_leads: list[dict[str, float]], work: list[str]
) -> None:
    marks = []

    def marked(condition: Callable[[list[Event]], bool]) -> Callable[[list[Event]], bool]:
        def reached(events: list[Event]) -> bool:
            if not condition(events):
                return False
            marks.append(len(work))
            return True

        return reached

    def drawn(events: list[Event]) -> bool:
        last = [event for event in events if event["event"] == "published"][-1]
        return last["head"] == "quick" and work[marks[1] :].count("quick") > FAST.few

    events = play(
        tmp_path / "job",
        (at_once, pictures(0, 1)),
        (marked(holds(0, 1)), pictures(2)),
        (marked(holds(0, 1, 2)), []),
        (drawn, []),
    )
    assert work[marks[0] : marks[1]] == ["look", "linear"]
    published = [event["head"] for event in events if event["event"] == "published" and "p2" in event["revisions"]]
    assert set(published) == {"quick"}
    assert len(published) > 1
    scored = [event["head"] for event in events if event["event"] == "scores" and event.get("id") == "p2"]
    assert scored == ["linear", "quick"]  # both, before it was learnt


def test_somebody_who_waits_gets_what_there_is(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    pace = replace(FAST, few=10**9, hurry=0.1)
    play(tmp_path / "job", (at_once, pictures(0, 1)), (holds(0, 1), pictures(2)), (holds(0, 1, 2), []), pace=pace)


def test_a_quick_head_that_cannot_go_on_keeps_its_good_weights_and_hears_the_vote(
    tmp_path: Path, quick_leads: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def seated(events: list[Event]) -> bool:
        if not holds(0, 1)(events):
            return False
        monkeypatch.setattr(Quick, "loss", lambda self, _batch: sum(p.sum() for p in self.head.parameters()) * nan)
        return True

    def given_up(events: list[Event]) -> bool:
        return any("waits for the next correction" in event.get("text", "") for event in events)

    events = play(
        tmp_path / "job",
        (at_once, pictures(0, 1)),
        (seated, pictures(2)),
        (holds(0, 1, 2), []),
        (given_up, pictures(3)),
        (holds(0, 1, 2, 3), []),
        pace=replace(FAST, slope=Slope(rollbacks=1)),
    )
    assert heads(events) == ["linear", "quick"]
    assert all(
        bool(tensor.isfinite().all()) for tensor in load_head(tmp_path / "job/out/head.safetensors").parameters()
    )


def test_held_out_pictures_are_scored_and_never_learnt(tmp_path: Path) -> None:
    job = tmp_path / "job"
    both = [said("scores", images=2, head=head) for head in ("linear", "quick")]
    acts = (
        (at_once, [*pictures(8, 9, held_out=True), *pictures(0, 1)]),
        (lambda events: all(each(events) for each in both), []),
    )
    events = play(job, *acts, pace=replace(FAST, rounds=99))
    for event in events:
        if event["event"] == "published":
            assert set(event["revisions"]) <= {"p0", "p1"}
    assert set(read_card(job / "quick.safetensors").notes["held"]) == {"p0", "p1"}
    again = play(job, (at_once, []))[0]
    assert again["held_out_revisions"] == {"p8": 1, "p9": 1}
    assert again["revisions"] == {"p0": 1, "p1": 1}


def test_what_becomes_held_out_is_forgotten(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    job = tmp_path / "job"
    play(
        job,
        (at_once, pictures(0, 1, 2)),
        (holds(0, 1, 2), pictures(2, revision=2, held_out=True)),
        (lambda events: heads(events) == ["linear", "quick", "linear"], []),
    )
    card = read_card(job / "out" / "head.safetensors")
    assert card.learnt_from["images"] == 2
    assert play(job, (at_once, []))[0]["revisions"] == {"p0": 1, "p1": 1}


def test_what_is_forgotten_is_in_no_head_and_linear_is_there_at_once(
    tmp_path: Path, quick_leads: list[dict[str, float]], work: list[str]
) -> None:
    job = tmp_path / "job"
    marks = []

    def without(events: list[Event]) -> bool:
        published = [event for event in events if event["event"] == "published"]
        if published[-1]["head"] != "linear":
            return False
        marks.append(len(work))
        assert published[-1]["revisions"] == {"p0": 1, "p1": 1}
        assert not (job / "quick.safetensors").exists()
        return True

    def seated(events: list[Event]) -> bool:
        if not holds(0, 1, 2)(events):
            return False
        marks.append(len(work))
        return True

    play(
        job,
        (at_once, pictures(0, 1, 2)),
        (seated, [Forget("p2", 1)]),
        (without, []),
        (holds(0, 1), []),
    )
    assert set(work[marks[0] : marks[1]]) == {"linear"}
    assert set(read_card(job / "quick.safetensors").notes["held"]) == {"p0", "p1"}
    assert play(job, (at_once, []))[0]["revisions"] == {"p0": 1, "p1": 1}


def test_other_classes_keep_what_is_known_by_name(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    job = tmp_path / "job"
    told = NewClasses(1, ("sky", "ball", "ground"), {"disc": "ball"})
    events = play(job, (at_once, pictures(0, 1)), (holds(0, 1), [told]), (said("published", classes_revision=1), []))
    assert next(e for e in events if e["event"] == "published" and e["classes_revision"] == 1)["head"] == "quick"
    head = load_head(job / "out" / "head.safetensors")
    assert head.card is not None
    assert head.card.classes == ("sky", "ball", "ground")
    assert head.card.learnt_from["classes"]["sky"] == 0
    assert head.card.learnt_from["classes"]["ball"] > 0


def test_no_class_of_what_was_learnt_is_left(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    events = play(
        tmp_path / "job",
        (at_once, pictures(0, 1)),
        (holds(0, 1), [NewClasses(1, ("sky",), {})]),
        (said("paused", why="nothing to learn from", images=2), []),
    )
    assert events[-1]["event"] == "done"


def test_a_restart_goes_on_where_it_was(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    job = tmp_path / "job"
    before = play(job, (at_once, pictures(0, 1)), (holds(0, 1), []))
    step = max(event["step"] for event in before if event.get("head") == "quick")
    after = play(job, (holds(0, 1), []))
    assert after[0]["revisions"] == {"p0": 1, "p1": 1}
    published = next(event for event in after if event["event"] == "published")
    assert published["head"] == "quick"
    assert published["step"] >= step


def test_a_state_that_is_damaged_is_learnt_anew(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    job = tmp_path / "job"
    play(job, (at_once, pictures(0, 1)), (holds(0, 1), []))
    state = job / "quick.safetensors"
    state.write_bytes(state.read_bytes()[:-1000])
    events = play(job, (holds(0, 1), []))
    assert "learns anew" in next(event["text"] for event in events if event["event"] == "warning")
    assert heads(events) == ["linear", "quick"]


def test_what_it_kept_stays_within_the_disk_that_it_was_given(tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", train=12, held_out=0, recipe="linear", steps=None, cache_megabytes=1)

    def learnt(events: list[Event]) -> bool:
        size = sum(path.stat().st_size for path in (job / "features").iterdir())
        assert size <= 1 << 20
        return said("progress", head="quick")(events) and said("progress", id="p11")(events)

    play(job, (at_once, pictures(*range(12))), (learnt, []))
    assert len(list((job / "features").glob("*.safetensors"))) >= 2
    assert len(list((job / "features").glob("*.json"))) == 12


def test_features_that_are_damaged_are_named_and_dropped(tmp_path: Path) -> None:
    job = tmp_path / "job"
    play(job, (at_once, pictures(0, 1, 2)), (said("progress", head="quick"), []))
    for path in (job / "features").glob("*.safetensors"):
        path.write_bytes(b"rubbish")
    events = play(job, (said("warning"), []))
    assert "cannot be learnt" in next(event["text"] for event in events if event["event"] == "warning")
    assert events[-1]["event"] == "done"


def test_a_picture_that_is_too_small_is_dropped_and_the_others_are_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = Quick.loss, []

    def loss(self: Quick, batch: int) -> Tensor:
        calls.append(batch)
        if len(calls) == 1:
            raise ValueError("Expected more than 1 value per channel when training")
        return original(self, batch)

    monkeypatch.setattr(Quick, "loss", loss)
    acts = (at_once, pictures(0, 1, 2, 3)), (lambda _events: len(calls) > 3, [])
    events = play(tmp_path / "job", *acts)
    assert "more than 1 value" in next(event["text"] for event in events if event["event"] == "warning")


def test_paused_it_does_nothing(tmp_path: Path, work: list[str]) -> None:
    commands: list[Command] = [Pause(), *pictures(0, 1)]
    marks = []

    def asked(events: list[Event]) -> bool:
        if not said("paused", why="asked")(events):
            return False
        marks.append(len(work))
        return True

    play(
        tmp_path / "job",
        (at_once, commands),
        (asked, [Resume()]),
        (lambda _events: "quick" in work, []),
    )
    assert marks == [0]


def test_a_head_that_is_in_use_is_gone_on_from(tmp_path: Path, quick_leads: list[dict[str, float]]) -> None:
    job = tmp_path / "job"
    play(job, (at_once, pictures(0, 1)), (holds(0, 1), []))
    parent = (job / "out" / "head.safetensors").rename(tmp_path / "quick-1.safetensors")
    other = write_job(tmp_path / "other", train=12, held_out=0, recipe="linear", steps=None, head=str(parent))
    events = play(other, (at_once, pictures(0, 1)), (holds(0, 1), []))
    assert not [event for event in events if event["event"] == "warning"]
    assert read_card(other / "out" / "head.safetensors").parent == "quick-1"
