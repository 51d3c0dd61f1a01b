"""timm's aligned Xceptions become backbones. Its files are imitated: our own weights under the names that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from core_model import VARIANTS, WeightsError, Xception, load
from core_model.checkpoint import tensors_of
from core_model.import_timm import timm_name

SLIM = VARIANTS["xception_slim"]  # timm has none as small; the names are made in the same way


@pytest.fixture(scope="module")
def backbone() -> Xception:
    torch.manual_seed(1)
    return Xception(SLIM).eval()


@pytest.fixture(scope="module")
def state(backbone: Xception) -> dict[str, Tensor]:
    """As timm saves it: with the classifier and the counters of the normalisations."""
    state = {timm_name(name, SLIM): value.clone() for name, value in tensors_of(backbone).items()}
    state |= {
        name.replace("running_mean", "num_batches_tracked"): torch.tensor(9)
        for name in state
        if name.endswith("running_mean")
    }
    return state | {"head.fc.weight": torch.zeros(1000, 768), "head.fc.bias": torch.zeros(1000)}


@pytest.mark.parametrize(
    ("variant", "blocks", "millions"),
    [("xception_41", 13, 26.97), ("xception_65", 21, 39.92), ("xception_71", 23, 42.34)],
)
def test_timms_network_is_ours(variant: str, blocks: int, millions: float) -> None:
    row = VARIANTS[variant]
    with torch.device("meta"):
        parameters = {timm_name(name, row): value.numel() for name, value in Xception(row).named_parameters()}
    assert round((sum(parameters.values()) + 2048 * 1000 + 1000) / 1e6, 2) == millions  # with its classifier
    assert {int(name.split(".")[1]) for name in parameters if name.startswith("blocks.")} == set(range(blocks))
    pattern = (
        r"(stem\.[01]|blocks\.\d+\.shortcut)\.(conv\.weight|bn\.(weight|bias))"
        r"|blocks\.\d+\.stack\.conv[123]\.(conv_(dw|pw)\.weight|bn_(dw|pw)\.(weight|bias))"
    )
    assert all(re.fullmatch(pattern, name) for name in parameters)
    last = blocks - 1
    assert f"blocks.{last}.stack.conv3.bn_pw.bias" in parameters
    assert f"blocks.{last}.shortcut.conv.weight" not in parameters
    assert f"blocks.{last - 1}.shortcut.conv.weight" in parameters
    assert f"blocks.{last - 2}.shortcut.conv.weight" not in parameters  # the middle flow's skips are the identity


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors", "no_suffix"])
def test_a_state_dict_becomes_a_backbone(
    tmp_path: Path, backbone: Xception, state: dict[str, Tensor], name: str
) -> None:
    if name == "x.pth":
        torch.save(state, tmp_path / name)
    else:
        safetensors.torch.save_file(state, tmp_path / name)
    said: list[str] = []
    found = load(tmp_path / name, output_stride=8, say=said.append)
    assert isinstance(found, Xception)
    assert (found.variant.name, found.output_stride, found.training) == ("xception_slim", 8, False)
    for key, value in tensors_of(backbone).items():
        assert torch.equal(value, tensors_of(found)[key]), key
    assert len(said) == 1
    assert re.search(r"num_batches_tracked \(\d\d\), head\.fc \(2\)$", said[0])


def test_half_precision_and_no_classifier(tmp_path: Path, backbone: Xception, state: dict[str, Tensor]) -> None:
    halved = {name: value.bfloat16() for name, value in state.items() if value.ndim == 4}
    torch.save(
        {"state_dict": {f"module.{name}": halved.get(name, value) for name, value in state.items()}}, tmp_path / "x"
    )
    found = load(tmp_path / "x")
    own, expected = tensors_of(found)["entry.0.skip.conv.weight"], tensors_of(backbone)["entry.0.skip.conv.weight"]
    assert own.dtype == torch.float32
    assert torch.equal(own, expected.bfloat16().float())


def test_what_is_missing_extra_or_misshapen_is_named(tmp_path: Path, state: dict[str, Tensor]) -> None:
    wrong = dict(state)
    del wrong["blocks.4.stack.conv2.conv_pw.weight"]
    wrong["blocks.4.norm.weight"] = torch.zeros(3)
    wrong["stem.0.conv.weight"] = torch.zeros(24, 3, 3, 3)
    torch.save(wrong, tmp_path / "x.pth")
    with pytest.raises(WeightsError) as caught:
        load(tmp_path / "x.pth")
    said = str(caught.value)
    assert "blocks.4.norm.weight does not belong to it" in said
    assert "blocks.4.stack.conv2.conv_pw.weight is missing" in said
    assert "stem.0.conv.weight has shape (24, 3, 3, 3)" in said
    assert "\n" not in said
