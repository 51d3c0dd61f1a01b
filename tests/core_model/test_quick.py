"""The quick learner on what a backbone saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core_model import VARIANTS, Card
from core_model.dataset import Sample
from core_model.features import Features
from core_model.heads import AsppDecoderHead, VotingHead
from core_model.losses import Overlap
from core_model.quick import Quick, QuickSettings, Voter
from core_model.xception import tap_channels


@dataclass
class Seen:
    """A picture of 32 x 32 that was seen."""

    taps: dict[str, Tensor]
    truth: NDArray[np.uint8]
    size: tuple[int, int] = (32, 32)

    def load(self) -> tuple[dict[str, Tensor], NDArray[np.uint8]]:
        return self.taps, self.truth


def _quick(
    variant: str,
    out: Path,
    pictures: int = 1,
    parent: str | None = None,
    kind: type[AsppDecoderHead] = AsppDecoderHead,
    settings: QuickSettings | None = None,
) -> Quick:
    torch.manual_seed(0)
    row = VARIANTS[variant]
    head = kind(row, 2)
    strides = {"low_level": 4, "mid_level": 8}
    random = torch.Generator().manual_seed(0)
    truth = np.zeros((32, 32), np.uint8)
    truth[16:] = 1
    looks = [
        Seen(
            {
                name: torch.randn(channels, *2 * [32 // strides.get(name, 16)], generator=random).half()
                for name, channels in tap_channels(row).items()
                if name in head.taps
            },
            truth,
        )
        for _ in range(pictures)
    ]
    card = Card("head", variant, classes=("one", "other"), parent=parent)
    return Quick(head, card, out, looks, [], np.array([512, 512]), torch.device("cpu"), 0, settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["xception", "xception_slim"])
def test_a_lone_picture_can_be_learnt_with_and_without_bn_in_the_pooling(variant: str, tmp_path: Path) -> None:
    quick = _quick(variant, tmp_path)
    loss = quick.loss(2)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(part.grad is not None and torch.isfinite(part.grad).all() for part in quick.head.parameters())


def test_kernels_that_mix_channels_decay_and_nothing_else(tmp_path: Path) -> None:
    quick = _quick("xception", tmp_path)
    rates = {group["lr"] for group in quick.groups()}
    decay = {id(part): group["weight_decay"] for group in quick.groups() for part in group["params"]}
    assert len(decay) == len(list(quick.head.parameters()))
    assert rates == {quick.settings.rate}
    for module in quick.head.modules():
        if isinstance(module, nn.Conv2d):
            mixes = module.groups == 1
            assert decay[id(module.weight)] == (quick.settings.weight_decay if mixes else 0)
            assert module.bias is None or decay[id(module.bias)] == 0
        elif isinstance(module, nn.BatchNorm2d):
            assert decay[id(module.weight)] == decay[id(module.bias)] == 0


def test_a_head_that_goes_on_has_a_smaller_rate(tmp_path: Path) -> None:
    fresh, further = (_quick("xception", tmp_path, parent=parent).groups() for parent in (None, "before"))
    assert all(group["lr"] < 0.5 * fresh[0]["lr"] for group in further)


def test_the_loss_falls(tmp_path: Path) -> None:
    quick = _quick("xception_slim", tmp_path, pictures=2)
    optimizer = torch.optim.AdamW(quick.groups())
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = quick.loss(2)
        losses.append(float(loss.detach()))
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]


def test_the_linear_part_learns_before_the_other_and_stays(tmp_path: Path) -> None:
    quick = _quick("xception", tmp_path, kind=VotingHead)
    head = quick.head
    assert isinstance(head, VotingHead)
    truth = np.repeat(np.arange(4, dtype=np.uint8) // 2, 4)[:, None].repeat(16, 1)
    taps = {name: torch.randn(728, 4, 4).half() for name in head.taps}
    for name in ("low_level", "mid_level"):
        taps[name] = torch.randn(256 if name == "low_level" else 728, 4, 4).half()
    taps["low_level"][0] = torch.from_numpy(truth[::4, ::4] * 4.0)
    voter = Voter(head, pictures=1, seed=0)
    voter.see(Sample("one", tmp_path, tmp_path), Features(taps, 16, 16, (16, 16), ""), truth)
    voter.learn()
    weight, bias = head.linear.weights
    assert weight.any()
    with torch.inference_mode():
        said = head.linear({name: tap[None] for name, tap in taps.items()})[0].argmax(0)
    np.testing.assert_array_equal(said, truth[::4, ::4])
    quick.loss(1).backward()  # type: ignore[no-untyped-call]
    learnt = {id(part) for group in quick.groups() for part in group["params"]}
    assert not learnt & {id(part) for part in head.linear.parameters()}
    assert all(part.grad is None for part in head.linear.parameters())
    voter.learn()
    assert torch.equal(head.linear.weights[0], weight)  # from the start again: the same cells, the same weights
    assert torch.equal(head.linear.weights[1], bias)


def test_what_a_step_does_not_see_differs_from_step_to_step(tmp_path: Path) -> None:
    quick = _quick("xception", tmp_path, settings=QuickSettings(dropout=0.0, hidden=0.5))
    quick.module.eval()  # no statistics, no dropout: only the channels differ
    with torch.no_grad():
        assert len({float(quick.loss(1)) for _ in range(3)}) == 3
        quick.settings = QuickSettings(dropout=0.0, hidden=0.0)
        assert len({float(quick.loss(1)) for _ in range(3)}) == 1


@pytest.mark.parametrize("overlap", ["lovasz", "dice"])
def test_overlap_is_added_where_it_is_asked_for(overlap: Overlap, tmp_path: Path) -> None:
    quick = _quick("xception", tmp_path)
    quick.module.eval()
    losses = []
    for settings in (QuickSettings(hidden=0.0, overlap=None), QuickSettings(hidden=0.0, overlap=overlap)):
        quick.settings = settings
        with torch.no_grad():
            losses.append(float(quick.loss(1)))
    assert 0 < losses[1] - losses[0] <= quick.settings.overlap_weight
