"""When Full learns by itself."""

from __future__ import annotations

import pytest

from app.services import TrainRequest
from app.services import run as run_job
from app.services.automatic import due, note_full, reviewed_at_last_full
from app.services.learning import decide
from app.services.model import Model
from app.services.run_folder import Run
from app.services.runs import prepare
from app.storage.project import Project
from tests.services.conftest import Files


@pytest.mark.parametrize(
    ("now", "last", "has_gpu", "every", "expected"),
    [
        (25, 0, True, 25, True),
        (24, 0, True, 25, False),
        (60, 36, True, 25, False),
        (61, 36, True, 25, True),
        (10, 36, True, 25, False),
        (1000, 0, False, 25, False),
        (1000, 0, True, 0, False),
    ],
)
def test_it_is_due_after_so_many_more_reviewed_images(
    now: int, last: int, has_gpu: bool, every: int, expected: bool
) -> None:
    assert due(now, last, has_gpu, every) is expected


def test_what_is_reviewed_is_noted(dataset: Project) -> None:
    assert reviewed_at_last_full(dataset) is None
    note_full(dataset)
    assert reviewed_at_last_full(dataset) == 3


def test_what_nobody_asked_for_is_used_only_when_it_is_measured_to_be_better(files: Files) -> None:
    model = Model("start-1", files.make_head("start"), files.backbone, {})
    better, worse = ({"miou": miou, "pixel_accuracy": 0.5} for miou in (0.6, 0.4))
    for asked in (True, False):
        assert decide(better, model, worse, asked=asked)[0]
        assert not decide(worse, model, better, asked=asked)[0]
        assert decide(None, None, None, asked=asked)[0]
    assert decide(None, model, None)[0]
    used, why = decide(None, model, None, asked=False)
    assert not used
    assert "not measured" in why


def test_a_run_remembers_that_nobody_asked_for_it(dataset: Project, files: Files) -> None:
    from app.services import Models

    Models(dataset).use(Models(dataset).adopt(files.make_head("start"), name="start").version)
    for asked in (True, False):
        run = run_job(prepare(dataset, TrainRequest("full", asked=asked)))
        assert run.asked is asked
        assert Run.read(run.folder) == run
