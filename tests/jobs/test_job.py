"""A job is a generator: it runs inline, reports, and tidies up however it ends."""

from __future__ import annotations

import pytest

from app.jobs.job import Job, Progress, run


def count(to: int, left: list[str]) -> Job[int]:
    try:
        for number in range(to):
            yield Progress(number, to, f"number {number}")
        return to
    finally:
        left.append("tidied")


def test_run_returns_the_result_and_reports_every_step() -> None:
    seen: list[Progress] = []
    left: list[str] = []
    assert run(count(3, left), seen.append) == 3
    assert [progress.done for progress in seen] == [0, 1, 2]
    assert run(count(0, left)) == 0
    assert left == ["tidied", "tidied"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_the_listener_raises_ends_the_job_tidily(error: type[BaseException]) -> None:
    left: list[str] = []

    def interrupt(_: Progress) -> None:
        raise error

    with pytest.raises(error):
        run(count(3, left), interrupt)
    assert left == ["tidied"]


def test_what_the_job_raises_comes_out() -> None:
    def failing() -> Job[None]:
        yield Progress()
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        run(failing())
