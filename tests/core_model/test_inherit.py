"""What a head takes over from one of another recipe, or of other classes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core_model import HEADS, VARIANTS, Card, Head, VotingHead, save_head
from core_model.checkpoint import file_sha256, tensors_of
from core_model.inherit import starting_head
from core_model.job import Job
from tests.core_model.job_folder import backbone, write_job

ROW = VARIANTS["xception_slim"]


def _parent(folder: Path, kind: str) -> Head:
    torch.manual_seed(3)
    head = HEADS[kind](ROW, 2)
    for part in head.parameters():
        torch.nn.init.normal_(part)
    card = Card("head", ROW.name, backbone=file_sha256(backbone()), classes=("ground", "disc"))
    save_head(folder / "parent.safetensors", head, card)
    return head


def _start(folder: Path, recipe: str, classes: list[str]) -> tuple[Head, str | None, str | None]:
    job = write_job(folder / "job", recipe=recipe, classes=classes, head=str(folder / "parent.safetensors"))
    return starting_head(Job.read(job), file_sha256(backbone()))


@pytest.mark.parametrize(
    ("before", "recipe"),
    [("aspp_decoder", "quick"), ("aspp_linear", "quick"), ("aspp_linear", "full"), ("aspp_decoder", "full")],
)
def test_aspp_and_decoder_go_on_between_recipes(before: str, recipe: str, tmp_path: Path) -> None:
    parent = _parent(tmp_path, before)
    head, name, warning = _start(tmp_path, recipe, ["sky", "disc"])
    assert (name, warning) == ("parent", None)
    assert isinstance(head, VotingHead) == (recipe == "quick")
    own, given = tensors_of(head), tensors_of(parent)
    for key in own.keys() & given.keys():
        if "classifier." in key:
            assert torch.equal(own[key][1], given[key][1])  # the class that both have
            assert not torch.equal(own[key][0], given[key][0])
        else:
            assert torch.equal(own[key], given[key])
    assert "aspp.point.conv.weight" in own.keys() & given.keys()


@pytest.mark.parametrize(("before", "recipe"), [("linear", "quick"), ("linear", "full"), ("aspp_linear", "linear")])
def test_a_head_of_another_kind_gives_nothing(before: str, recipe: str, tmp_path: Path) -> None:
    _parent(tmp_path, before)
    _, name, warning = _start(tmp_path, recipe, ["ground", "disc"])
    assert name is None
    assert "another network" in str(warning)
