from __future__ import annotations

import pytest

from core_model.schedule import Schedule, default_minutes


def test_steps_alone_know_no_clock() -> None:
    schedule = Schedule(steps=100, seconds=None)
    assert [schedule.fraction(step, 1e9) for step in (0, 50, 100, 200)] == [0, 0.5, 1, 1]
    assert schedule.rate(60, 0) == schedule.rate(60, 1e9) == pytest.approx(0.4**0.9)


def test_time_alone_knows_no_steps() -> None:
    schedule = Schedule(steps=None, seconds=60)
    assert schedule.fraction(10**9, 30) == 0.5
    assert schedule.fraction(0, 61) == 1


def test_with_both_whichever_ends_first() -> None:
    schedule = Schedule(steps=100, seconds=60)
    assert schedule.fraction(80, 6) == 0.8
    assert schedule.fraction(8, 54) == 0.9


def test_rate_rises_then_falls_to_zero() -> None:
    schedule = Schedule(steps=1000, seconds=None)
    rates = [schedule.rate(step, 0) for step in range(1001)]
    top = rates.index(max(rates))
    assert top == 19
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[0] < 0.1
    assert rates[-1] == 0


def test_a_short_run_warms_up_in_a_tenth_of_it() -> None:
    schedule = Schedule(steps=20, seconds=None)
    assert schedule.rate(2, 0) == pytest.approx(0.9**0.9)


def test_a_slow_start_comes_before_the_published_decay() -> None:
    schedule = Schedule(steps=100, seconds=None, warmup=0, slow_start=10, slow_factor=0.01)
    assert [schedule.rate(step, 0) for step in (0, 9)] == [0.01, 0.01]
    assert schedule.rate(10, 0) == pytest.approx(0.9**0.9)
    assert Schedule(steps=100, seconds=None, warmup=0).rate(0, 0) == 1


def test_default_time_grows_with_pictures_and_falls_on_a_gpu() -> None:
    assert [round(default_minutes("quick", n, False) * 60) for n in (1, 5, 20, 60)] == [40, 60, 150, 180]
    assert 60 < default_minutes("quick", 10, False) * 60 < 150
    assert default_minutes("quick", 20, True) < default_minutes("quick", 20, False) < default_minutes("full", 20, False)
