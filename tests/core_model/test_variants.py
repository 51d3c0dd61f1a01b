"""Every row of the table is a network, and every column of a row does what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core_model import VARIANTS, Xception, build
from core_model.blocks import ConvNorm, SeparableConv
from core_model.checkpoint import tensors_of


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_gives_logits_at_stride_4_whatever_the_size(name: str) -> None:
    network = build(replace(VARIANTS[name], width=0.25), 5).eval()
    with torch.inference_mode():
        for height, width in ((30, 41), (513, 1)):
            logits = network(torch.zeros(2, 3, height, width))
            assert logits.shape == (2, 5, (height - 1) // 4 + 1, (width - 1) // 4 + 1)


@pytest.mark.parametrize("name", VARIANTS)
def test_taps_have_the_channels_and_strides_they_say(name: str) -> None:
    backbone = Xception(replace(VARIANTS[name], width=0.25)).eval()
    with torch.inference_mode():
        taps = backbone.features(torch.zeros(1, 3, 66, 83), backbone.channels)
    assert {tap: value.shape[1] for tap, value in taps.items()} == backbone.channels
    for tap, stride in (("stem", 2), ("low_level", 4), ("mid_level", 8), ("middle", 16), ("exit", 16)):
        assert taps[tap].shape[2:] == (65 // stride + 1, 82 // stride + 1), tap


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("output_stride", [8, 16])
def test_the_atrous_form_computes_the_strided_network_at_more_places(name: str, output_stride: int) -> None:
    torch.manual_seed(3)
    narrow = replace(VARIANTS[name], width=0.25)
    strided, atrous = Xception(narrow, 32).eval(), Xception(narrow, output_stride).eval()
    atrous.load_state_dict(strided.state_dict())
    x = torch.randn(1, 3, 97, 65)
    with torch.inference_mode():
        coarse, fine = strided.features(x, ["exit"])["exit"], atrous.features(x, ["exit"])["exit"]
    step = 32 // output_stride
    torch.testing.assert_close(fine[:, :, ::step, ::step], coarse, rtol=1e-4, atol=1e-4 * float(coarse.abs().max()))


def test_the_sizes_are_those_of_the_papers() -> None:
    def values(name: str) -> int:
        with torch.device("meta"):
            return sum(t.numel() for t in tensors_of(Xception(VARIANTS[name])).values())

    assert values("xception") == 20_861_480  # Keras counts the same
    assert 37.7e6 < values("xception_65") < 38.1e6
    assert values("xception_slim") < values("xception_41") / 6


def test_an_unknown_variant_or_stride_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match="xception_65"):
        build("resnet", 2)
    with pytest.raises(ValueError, match="8, 16 or 32"):
        build("xception", 2, output_stride=4)
    with pytest.raises(ValueError, match="low_level"):
        build("xception_slim", 2).features(torch.zeros(1, 3, 17, 17), ["nothing"])


def test_each_column_changes_what_it_names() -> None:
    row = VARIANTS["xception_slim"]
    assert build(replace(row, decoder=False), 3).head.decoder is None
    assert all(isinstance(branch, SeparableConv) for branch in build(row, 3).head.aspp.atrous)
    assert all(isinstance(b, ConvNorm) for b in build(replace(row, aspp_separable=False), 3).head.aspp.atrous)
    assert build(replace(row, aspp_feature="middle"), 3).head.taps == ("low_level", "middle")
    atrous = build(replace(row, aspp_rates=(2, 4)), 3, 8).head.aspp.atrous
    assert [branch.depthwise.conv.dilation[0] for branch in atrous] == [4, 8]  # twice as much at output stride 8
    plain, active = Xception(row).eval(), Xception(replace(row, relu_inside=True)).eval()
    active.load_state_dict(plain.state_dict())
    x = torch.randn(1, 3, 33, 33)
    with torch.inference_mode():
        assert not torch.allclose(plain(x)["exit"], active(x)["exit"])
