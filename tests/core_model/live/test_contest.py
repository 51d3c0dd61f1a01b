"""Which live head predicts."""

from __future__ import annotations

from core_model.live.contest import Contest


def said(contest: Contest, number: int, linear: float, quick: float) -> None:
    contest.hear(f"p{number}", 1, "linear", linear)
    contest.hear(f"p{number}", 1, "quick", quick)


def test_a_lead_over_three_pictures_takes_the_seat_and_so_does_one_back() -> None:
    contest = Contest("linear")
    for number in range(2):
        said(contest, number, 0.8, 0.9)
    assert contest.holder == "linear"  # two pictures say little
    said(contest, 2, 0.8, 0.81)
    assert contest.holder == "quick"
    for number in range(3, 7):
        said(contest, number, 0.85, 0.84)
    assert contest.holder == "quick"  # no lead
    said(contest, 7, 0.99, 0.84)
    assert contest.holder == "linear"


def test_a_small_lead_is_none() -> None:
    contest = Contest("linear")
    for number in range(9):
        said(contest, number, 0.8, 0.819)
    assert contest.holder == "linear"


def test_a_picture_that_only_one_was_scored_on_does_not_count() -> None:
    contest = Contest("linear")
    for number in range(5):
        contest.hear(f"p{number}", 1, "quick", 0.9)
        contest.hear(f"p{number}", 2, "linear", 0.1)
    assert contest.holder == "linear"


def test_held_out_pictures_decide_alone_where_there_are_two() -> None:
    contest = Contest("linear")
    contest.held_out = 1
    contest.measure({"linear": (0.4, 0.8), "quick": (0.5, 0.8)})
    assert contest.holder == "linear"
    contest.held_out = 2
    contest.measure({})
    contest.measure({"linear": (0.4, 0.8), "quick": (0.4, 0.8)})
    assert contest.holder == "linear"
    contest.measure({"linear": (0.4, 0.8), "quick": (0.41, 0.8)})
    assert contest.holder == "quick"
    for number in range(5):
        said(contest, number, 0.9, 0.1)
    assert contest.holder == "quick"
    contest.measure({"linear": (0.5, 0.8), "quick": (0.45, 0.8)})
    assert contest.holder == "linear"


def test_better_classes_do_not_make_up_for_many_wrong_pixels() -> None:
    contest = Contest("linear")
    contest.held_out = 2
    contest.measure({"linear": (0.5, 0.88), "quick": (0.55, 0.85)})
    assert contest.holder == "linear"
    contest.measure({"linear": (0.5, 0.88), "quick": (0.55, 0.87)})
    assert contest.holder == "quick"


def test_what_was_said_before_counts_no_more() -> None:
    contest = Contest("linear")
    for number in range(2):
        said(contest, number, 0.5, 0.9)
    contest.start_afresh("linear")
    said(contest, 2, 0.5, 0.9)
    assert contest.holder == "linear"
