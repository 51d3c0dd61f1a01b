"""Strides, rates, channels, normalisation and first weights, number by number as papers and official code have them.

The numbers here are written out by hand; none is computed by the rule that the network is built with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from core_model import VARIANTS, DeepLab, LinearHead, Xception, build
from core_model.blocks import ConvNorm, decays
from core_model.full import FullSettings
from core_model.schedule import Schedule
from core_model.xception import Unit

ALIGNED = ("xception_slim", "xception_41", "xception_65", "xception_71")
MIDDLE = {"xception": 8, "xception_slim": 8, "xception_41": 8, "xception_65": 16, "xception_71": 16}

# of each unit of the entry flow, then of each unit of the middle flow, then of the exit flow's two: (stride, rate)
REACHES = {
    ("three", 16): ([(2, 1), (2, 1), (2, 1)], (1, 1), [(1, 1), (1, 2)]),
    ("three", 8): ([(2, 1), (2, 1), (1, 1)], (1, 2), [(1, 2), (1, 4)]),
    ("three", 32): ([(2, 1), (2, 1), (2, 1)], (1, 1), [(2, 1), (1, 1)]),
    ("five", 16): ([(2, 1), (1, 1), (2, 1), (1, 1), (2, 1)], (1, 1), [(1, 1), (1, 2)]),
    ("five", 8): ([(2, 1), (1, 1), (2, 1), (1, 1), (1, 1)], (1, 2), [(1, 2), (1, 4)]),
    ("five", 32): ([(2, 1), (1, 1), (2, 1), (1, 1), (2, 1)], (1, 1), [(2, 1), (1, 1)]),
}

# channels: stem, entry flow, middle flow, exit flow
WIDE = ([32, 64], [128, 256, 728], 728, [[728, 1024, 1024], [1536, 1536, 2048]])
CHANNELS = {
    "xception": ([32, 64], [128, 256, 728], 728, [[728, 1024], [1536, 2048]]),
    "xception_slim": ([16, 24], [48, 96, 272], 272, [[272, 384, 384], [576, 576, 768]]),  # times 0.375, in eights
    "xception_41": WIDE,
    "xception_65": WIDE,
    "xception_71": ([32, 64], [128, 256, 256, 728, 728], 728, WIDE[3]),
}


def made(name: str, output_stride: int = 16, classes: int = 21) -> DeepLab:
    """A network without numbers, which costs no time."""
    with torch.device("meta"):
        return build(name, classes, output_stride)


def units(backbone: Xception) -> list[tuple[str, Unit]]:
    flows = (("entry", backbone.entry), ("middle", backbone.middle), ("exit", backbone.exit))
    return [(flow, unit) for flow, parts in flows for unit in parts]  # type: ignore[misc]


@pytest.mark.parametrize("output_stride", [8, 16, 32])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_unit_has_its_stride_and_rate(name: str, output_stride: int) -> None:
    entry, middle, exits = REACHES["five" if name == "xception_71" else "three", output_stride]
    backbone = made(name, output_stride).backbone
    expected = [*entry, *[middle] * MIDDLE[name], *exits]
    found = units(backbone)
    assert len(found) == len(expected)
    for (_, unit), (stride, rate) in zip(found, expected, strict=True):
        convolutions = [part.depthwise.conv for part in unit.separable]
        pooled = name == "xception" and unit.skip is not None
        strides = [1] * len(convolutions) if pooled else [1] * (len(convolutions) - 1) + [stride]
        assert [conv.stride for conv in convolutions] == [(s, s) for s in strides]
        for conv in convolutions:
            assert conv.kernel_size == (3, 3)
            assert conv.dilation == conv.padding == (rate, rate)  # padded by the rate on every side
            assert conv.groups == conv.in_channels
        assert unit.pool_stride == (stride if pooled else 0)
        if unit.skip is not None:
            assert unit.skip.conv.stride == (stride, stride)
            assert unit.skip.conv.kernel_size == (1, 1)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_unit_has_its_channels_and_its_kind_of_skip(name: str) -> None:
    stem, entry, middle, exits = CHANNELS[name]
    backbone = made(name).backbone
    depth = 2 if name == "xception" else 3
    expected: list[tuple[str, list[int], str]] = [("entry", [channels] * depth, "conv") for channels in entry]
    expected += [("middle", [middle] * 3, "identity")] * MIDDLE[name]
    expected += [("exit", exits[0], "conv"), ("exit", exits[1], "none")]
    assert [part.conv.out_channels for part in backbone.stem] == stem
    before = stem[1]
    for (flow, unit), (wanted, channels, skip) in zip(units(backbone), expected, strict=True):
        assert flow == wanted
        assert [part.pointwise.conv.out_channels for part in unit.separable] == channels
        assert unit.separable[0].depthwise.conv.in_channels == before
        assert (unit.skip is not None, unit.identity) == (skip == "conv", skip == "identity")
        before = channels[-1]


@pytest.mark.parametrize("name", VARIANTS)
def test_relus_stand_where_the_papers_have_them(name: str) -> None:
    """Before each separable convolution; in the last unit after each normalisation, and nowhere else inside."""
    for _, unit in units(made(name).backbone):
        last = unit.skip is None and not unit.identity
        assert unit.relu_after == last
        for part in unit.separable:
            assert part.depthwise.relu == (last and name != "xception")  # the original has nothing in between
            assert part.pointwise.relu == last


@pytest.mark.parametrize("name", VARIANTS)
def test_the_stem_is_padded_by_one_and_the_originals_picture_by_three(name: str) -> None:
    backbone = made(name).backbone
    first, second = (part.conv for part in backbone.stem)
    assert (first.kernel_size, first.stride, second.stride) == ((3, 3), (2, 2), (1, 1))
    assert first.padding == second.padding == ((0, 0) if name == "xception" else (1, 1))
    assert backbone.stem_padding == (3 if name == "xception" else 0)
    assert all(part.relu for part in backbone.stem)


def test_channels_of_a_width_are_multiples_of_eight_and_at_least_eight() -> None:
    row = replace(VARIANTS["xception_65"], width=0.01)
    assert row.channels(2048) == 24
    assert row.channels(32) == 8
    assert [replace(row, width=0.5).channels(c) for c in (32, 64, 728)] == [16, 32, 368]  # 364 is 45.5 eights
    assert VARIANTS["xception_65"].channels(729) == 729  # at full width the papers' own numbers


@pytest.mark.parametrize(("output_stride", "rates"), [(16, [6, 12, 18]), (8, [12, 24, 36])])
@pytest.mark.parametrize("name", VARIANTS)
def test_the_head_has_the_papers_layers(name: str, output_stride: int, rates: list[int]) -> None:
    head = made(name, output_stride).head
    original, slim = name == "xception", name == "xception_slim"
    deep = 728 if original else 768 if slim else 2048  # the original's middle flow feeds ASPP
    aspp = head.aspp
    assert [branch.depthwise.conv.dilation for branch in aspp.atrous] == [(rate, rate) for rate in rates]
    assert [branch.depthwise.conv.padding for branch in aspp.atrous] == [(rate, rate) for rate in rates]
    assert aspp.pooling.conv.in_channels == aspp.point.conv.in_channels == deep
    assert (aspp.projection.conv.in_channels, aspp.projection.conv.out_channels) == (5 * 256, 256)
    assert aspp.dropout.p == 0.1
    decoder = head.decoder
    assert decoder is not None
    assert (decoder.low_level.conv.in_channels, decoder.low_level.conv.out_channels) == (96 if slim else 256, 48)
    assert [part.depthwise.conv.in_channels for part in decoder.refine] == [304, 256]
    assert [part.pointwise.conv.out_channels for part in decoder.refine] == [256, 256]
    assert (head.classifier.in_channels, head.classifier.out_channels, head.classifier.kernel_size) == (256, 21, (1, 1))
    layers = [part for part in head.modules() if isinstance(part, ConvNorm)]
    assert all(layer.relu for layer in layers)  # ReLU after every normalisation of the head


@pytest.mark.parametrize("name", VARIANTS)
def test_normalisation_and_biases_are_as_specified(name: str) -> None:
    """The published decay of 0.9997 would keep the first statistics over a few thousand steps: ours is 0.95 to 0.99."""
    network = made(name)
    for part, epsilon in ((network.backbone, 1e-3), (network.head, 1e-5)):
        norms = [layer for layer in part.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert norms
        assert {norm.eps for norm in norms} == {epsilon}
        assert all(0.95 <= 1 - norm.momentum <= 0.99 for norm in norms if norm.momentum is not None)
        assert all(norm.momentum is not None and norm.affine and norm.track_running_stats for norm in norms)
    biased = [n for n, part in network.named_modules() if isinstance(part, nn.Conv2d) and part.bias is not None]
    assert biased == ["head.classifier"]


@pytest.mark.parametrize("name", ["xception", "xception_slim"])
def test_first_weights_have_the_deviation_of_their_kind(name: str) -> None:
    """He et al. 2015: the root of 2 over what a value is summed from; the last layer 0.01, as published."""
    torch.manual_seed(0)
    network = build(name, 21)
    for place, part in network.named_modules():
        if isinstance(part, nn.Conv2d):
            weight = part.weight.detach()
            summed = weight[0].numel()  # 9 of a depthwise kernel, the channels of a pointwise one, 27 of the stem's
            expected = 0.01 if place == "head.classifier" else (2 / summed) ** 0.5
            tolerance = 5 * expected / (2 * weight.numel()) ** 0.5  # five deviations of a sample's deviation
            assert abs(float(weight.std()) - expected) < tolerance, place
            assert abs(float(weight.mean())) < 5 * expected / weight.numel() ** 0.5, place
            if part.bias is not None:
                assert not part.bias.any()
        elif isinstance(part, nn.BatchNorm2d):
            assert (part.weight == 1).all()
            assert not part.bias.any()
            assert not part.running_mean.any()  # type: ignore[union-attr]
            assert (part.running_var == 1).all()  # type: ignore[union-attr]
    assert not any(parameter.any() for parameter in LinearHead(VARIANTS[name], 21).parameters())


@pytest.mark.parametrize("name", VARIANTS)
def test_weight_decay_is_for_kernels_that_mix_channels(name: str) -> None:
    """Not for depthwise kernels, as published, and neither for biases and normalisation."""
    for place, parameter in made(name).named_parameters():
        mixes = place.endswith(("conv.weight", "classifier.weight")) and ".depthwise." not in place
        assert decays(parameter) == mixes, place


def test_the_rate_falls_as_published() -> None:
    schedule = Schedule(steps=30_000, seconds=None)
    for step, rate in ((100, 0.0069790), (15_000, 0.0037512), (27_000, 0.00088125), (29_999, 6.5417e-7)):
        assert 0.007 * schedule.rate(step, 0) == pytest.approx(rate, rel=1e-4)  # 0.007 (1 - t/T)^0.9
    assert schedule.rate(30_000, 0) == 0


def test_the_slow_start_is_one_low_rate_and_then_the_poly_rate_of_all_steps() -> None:
    schedule = Schedule(steps=30_000, seconds=None, warmup=0, slow_start=1000, slow_factor=1e-4 / 0.007)
    assert [0.007 * schedule.rate(step, 0) for step in (0, 999)] == pytest.approx([1e-4, 1e-4])
    for step, rate in ((1000, 0.0067896), (15_000, 0.0037512)):
        assert 0.007 * schedule.rate(step, 0) == pytest.approx(rate, rel=1e-4)


def test_the_published_recipe_is_the_specifications() -> None:
    published = FullSettings.published()
    assert (published.optimizer, published.head_rate, published.backbone_rate) == ("sgd", 0.007, 0.007)
    assert (published.power, published.weight_decay) == (0.9, 4e-5)
    assert (published.crop, published.gpu_batch) == (513, 16)
    assert (published.scales, published.scale_step) == ((0.5, 2.0), 0.25)


Layers = dict[str, tuple[Any, ...]]


def layers(network: nn.Module) -> Layers:
    """Every layer by its place, in numbers."""
    found: Layers = {}
    for place, part in network.named_modules():
        if isinstance(part, nn.Conv2d):
            found[place] = (part.in_channels, part.out_channels, part.kernel_size, part.stride, part.dilation)
            found[place] += (part.padding, part.groups, part.bias is not None)
        elif isinstance(part, nn.BatchNorm2d):
            found[place] = (part.num_features, part.eps, part.momentum)
        elif isinstance(part, ConvNorm):
            found[place] = (part.relu,)
        elif isinstance(part, nn.Dropout):
            found[place] = (part.p,)
    return found


def changed(**columns: Any) -> set[str]:
    """The places of layers that a row with other columns has differently, or not at all, or anew."""
    row = VARIANTS["xception_41"]
    with torch.device("meta"):
        before, after = layers(build(row, 5)), layers(build(replace(row, **columns), 5))
    return {place for place in before | after if before.get(place) != after.get(place)}


def places(wanted: Callable[[str], bool]) -> set[str]:
    return {place for place in layers(made("xception_41", classes=5)) if wanted(place)}


def test_relu_inside_is_an_activation_in_every_separable_convolution_of_the_backbone() -> None:
    """The last unit has it anyway. No layer has other numbers, so the same weights fit."""
    inside = places(lambda p: p.startswith("backbone.") and p.endswith(".depthwise") and ".exit.1." not in p)
    assert len(inside) == 3 * (3 + 8 + 1)
    assert changed(relu_inside=True) == inside


def test_aspp_feature_changes_what_aspp_reads_and_nothing_else() -> None:
    first = (
        "pooling.conv",
        "point.conv",
        *(f"atrous.{i}.depthwise.{part}" for i in range(3) for part in ("conv", "norm")),
    )
    reads = {f"head.aspp.{place}" for place in (*first, *(f"atrous.{i}.pointwise.conv" for i in range(3)))}
    assert changed(aspp_feature="middle") == reads
    row = VARIANTS["xception_41"]
    assert row.taps == ("low_level", "exit")
    assert replace(row, aspp_feature="middle").taps == ("low_level", "middle")


def test_decoder_takes_the_decoder_away_and_nothing_else() -> None:
    assert changed(decoder=False) == places(lambda p: p.startswith("head.decoder."))


def test_aspp_rates_change_how_far_the_branches_reach_and_nothing_else() -> None:
    assert changed(aspp_rates=(2, 12, 5)) == {f"head.aspp.atrous.{i}.depthwise.conv" for i in (0, 2)}
    assert changed(aspp_rates=(6, 12)) == places(
        lambda p: p.startswith("head.aspp.atrous.2.") or p == "head.aspp.projection.conv"
    )


def test_aspp_separable_changes_the_branches_and_nothing_else() -> None:
    branches = changed(aspp_separable=False)
    assert all(place.startswith("head.aspp.atrous.") for place in branches)
    row = replace(VARIANTS["xception_41"], aspp_separable=False)
    with torch.device("meta"):
        head = build(row, 5).head
    for branch, rate in zip(head.aspp.atrous, (6, 12, 18), strict=True):
        conv = branch.conv
        assert (conv.in_channels, conv.out_channels, conv.groups) == (2048, 256, 1)
        assert conv.kernel_size == (3, 3)
        assert conv.dilation == conv.padding == (rate, rate)
        assert branch.relu


def test_pooling_norm_takes_one_normalisation_away_and_nothing_else() -> None:
    assert changed(pooling_norm=False) == {"head.aspp.pooling.norm"}


def test_width_narrows_the_backbone_and_what_reads_it() -> None:
    narrow = changed(width=0.5)
    head = {place for place in narrow if place.startswith("head.")}
    assert head == changed(aspp_feature="middle") | {"head.decoder.low_level.conv"}
    assert narrow - head == places(lambda p: p.startswith("backbone.") and p.endswith((".conv", ".norm")))


def test_linear_reads_changes_the_linear_head_alone() -> None:
    assert changed(linear_reads=("low_level",)) == set()
    assert LinearHead(replace(VARIANTS["xception_41"], linear_reads=("low_level",)), 5).taps == ("low_level",)
