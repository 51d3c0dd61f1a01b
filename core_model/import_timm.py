"""timm's xception41, xception65, xception71 (`tf_in1k`): ImageNet weights of DeepLab's backbones in names of its own.

Assumed of them, as timm defines and configures these three: ports of the official weights, pictures scaled to [-1, 1]
(mean and deviation 0.5), BN epsilon 1e-3, 3x3 kernels padded by their rate on every side, the stride on a block's third
convolution and on its shortcut, an activation before each separable convolution (in the last block after each
depthwise and pointwise instead), none after the last sum: all as here. Where strides become rates is this network's own
matter, the weights are the same. Those with activations first (`xception41p`, `xception65p`) are another network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from core_model.checkpoint import tensors_of
from core_model.foreign import Say, Stored, filled, silent
from core_model.import_torch import is_counter, recognised
from core_model.variants import Variant
from core_model.xception import Backbone, Xception

_LEFTOVER = re.compile(r"(head\.fc|fc|classifier)\.(weight|bias)$")


def timm_name(ours: str, variant: Variant) -> str:
    """Give timm's name: `middle.0.separable.1.depthwise.conv.weight` → `blocks.3.stack.conv2.conv_dw.weight`."""
    before = {"entry": 0, "middle": len(variant.entry), "exit": len(variant.entry) + variant.middle_units}
    name = re.sub(
        r"^(entry|middle|exit)\.(\d+)", lambda match: f"blocks.{before[match[1]] + int(match[2])}", ours
    ).replace(".skip.", ".shortcut.")
    name = re.sub(r"\.separable\.(\d)", lambda match: f".stack.conv{int(match[1]) + 1}", name)
    name = re.sub(r"\.depthwise\.(conv|norm)", r".\1_dw", name)
    name = re.sub(r"\.pointwise\.(conv|norm)", r".\1_pw", name)
    return re.sub(r"\bnorm(?=[._])", "bn", name)


def is_timm(stored: Mapping[str, Stored]) -> bool:
    """Whether the names are timm's of an aligned Xception."""
    return any(name.startswith("blocks.0.stack.") for name in stored)


def from_timm(stored: Mapping[str, Stored], source: str, output_stride: int = 16, say: Say = silent) -> Backbone:
    """Build the backbone, in evaluation mode; the classifier is left out and told to `say`. WeightsError."""
    variant = recognised(stored, timm_name, source, family="aligned")
    with torch.device("meta"):
        backbone = Xception(variant, output_stride)
    names = {ours: timm_name(ours, variant) for ours in tensors_of(backbone)}

    def leftover(name: str) -> bool:
        return is_counter(name) or _LEFTOVER.match(name) is not None

    return filled(backbone, stored, names, source, leftover, say, channels_last=False)
