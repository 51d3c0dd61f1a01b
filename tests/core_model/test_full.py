"""The full recipe: what learns at which rate, and what it is shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from core_model import Card, DeepLab, build, load_backbone
from core_model.dataset import Dataset
from core_model.events import Events
from core_model.full import Full, FullSettings
from core_model.heads import AsppDecoderHead
from core_model.job import Job
from core_model.training import Training
from tests.core_model.job_folder import backbone, learn, write_job

CLASSES = ("ground", "disc")


def _full(folder: Path, settings: FullSettings | None = None, seed: int = 0) -> Full:
    job = Job.read(write_job(folder, recipe="full", held_out=0))
    job.out.mkdir()
    torch.manual_seed(seed)
    trunk = load_backbone(backbone())
    network = DeepLab(trunk, AsppDecoderHead(trunk.variant, 2))
    card = Card("head", "xception_slim", classes=CLASSES)
    return Full(network, card, job.out, Dataset.of(job), torch.device("cpu"), seed, settings)


def _rates(full: Full) -> dict[str, tuple[float, float]]:
    """The rate and the decay of each parameter that learns."""
    names = {id(parameter): name for name, parameter in full.network.named_parameters()}
    return {
        names[id(part)]: (group["lr"], group["weight_decay"]) for group in full.groups() for part in group["params"]
    }


def test_rates_fall_with_the_distance_from_the_head(tmp_path: Path) -> None:
    settings = FullSettings(head_rate=1.0, backbone_rate=0.1, depth_factor=0.5)
    rates = {name: rate for name, (rate, _) in _rates(_full(tmp_path / "job", settings)).items()}
    assert rates["head.aspp.point.conv.weight"] == rates["head.classifier.bias"] == 1
    assert rates["backbone.exit.1.separable.2.pointwise.conv.weight"] == pytest.approx(0.1)
    order = [next(rate for name, rate in rates.items() if name.startswith(f"backbone.{part}.")) for part in
             ("stem.0", "entry.0", "entry.2", "middle.0", "middle.7", "exit.0", "exit.1")]  # fmt: skip
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_kernels_that_mix_channels_decay_and_nothing_else(tmp_path: Path) -> None:
    full = _full(tmp_path / "job")
    rates = _rates(full)
    for name, module in full.network.named_modules():
        if isinstance(module, nn.Conv2d):
            assert rates[f"{name}.weight"][1] == (full.settings.weight_decay if module.groups == 1 else 0)
            assert module.bias is None or rates[f"{name}.bias"][1] == 0
        elif isinstance(module, nn.BatchNorm2d):
            assert rates[f"{name}.weight"][1] == rates[f"{name}.bias"][1] == 0


def test_the_published_recipe(tmp_path: Path) -> None:
    full = _full(tmp_path / "job", FullSettings.published())
    rates = _rates(full)
    assert {rate for name, (rate, _) in rates.items() if name != "head.classifier.bias"} == {0.007}
    assert rates["head.classifier.bias"] == (0.014, 0)
    assert rates["head.classifier.weight"] == (0.007, 4e-5)
    asked = full.training(100, None)
    optimizer = asked["optimizer_of"](full.groups())
    assert isinstance(optimizer, torch.optim.SGD)
    assert {group["momentum"] for group in optimizer.param_groups} == {0.9}
    assert asked["schedule"].rate(50, 0) == pytest.approx(0.5**0.9)
    assert asked["average"] == 0
    assert {full._scale() for _ in range(200)} == {0.5 + 0.25 * step for step in range(7)}


def test_the_last_layer_can_have_a_rate_of_its_own(tmp_path: Path) -> None:
    rates = _rates(_full(tmp_path / "job", FullSettings(head_rate=1.0, classifier_factor=10.0, bias_factor=2.0)))
    assert rates["head.classifier.weight"][0] == 10
    assert rates["head.classifier.bias"][0] == 20
    assert rates["head.aspp.point.conv.weight"][0] == 1


def test_statistics_of_the_backbone_stay_where_few_pictures_make_a_step(tmp_path: Path) -> None:
    full = _full(tmp_path / "few")
    norm = next(part for part in full.network.backbone.modules() if isinstance(part, nn.BatchNorm2d))
    before = norm.running_mean.clone()  # type: ignore[union-attr]
    full.loss(2)
    assert torch.equal(norm.running_mean, before)  # type: ignore[arg-type]
    many = _full(tmp_path / "many", FullSettings(batch=12))
    assert many.network.backbone.training


def test_what_the_head_does_not_read_does_not_learn(tmp_path: Path) -> None:
    job = Job.read(write_job(tmp_path / "job", recipe="full"))
    network = build("xception", 2)
    full = Full(network, Card("head", "xception"), job.out, Dataset.of(job), torch.device("cpu"), 0)
    assert not any(name.startswith("backbone.exit.") for name in _rates(full))


@pytest.mark.parametrize("overlap", [None, "lovasz", "dice"])
def test_the_loss_falls(overlap: Any, tmp_path: Path) -> None:
    full = _full(tmp_path / "job", FullSettings(scales=(1.0, 1.0), lit=False, aimed=0.0, overlap=overlap))
    optimizer = torch.optim.AdamW(full.groups())
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = full.loss(2)
        losses.append(float(loss.detach()))
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[-1] < 0.6 * losses[0]


def test_crops_are_laid_around_rare_classes(tmp_path: Path) -> None:
    share = {}
    for aimed in (0.0, 1.0):
        full = _full(tmp_path / str(aimed), FullSettings(crop=17, scales=(1.0, 1.0), lit=False, aimed=aimed))
        for sample in full._train:  # only a corner is a disc
            _, truth = sample.read()
            truth[:] = 0
            truth[:6, :6] = 1
            cv2.imwrite(str(sample.truth), truth)
        share[aimed] = sum(bool((full._draw()[1] == 1).any()) for _ in range(60)) / 60
    assert share[1.0] > 0.35
    assert share[0.0] < 0.25


def test_little_memory_means_fewer_pictures_at_a_time_and_as_many_a_step(tmp_path: Path) -> None:
    full = _full(tmp_path / "job", FullSettings(batch=6))
    assert (full.batch, full.accumulate) == (6, 1)
    for at_once, batch, accumulate in ((9, 6, 1), (5, 3, 2), (2, 2, 3), (1, 1, 6)):
        full.hold(at_once)
        assert (full.batch, full.accumulate) == (batch, accumulate)
        assert full.training(1, None)["accumulate"] == accumulate


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    results = []
    for run, seed in enumerate((0, 0, 1)):
        full = _full(tmp_path / str(run), seed=seed)
        Training(full, events=Events(io.StringIO()), class_names=CLASSES, **full.training(3, None)).run()
        results.append(full.network.state_dict())
    assert all(torch.equal(value, results[1][name]) for name, value in results[0].items())
    assert any(not torch.equal(value, results[2][name]) for name, value in results[0].items())


def test_pictures_of_one_pixel_are_learnt_without_a_step_back(tmp_path: Path) -> None:
    folder = write_job(tmp_path / "job", recipe="full", train=2, held_out=0, steps=12)
    for number in range(2):
        assert cv2.imwrite(str(folder / f"pictures/{number}.png"), np.full((1, 1, 3), 130, np.uint8))
        assert cv2.imwrite(str(folder / f"truth/{number}.png"), np.ones((1, 1), np.uint8))
    assert not [event for event in learn(folder) if event["event"] == "warning" and "number" in event["text"]]


@pytest.mark.parametrize("variant", ["xception", "xception_slim"])
def test_a_lone_picture_can_be_learnt_with_and_without_bn_in_the_pooling(variant: str, tmp_path: Path) -> None:
    job = Job.read(write_job(tmp_path / "job", recipe="full", train=1, held_out=0))
    full = Full(build(variant, 2), Card("head", variant), job.out, Dataset.of(job), torch.device("cpu"), 0)
    loss = full.loss(1)
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
