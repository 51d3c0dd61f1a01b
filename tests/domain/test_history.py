from __future__ import annotations

import pytest

from app.domain.geometry import Rect
from app.domain.history import Entry, History, Step, transitions
from app.domain.patch import Patch, Plane


def patch(number: int, size: int = 10) -> Patch:
    return Patch(Rect(number, 0, 1, 1), Plane(b"x" * size, number, number + 1), Plane(b"", 0, 0))


def do(sequence: int, step: int | None = None, *, size: int = 10, reviewed: bool | None = None) -> Entry:
    number = sequence if step is None else step
    return Entry(sequence, number, "do", f"step {number}", patch(sequence, size), reviewed)


def undo(sequence: int, step: int) -> Entry:
    return Entry(sequence, step, "undo", f"step {step}", None, None)


def redo(sequence: int, step: int) -> Entry:
    return Entry(sequence, step, "redo", f"step {step}", None, None)


# Two strokes; a fill that the program added to the second; back, back and forward again; a third stroke; back.
TALE = (do(1), do(2), do(3, 2), undo(4, 2), undo(5, 1), redo(6, 1), redo(7, 2), do(8), undo(9, 8))


def test_it_tells_what_can_be_undone_and_redone() -> None:
    history = History.rebuilt(TALE)
    assert history.undoable == ("step 1", "step 2")
    assert history.redoable == ("step 8",)
    assert history.sequence == 9
    assert history.bytes == 40


def test_a_step_is_undone_with_all_that_was_added_to_it() -> None:
    applied = [patches for _, patches in transitions(TALE)]
    there, added = patch(2), patch(3)
    assert applied[3] == (added.reversed(), there.reversed())
    assert applied[4] == (patch(1).reversed(),)
    assert applied[6] == (there, added)
    assert applied[8] == (patch(8).reversed(),)


def test_a_new_step_ends_what_could_be_redone() -> None:
    assert History.rebuilt(TALE[:5]).redoable == ("step 1", "step 2")
    assert History.rebuilt((*TALE[:5], do(6))).redoable == ()
    assert History.rebuilt((*TALE[:5], do(6))).bytes == 10


def test_what_is_added_to_a_step_ends_it_too() -> None:
    assert History.rebuilt((*TALE, do(10, 2))).redoable == ()


def test_a_fill_without_a_step_is_applied_and_never_undone() -> None:
    entries = [do(1, 0), do(2)]
    assert [patches for _, patches in transitions(entries)] == [(patch(1),), (patch(2),)]
    assert History.rebuilt(entries).undoable == ("step 2",)


@pytest.mark.parametrize("trimmed", range(len(TALE) + 1))
def test_a_journal_without_its_beginning_offers_the_last_of_the_same_steps(trimmed: int) -> None:
    live, rebuilt = History.rebuilt(TALE), History.rebuilt(TALE[trimmed:])
    assert list(rebuilt.done) == list(live.done)[len(live.done) - len(rebuilt.done) :]
    assert list(rebuilt.undone) == list(live.undone)[: len(rebuilt.undone)]
    assert rebuilt.bytes == sum(step.size for step in (*rebuilt.done, *rebuilt.undone))


def test_an_addition_whose_beginning_was_trimmed_is_not_taken_for_a_step() -> None:
    assert History.rebuilt(TALE[2:3]).undoable == ()
    assert [patches for _, patches in transitions(TALE[2:4])] == [(patch(3),), None]


@pytest.mark.parametrize("lost", range(len(TALE) - 1))
def test_after_a_lost_entry_nothing_before_it_is_offered(lost: int) -> None:
    live, rebuilt = History.rebuilt(TALE), History.rebuilt(TALE[:lost] + TALE[lost + 1 :])
    assert list(rebuilt.done) == list(live.done)[len(live.done) - len(rebuilt.done) :]
    assert list(rebuilt.undone) == list(live.undone)[: len(rebuilt.undone)]
    assert all(step.number > TALE[lost].sequence for step in rebuilt.done)


def test_beyond_its_budget_the_oldest_go_and_the_newest_stays() -> None:
    history = History.rebuilt([do(number, size=30) for number in range(1, 6)], budget=100)
    assert history.undoable == ("step 3", "step 4", "step 5")
    assert history.bytes == 90
    history.follow(do(6, size=500))
    assert history.undoable == ("step 6",)
    assert history.bytes == 500
    history.follow(do(7, size=40))
    assert history.undoable == ("step 7",)


def test_what_was_forgotten_for_its_size_is_not_undone_in_a_rebuilt_history_either() -> None:
    entries = [do(1, size=80), do(2, size=80), undo(3, 2), undo(4, 1)]
    small = History.rebuilt(entries, budget=100)
    assert small.undoable == small.redoable == ()
    assert small.bytes == 0


def test_a_review_is_found() -> None:
    assert History.rebuilt(TALE).last_review is None
    history = History.rebuilt((*TALE, do(10, reviewed=True), do(11)))
    assert history.last_review == Step(10, "step 10", (patch(10),), True)


def test_no_pixels_is_told_from_not_known() -> None:
    review = Entry(1, 1, "do", "Reviewed", None, True)
    back = Entry(2, 1, "undo", "Reviewed", None, False)
    assert [patches for _, patches in transitions([review, back])] == [(), ()]
    assert [patches for _, patches in transitions([back])] == [None]
