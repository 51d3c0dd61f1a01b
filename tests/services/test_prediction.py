"""What a model says, written into a project's images and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.domain.classes import VOID
from app.domain.ink import Label
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.prediction import Prediction
from app.services import Model, Models, Network, Progress, Refusal, load, pre_annotate, review, run, skip
from app.services.matching import lookup
from app.storage.catalogue import UnknownImage
from app.storage.errors import UnkeptPrediction
from app.storage.predictions import PredictionFiles
from app.storage.project import Project
from tests.services.conftest import Files
from tests.services.datasets import HEIGHT, WIDTH


def model_of(project: Project, files: Files, *arguments: object, **card: object) -> Model:
    models = Models(project)
    return models.adopt(files.make_head(*arguments, **card), files.backbone)


def test_classes_are_matched_by_name_and_the_rest_predict_nothing(project: Project, files: Files) -> None:
    model = model_of(project, files, "foreign", ("disc", "elephant"), seed=0)
    table = lookup(model, project.settings.classes)
    assert table[:3].tolist() == [2, VOID, VOID]
    prediction = Network().predict(project, "p00", model)
    assert prediction.labels.shape == (HEIGHT, WIDTH)
    assert np.unique(prediction.labels).tolist() == [2]
    stranger = model_of(project, files, "stranger", ("disc", "elephant"), seed=1)
    assert np.unique(Network().predict(project, "p00", stranger).labels).tolist() == [VOID]


def test_a_model_that_shares_no_class_is_refused_by_name(project: Project, files: Files) -> None:
    model = model_of(project, files, "zoo", ("elephant", "tiger"))
    with pytest.raises(Refusal, match=r"none of this project's classes: it predicts elephant, tiger; the project has"):
        Network().predict(project, "p00", model)


def test_features_are_kept_so_that_another_head_needs_no_backbone(project: Project, files: Files) -> None:
    network = Network()
    first, second = model_of(project, files, "one", seed=1), model_of(project, files, "two", seed=2)
    network.look(project, "p00", first)
    assert network._predictor is not None
    features, calls = network._predictor[1].features, []
    network._predictor[1].features = lambda rgb: calls.append(1) or features(rgb)  # type: ignore[method-assign]
    assert np.unique(network.predict(project, "p00", first).labels).tolist() == [1]
    assert np.unique(network.predict(project, "p00", second).labels).tolist() == [2]
    assert not calls
    network.predict(project, "p01", second)
    assert len(calls) == 1


def test_the_memory_for_features_is_bounded(project: Project, files: Files) -> None:
    network, model = Network(budget=1), model_of(project, files)
    for image_id in ("p00", "p01", "p02"):
        network.predict(project, image_id, model)
    assert len(network._features) == 1


def test_pre_annotate_writes_model_pixels_and_spares_people(project: Project, files: Files) -> None:
    document = load(project, "p00")
    document.begin("Brush")
    from app.domain.geometry import Rect

    document.paint(Rect(3, 4, 5, 6), np.ones((6, 5), bool), Label(2))
    document.commit()
    review(project, load(project, "p01"))
    skip(project, load(project, "p02"))
    result = run(pre_annotate(project, [], model_of(project, files, seed=1)))
    assert result.done == ["p00", "p02"]
    mask = project.read_mask("p00")[0]
    assert (mask.labels[4:10, 3:8] == 2).all()
    assert (mask.provenance == HUMAN).sum() == 30
    assert ((mask.labels == 1) == (mask.provenance == MODEL)).all()
    assert (project.read_mask("p01")[0].provenance == HUMAN).all()
    statuses = {record.id: record.status for record in project.catalogue.images()}
    assert statuses == {"p00": "corrected", "p01": "reviewed", "p02": "skipped"}
    assert project.saver.pending() == 0
    assert project.mask_path("p00").is_file()


def test_what_was_said_is_kept_beside_the_masks(project: Project, files: Files) -> None:
    model = model_of(project, files, seed=1)
    run(pre_annotate(project, ["p00"], model))
    kept = project.predictions.load("p00", WIDTH, HEIGHT, project.settings.classes)
    assert kept is not None
    assert (kept.labels == 1).all()
    assert kept.version == model.version
    assert project.predictions.load("p01", WIDTH, HEIGHT, project.settings.classes) is None


def test_where_it_cannot_be_kept_the_images_are_written_all_the_same(
    project: Project, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: PredictionFiles, image_id: str, prediction: Prediction) -> None:
        raise UnkeptPrediction(f"{image_id}: no space left on device")

    monkeypatch.setattr(PredictionFiles, "store", full)
    result = run(pre_annotate(project, ["p00", "p01"], model_of(project, files, seed=1)))
    assert result.done == ["p00", "p01"]
    assert result.unkept == "p01: no space left on device"
    assert (project.read_mask("p00")[0].provenance == MODEL).all()


def test_below_the_confidence_pixels_stay_empty(project: Project, files: Files) -> None:
    run(pre_annotate(project, ["p00"], model_of(project, files, seed=1), min_confidence=1.0))
    assert (project.read_mask("p00")[0].provenance == EMPTY).all()


def test_named_images_that_are_reviewed_are_said_and_unknown_ones_refused(project: Project, files: Files) -> None:
    model = model_of(project, files)
    review(project, load(project, "p01"))
    result = run(pre_annotate(project, ["p01", "p00"], model))
    assert (result.done, result.reviewed) == (["p00"], ["p01"])
    with pytest.raises(UnknownImage, match="nonsense"):
        run(pre_annotate(project, ["p00", "nonsense"], model))


def test_interrupted_and_resumed(project: Project, files: Files) -> None:
    model = model_of(project, files, seed=1)
    job = pre_annotate(project, [], model)
    said = [next(job), next(job)]
    assert [progress.text for progress in said] == ["p00", "p01"]
    job.close()
    assert project.mask_path("p00").is_file()
    result = run(pre_annotate(project, [], model))
    assert (result.as_before, result.done) == (["p00"], ["p01", "p02"])
    assert run(pre_annotate(project, [], model)).as_before == ["p00", "p01", "p02"]
    # another model, another confidence, or a change by hand: not as before
    assert run(pre_annotate(project, [], model, min_confidence=0.01)).as_before == []
    load(project, "p01").clear()
    assert run(pre_annotate(project, [], model, min_confidence=0.01)).done == ["p01"]
    assert run(pre_annotate(project, [], model_of(project, files, "other", seed=2))).as_before == []


def test_unreadable_pictures_are_noted_and_passed_over(project: Project, files: Files) -> None:
    broken: Path = project.picture_path("p01")
    broken.write_bytes(b"rubbish")
    seen: list[Progress] = []
    result = run(pre_annotate(project, [], model_of(project, files)), seen.append)
    assert result.done == ["p00", "p02"]
    assert list(result.refused) == ["p01"]
    assert project.catalogue.image("p01").problem == result.refused["p01"]


def test_a_mask_of_another_size_is_left_untouched(project: Project, files: Files) -> None:
    from PIL import Image

    project.mask_path("p01").parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(project.mask_path("p01"))
    before = project.mask_path("p01").read_bytes()
    result = run(pre_annotate(project, [], model_of(project, files)))
    assert "5 x 5" in result.refused["p01"]
    assert result.done == ["p00", "p02"]
    assert project.mask_path("p01").read_bytes() == before


def test_undo_takes_a_prediction_back(project: Project, files: Files) -> None:
    run(pre_annotate(project, ["p00"], model_of(project, files, seed=1)))
    document = load(project, "p00")
    assert document.history.undoable == ("Pre-annotate",)
    document.undo()
    assert (document.mask.provenance == EMPTY).all()
    assert project.catalogue.image("p00").status == "untouched"


def test_a_device_that_is_not_there_is_refused(project: Project, files: Files) -> None:
    with pytest.raises(Refusal, match="cuda:99"):
        Network("cuda:99").predict(project, "p00", model_of(project, files))


def test_what_an_engine_prepares_is_kept_among_the_users_caches(
    project: Project, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    said = Network("cpu").predict(project, "p00", model_of(project, files))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "atrous" / "engines").glob("*/model.bin")}
    assert len(kept) == 1
    again = Network("cpu").predict(project, "p00", model_of(project, files))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    np.testing.assert_array_equal(again.labels, said.labels)
