"""PyTorch state dicts of this network: what they hold is told from names and shapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from core_model import VARIANTS, AsppDecoderHead, DeepLab, LinearHead, WeightsError, Xception, build, load
from core_model.checkpoint import tensors_of

SLIM = VARIANTS["xception_slim"]


def same(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = tensors_of(one), tensors_of(other)
    return mine.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in mine.items())


@pytest.fixture(scope="module")
def network() -> DeepLab:
    torch.manual_seed(2)
    return build(SLIM, 5).eval()


@pytest.mark.parametrize("under", ["", "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_network(tmp_path: Path, network: DeepLab, under: str, prefix: str) -> None:
    state = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
    torch.save({under: state, "epoch": 3} if under else state, tmp_path / "x.pth")
    found = load(tmp_path / "x.pth", variant="xception_slim", output_stride=8)
    assert isinstance(found, DeepLab)
    assert same(network, found)
    assert (found.backbone.output_stride, found.head.output_stride, found.training) == (8, 8, False)


def test_the_format_of_old_and_safetensors(tmp_path: Path, network: DeepLab) -> None:
    torch.save(network.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "x.safetensors")
    assert same(network, load(tmp_path / "old.pth"))
    assert same(network, load(tmp_path / "x.safetensors"))


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "xception_slim"])
def test_every_variant_is_told_from_the_others(tmp_path: Path, variant: str) -> None:
    with torch.device("meta"):
        state = Xception(VARIANTS[variant]).state_dict()
    torch.save({name: torch.zeros(()).expand(value.shape) for name, value in state.items()}, tmp_path / "x.pth")
    assert (tmp_path / "x.pth").stat().st_size < 2_000_000  # one value each, spread
    found = load(tmp_path / "x.pth")
    assert isinstance(found, Xception)
    assert found.variant.name == variant


@pytest.mark.parametrize(
    "head",
    [
        AsppDecoderHead(replace(SLIM, decoder=False), 1),
        AsppDecoderHead(SLIM, 255, pooling_norm=False),
        LinearHead(SLIM, 2, reads=("middle", "low_level")),
    ],
)
def test_every_head(tmp_path: Path, network: DeepLab, head: AsppDecoderHead | LinearHead) -> None:
    torch.save(DeepLab(network.backbone, head).state_dict(), tmp_path / "x.pth")
    found = load(tmp_path / "x.pth")
    assert isinstance(found, DeepLab)
    assert type(found.head) is type(head)
    assert same(head, found.head)
    x = torch.rand(1, 3, 33, 33)
    with torch.inference_mode():
        torch.testing.assert_close(found(x), DeepLab(network.backbone, head).eval()(x))


def test_a_backbone_alone(tmp_path: Path, network: DeepLab) -> None:
    for prefix in ("", "backbone."):
        state = {f"{prefix}{name}": value for name, value in network.backbone.state_dict().items()}
        torch.save(state, tmp_path / "x.pth")
        assert same(network.backbone, load(tmp_path / "x.pth"))


def test_what_is_wrong_is_named(tmp_path: Path, network: DeepLab) -> None:
    def refused(change: dict[str, Tensor | None]) -> str:
        state = {name: value for name, value in {**network.state_dict(), **change}.items() if value is not None}
        torch.save(state, tmp_path / "x.pth")
        with pytest.raises(WeightsError) as caught:
            load(tmp_path / "x.pth")
        return str(caught.value)

    assert "backbone.stem.0.conv.weight is missing" in refused({"backbone.stem.0.conv.weight": None})
    assert "head.aux.weight does not belong to it" in refused({"head.aux.weight": torch.zeros(1)})
    assert "not floating-point" in refused({"backbone.stem.0.norm.bias": torch.zeros(16, dtype=torch.int64)})
    assert "not finite" in refused({"head.classifier.bias": torch.full((5,), torch.nan)})
    assert "number of classes" in refused({"head.classifier.weight": torch.zeros(256, 256, 1, 1)})
    assert "number of classes" in refused({"head.classifier.weight": None})


def test_another_network_and_another_variant(tmp_path: Path, network: DeepLab) -> None:
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match=r"resnet\.pth is of another network: it has no tensor in common"):
        load(tmp_path / "resnet.pth")
    torch.save(network.state_dict(), tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="holds xception_slim, not xception_65"):
        load(tmp_path / "x.pth", variant="xception_65")
