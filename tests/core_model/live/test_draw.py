"""What a step learns from."""

from __future__ import annotations

from collections import Counter

import numpy as np

from core_model.live.album import Entry
from core_model.live.draw import draw

BIG, SMALL = (65, 65), (49, 49)


def entry(number: int, views: dict[int, tuple[int, int]] | None = None) -> Entry:
    return Entry(f"p{number}", 1, False, number, ("a",), (9,), 65, 65, views or {0: BIG, 1: BIG, 2: SMALL})


def test_newer_pictures_come_more_often_and_old_ones_are_never_forgotten() -> None:
    entries, rng = [entry(n) for n in reversed(range(30))], np.random.default_rng(0)
    times = Counter(drawn.id for _ in range(3000) for drawn, _ in draw(entries, 1, {}, rng))
    assert 2.0 < times["p29"] / np.mean([times[f"p{n}"] for n in range(10)]) < 4.5
    assert all(times[f"p{n}"] > 20 for n in range(30))


def test_a_step_sees_different_pictures_in_views_of_one_size() -> None:
    entries, rng = [entry(n) for n in range(4)], np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        hand = draw(entries, 3, {}, rng)
        assert len({drawn.id for drawn, _ in hand}) == 3
        assert len({drawn.views[number] for drawn, number in hand}) == 1
        seen |= {number for _, number in hand}
    assert seen == {0, 1, 2}


def test_a_picture_of_a_size_of_its_own_comes_alone() -> None:
    entries, rng = [entry(0, {0: (33, 33)}), entry(1)], np.random.default_rng(0)
    hands = [draw(entries, 2, {}, rng) for _ in range(50)]
    assert all(len(hand) == 1 for hand in hands if hand[0][0].id == "p0")


def test_what_is_urgent_comes_first_the_least_drawn_before_others() -> None:
    entries, rng = [entry(n) for n in reversed(range(5))], np.random.default_rng(0)
    assert draw(entries, 1, {"p3": 1, "p1": 0, "p2": 0}, rng)[0] == (entries[2], 0)
    assert draw(entries, 2, {"p3": 1}, rng)[0] == (entries[1], 0)
    assert draw(entries, 2, {"gone": 0}, rng)[0][0] in entries
