"""A head turns features into logits at stride 4."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from core_model import HEADS, VARIANTS, AsppDecoderHead, Card, LinearHead, VotingHead, upsample
from core_model.checkpoint import tensors_of

ROW = VARIANTS["xception"]


def taps(height: int = 33, width: int = 49) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {
        "low_level": torch.randn(1, 256, height // 4 + 1, width // 4 + 1),
        "mid_level": torch.randn(1, 728, height // 8 + 1, width // 8 + 1),
        "middle": torch.randn(1, 728, height // 16 + 1, width // 16 + 1),
    }


@pytest.mark.parametrize("kind", HEADS)
def test_every_head_gives_logits_at_stride_4(kind: str) -> None:
    head = HEADS[kind](ROW, 7).eval()
    assert set(head.taps) <= set(taps())
    with torch.inference_mode():
        assert head(taps()).shape == (1, 7, 9, 13)
    card = Card("head", ROW.name, kind, classes=tuple("abcdefg"), pooling_norm=head.pooling_norm, reads=head.reads)
    assert {k: v.shape for k, v in HEADS[kind].of(card).state_dict().items()} == {
        k: v.shape for k, v in head.state_dict().items()
    }


def test_image_pooling_without_norm_trains_on_a_single_picture() -> None:
    head = AsppDecoderHead(ROW, 4)
    assert not head.pooling_norm  # the column of this variant
    head(taps()).sum().backward()
    assert head.aspp.pooling.conv.weight.grad is not None
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        AsppDecoderHead(ROW, 4, pooling_norm=True)(taps())


def test_pooling_norm_is_seen_in_the_names() -> None:
    with_norm = set(tensors_of(AsppDecoderHead(ROW, 4, pooling_norm=True)))
    assert with_norm - set(tensors_of(AsppDecoderHead(ROW, 4))) == {
        f"aspp.pooling.norm.{leaf}" for leaf in ("weight", "bias", "running_mean", "running_var")
    }


def test_without_decoder_the_logits_are_asppss_own_brought_to_stride_4() -> None:
    head = AsppDecoderHead(replace(ROW, decoder=False), 4).eval()
    with torch.inference_mode():
        given = taps()
        torch.testing.assert_close(head(given), upsample(head.classifier(head.aspp(given["middle"])), (9, 13)))


def test_the_image_pooling_sees_the_whole_map() -> None:
    head = AsppDecoderHead(ROW, 4).eval()
    given = taps(161, 161)
    changed = {**given, "middle": given["middle"].clone()}
    changed["middle"][..., -1, -1] += 100
    with torch.inference_mode():
        assert not torch.equal(head(given)[..., 0, 0], head(changed)[..., 0, 0])


def test_a_linear_head_classifies_each_cell_by_all_that_it_reads() -> None:
    head, given = LinearHead(ROW, 4, reads=("low_level", "middle", "middle_mean3")), taps()
    assert head.taps == ("low_level", "middle")
    assert set(tensors_of(head)) == {
        "classifier.bias",
        *(f"classifier.weight.{name}" for name in ("low_level", "middle", "middle_mean3")),
    }
    weight, bias = torch.randn(4, 256 + 728 + 728), torch.randn(4)
    head.put(weight, bias)
    assert torch.equal(head.weights[0], weight)
    around = F.avg_pool2d(given["middle"], 3, 1, 1, count_include_pad=False)
    cells = torch.cat([given["low_level"], upsample(given["middle"], (9, 13)), upsample(around, (9, 13))], 1)
    wanted = torch.einsum("kc,nchw->nkhw", weight, cells) + bias[:, None, None]
    with torch.inference_mode():
        torch.testing.assert_close(head(given), wanted, rtol=1e-4, atol=1e-3)


def test_a_linear_head_that_has_learnt_nothing_favours_no_class() -> None:
    with torch.inference_mode():
        assert not LinearHead(ROW, 4)(taps()).any()


def test_a_linear_head_reads_what_its_variant_says() -> None:
    assert LinearHead(ROW, 2).reads == ROW.linear_reads
    with pytest.raises(ValueError, match="there is no tap middle99"):
        LinearHead(ROW, 2, reads=("middle99_mean3",))


def test_both_parts_of_a_voting_head_add_up() -> None:
    head, given = VotingHead(ROW, 4).eval(), taps()
    with torch.inference_mode():
        own = AsppDecoderHead.forward(head, given)
        torch.testing.assert_close(head(given), own)  # a linear part that has learnt nothing
        head.linear.put(torch.randn_like(head.linear.weights[0]), torch.randn(4))
        torch.testing.assert_close(head.own(given), own)
        torch.testing.assert_close(head(given), own + head.linear(given))
    assert {f"linear.{name}" for name in tensors_of(head.linear)} < set(tensors_of(head))
