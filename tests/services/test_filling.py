"""What was painted in an image, carried on to the rest of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.classes import VOID
from app.domain.prediction import Prediction
from app.services import Model, Models, Network, NothingLearnt, Refusal, run
from app.services import network as predicting
from app.services.filling import fill, warm_up
from app.storage.images import UnreadableImage
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import HEIGHT, WIDTH, scene


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, files: Files) -> None:
    """The small backbone in place of the large one that ships."""
    monkeypatch.setattr(predicting, "starting_backbone", lambda project: (files.backbone, "xception_slim"))


def model_of(project: Project, files: Files, *arguments: object) -> Model:
    return Models(project).adopt(files.make_head(*arguments), files.backbone)


def strokes(number: int, *labels: int) -> NDArray[np.uint8]:
    """A few rows of the truth, of these classes."""
    truth = scene(number)[1]
    painted = np.full_like(truth, VOID)
    painted[2::8] = truth[2::8]
    painted[~np.isin(painted, labels)] = VOID
    return painted


def filled(
    project: Project, painted: NDArray[np.uint8], model: Model | None = None, network: Network | None = None
) -> Prediction:
    return run(fill(project, network or Network(), lambda: model, "p00", painted))


def test_without_a_model_the_strokes_alone_fill_the_image(project: Project, shipped: None) -> None:
    said = filled(project, strokes(0, 0, 1, 2))
    assert said.labels.shape == (HEIGHT, WIDTH)
    assert said.version == "strokes"
    assert (said.labels == scene(0)[1]).mean() > 0.8
    assert set(np.unique(filled(project, strokes(0, 0, 2)).labels)) == {0, 2}


def test_with_a_model_its_word_holds_where_nothing_looks_like_a_stroke(project: Project, files: Files) -> None:
    model = model_of(project, files, "background")  # calls everything background
    painted = strokes(0, 1)
    said = filled(project, painted, model)
    assert said.version == f"{model.version}+strokes"
    assert (said.labels[painted == 1] == 1).mean() > 0.7
    assert (said.labels == 0).mean() > 0.4
    assert set(np.unique(said.labels)) == {0, 1}


def test_a_class_that_the_model_does_not_know_comes_with_its_stroke(project: Project, files: Files) -> None:
    model = model_of(project, files, "foreign", ("disc", "elephant", "background"), 2)
    painted = strokes(0, 1)
    said = filled(project, painted, model)
    assert (said.labels[painted == 1] == 1).mean() > 0.7
    assert (said.labels == 0).any()


def test_a_model_that_knows_none_of_the_classes_lends_its_backbone_only(project: Project, files: Files) -> None:
    model = model_of(project, files, "zoo", ("elephant", "tiger"))
    said = filled(project, strokes(0, 0, 1, 2), model)
    assert said.version == "strokes"
    assert (said.labels == scene(0)[1]).mean() > 0.8
    with pytest.raises(NothingLearnt):
        filled(project, strokes(0), model)


def test_without_strokes_it_is_what_the_model_says(project: Project, files: Files) -> None:
    model = model_of(project, files, "box", ("background", "box", "disc"), 1)
    said = filled(project, strokes(0), model)
    assert (said.labels == 1).all()
    assert said.version == model.version


def test_with_nothing_to_go_by_it_says_what_to_do(project: Project, shipped: None) -> None:
    with pytest.raises(NothingLearnt, match="nothing to fill from yet: paint a few strokes of each class first"):
        filled(project, strokes(0))
    with pytest.raises(NothingLearnt, match="So far only disc is painted"):
        filled(project, strokes(0, 2))


def test_what_is_no_class_of_the_project_is_not_painted(project: Project, shipped: None) -> None:
    painted = strokes(0, 0, 1, 2)
    expected = filled(project, painted).labels
    painted[3::8] = 77
    assert np.array_equal(filled(project, painted).labels, expected)


def test_the_picture_is_looked_at_once_for_all_strokes(project: Project, shipped: None, files: Files) -> None:
    network = Network()
    network.look(project, "p00", None)
    assert network._predictor is not None
    calls: list[int] = []
    network._predictor[1].features = calls.append  # type: ignore[method-assign, assignment]
    for labels in ((0, 1), (0, 2), (0, 1, 2)):
        filled(project, strokes(0, *labels), None, network)
    model = model_of(project, files, "box", ("background", "box", "disc"), 1)
    filled(project, strokes(0, 2), model, network)  # the same backbone: a new model needs no other look
    network.predict(project, "p00", model)
    assert not calls


def test_a_picture_that_has_changed_is_looked_at_again(project: Project, shipped: None) -> None:
    network = Network()
    before = filled(project, strokes(0, 0, 1, 2), None, network)
    picture = project.picture_path("p00")
    picture.write_bytes(project.picture_path("p01").read_bytes())
    after = filled(project, strokes(0, 0, 1, 2), None, network)
    assert not np.array_equal(before.labels, after.labels)
    picture.unlink()
    with pytest.raises(UnreadableImage):
        filled(project, strokes(0, 0, 1, 2), None, network)


def test_without_any_backbone_it_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(variant: str) -> None:
        raise Refusal(f"no backbone ships for {variant}")

    monkeypatch.setattr("app.services.model.shipped_backbone", none)
    with pytest.raises(Refusal, match="no backbone ships"):
        filled(project, strokes(0, 0, 1))


def test_warming_up_changes_nothing(project: Project, shipped: None) -> None:
    before = filled(project, strokes(0, 0, 1, 2))
    warm_up()
    assert np.array_equal(filled(project, strokes(0, 0, 1, 2)).labels, before.labels)
