"""Predictions scored against what was made of them: after a review, of what the version had not learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.commands.verbs import run as atrous
from app.domain.agreement import Confusion, Figures, figures
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.domain.mask import MODEL
from app.domain.prediction import Prediction
from app.services import agreement, info, load, open_project, review, review_all, run, unreview
from app.services.prediction import keep
from app.storage.project import Project
from tests.services.datasets import HEIGHT, WIDTH, new_project

HALF = Rect(0, 0, WIDTH // 2, HEIGHT)
ALL = WIDTH * HEIGHT


def predicted(project: Project, image_id: str, version: str = "quick-1", label: int = 1) -> Document:
    """An image into which a version has written one class everywhere; what it said is kept."""
    document = load(project, image_id)
    said = Prediction(
        np.full((HEIGHT, WIDTH), label, np.uint8), np.full((HEIGHT // 4, WIDTH // 4), 255, np.uint8), version
    )
    document.pre_annotate(said)
    keep(project, image_id, said, "fingerprint", document.sequence)
    return document


def painted(document: Document, label: int = 2, rect: Rect = HALF) -> Document:
    document.begin("Brush")
    document.paint(rect, np.ones((rect.height, rect.width), bool), Label(label))
    document.commit()
    return document


def reviewed(project: Project, image_id: str, version: str = "quick-1") -> Document:
    """Predicted, half of it corrected, reviewed and scored."""
    document = painted(predicted(project, image_id, version))
    review(project, document)
    assert run(agreement.score(project, image_id))
    return document


def shown(project: Project) -> list[tuple[str, str, bool]]:
    return [(point.image, point.version, point.changed) for point in agreement.curve(project)]


def test_what_was_corrected_counts_against_the_prediction(project: Project) -> None:
    assert agreement.curve(project) == []
    assert agreement.latest(project) is None
    document = reviewed(project, "p00")
    assert (document.mask.provenance == MODEL).sum() == ALL // 2
    (score,) = project.catalogue.agreement.scores()
    assert (score.image, score.version, score.learnt) == ("p00", "quick-1", False)
    assert score.sequence == document.sequence
    assert score.agreement.every == Confusion({(1, 1): ALL // 2, (2, 1): ALL // 2})
    assert score.agreement.human == Confusion({(2, 1): ALL // 2})
    (point,) = agreement.curve(project)
    assert point.every == dict.fromkeys(agreement.WINDOWS, figures(score.agreement.every))
    assert point.every[5].pixel_accuracy == point.every[5].kept == 0.5
    assert point.every[5].miou == 0.25
    assert point.human[20] == Figures(ALL // 2, 0.0, 0.0, 0.0, {2: (0.0, 0.0)})
    found = agreement.latest(project)
    assert found is not None
    assert (found["pictures"], found["version"], found["pixel_accuracy"]) == (1, "quick-1", 0.5)
    assert found["classes"] == {"box": 0.5, "disc": 0.0}


def test_an_image_without_a_prediction_is_not_scored(project: Project) -> None:
    review(project, painted(load(project, "p00")))
    assert not run(agreement.score(project, "p00"))
    assert agreement.curve(project) == []


def test_a_review_that_is_taken_back_takes_its_score_along(project: Project) -> None:
    document = reviewed(project, "p00")
    unreview(document)
    assert run(agreement.score(project, "p00"))
    assert agreement.curve(project) == []
    assert not run(agreement.score(project, "p00"))
    document.redo()
    painted(document, 1)
    review(project, document)
    assert run(agreement.score(project, "p00"))
    assert agreement.curve(project)[0].every[5].pixel_accuracy == 1.0


def test_scores_stand_in_the_order_of_the_reviews_with_a_mark_where_the_version_changed(project: Project) -> None:
    for image_id, version in (("p02", "quick-1"), ("p00", "quick-1"), ("p01", "quick-2")):
        reviewed(project, image_id, version)
    assert shown(project) == [("p02", "quick-1", False), ("p00", "quick-1", False), ("p01", "quick-2", True)]
    assert agreement.curve(project)[-1].every[5].pixels == 3 * ALL


def test_a_long_curve_shows_its_end(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for image_id in ("p00", "p01", "p02"):
        reviewed(project, image_id)
    monkeypatch.setattr(agreement, "SHOWN", 2)
    assert [image for image, *_ in shown(project)] == ["p01", "p02"]


@pytest.mark.parametrize("heir", [False, True])
def test_a_version_is_not_scored_on_what_it_or_its_parent_had_learnt_from(project: Project, heir: bool) -> None:
    reviewed(project, "p00")
    agreement.note_learnt(project, "quick-2", ["p00"])
    agreement.note_learnt(project, "quick-3", ["p01"], "quick-2")
    assert shown(project) == [("p00", "quick-1", False)]
    document = load(project, "p00")
    unreview(document)
    run(agreement.score(project, "p00"))
    reviewed(project, "p00", "quick-3" if heir else "quick-2")
    assert agreement.curve(project) == []
    assert [score.learnt for score in project.catalogue.agreement.scores()] == [True]
    reviewed(project, "p02", "quick-3")
    assert shown(project) == [("p02", "quick-3", False)]


def test_what_a_live_version_learns_after_it_predicted_does_not_count_against_it(project: Project) -> None:
    document = painted(predicted(project, "p00", "live"))
    review(project, document)
    project.catalogue.agreement.note_learnt("live", {"p00": document.sequence})  # it was faster than the score
    assert run(agreement.score(project, "p00"))
    assert shown(project) == [("p00", "live", False)]
    unreview(document)
    predicted(project, "p00", "live", label=0)
    document = load(project, "p00")
    review(project, document)
    assert run(agreement.score(project, "p00"))
    assert agreement.curve(project) == []


@pytest.mark.parametrize("version", ["strokes", "quick-1+strokes"])
def test_a_fill_from_strokes_knew_what_was_painted(project: Project, version: str) -> None:
    reviewed(project, "p00", version)
    assert agreement.curve(project) == []


def test_reviewing_many_images_scores_each_of_them(project: Project) -> None:
    painted(predicted(project, "p00"))
    predicted(project, "p02", "quick-2")
    run(review_all(project))
    assert shown(project) == [("p00", "quick-1", False), ("p02", "quick-2", True)]


def test_info_has_the_last_figures_and_says_them_in_a_line(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(info(project))["agreement"] is None
    assert atrous(["info", str(project.root)]) == 0
    assert "agreement" not in capsys.readouterr().out
    for image_id in ("p00", "p01"):
        reviewed(project, image_id)
    assert run(info(project))["agreement"] == agreement.latest(project)
    assert atrous(["info", str(project.root)]) == 0
    assert "agreement on the last 2 pictures: pixel accuracy 0.500, mIoU 0.250, kept 0.500" in capsys.readouterr().out


def test_scores_survive_a_restart_and_a_prediction_that_is_damaged_is_passed_over(tmp_path: Path) -> None:
    project = new_project(tmp_path / "P")
    reviewed(project, "p00")
    review(project, painted(predicted(project, "p01")))
    path = project.predictions.path("p01")
    path.write_bytes(path.read_bytes()[:-9])
    project.close()
    project = open_project(tmp_path / "P")
    assert not run(agreement.score(project, "p01"))
    assert shown(project) == [("p00", "quick-1", False)]
    project.close()
