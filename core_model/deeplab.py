"""DeepLab V3+ (Chen et al. 2018): a backbone and a head."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from core_model.heads import AsppDecoderHead, Head
from core_model.variants import VARIANTS, Variant
from core_model.xception import Backbone, Xception


class DeepLab(nn.Module):
    """RGB (N, 3, H, W) float32 in [-1, 1] → logits (N, C, (H-1)//4+1, (W-1)//4+1); pads nothing to size."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def features(self, x: Tensor, taps: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Give the named taps of the backbone (those that the head reads by default)."""
        return self.backbone.features(x, self.head.taps if taps is None else taps)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits at stride 4."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def variant_of(name: str | Variant) -> Variant:
    """Look a variant up by its name; ValueError with the names that exist."""
    if isinstance(name, Variant):
        return name
    if name not in VARIANTS:
        raise ValueError(f"there is no variant {name!r}; there are {', '.join(VARIANTS)}")
    return VARIANTS[name]


def build(
    variant: str | Variant, num_classes: int, output_stride: int = 16, pooling_norm: bool | None = None
) -> DeepLab:
    """Make the network of a variant with fresh weights, in training mode."""
    row = variant_of(variant)
    return DeepLab(
        Xception(row, output_stride), AsppDecoderHead(row, num_classes, output_stride, pooling_norm=pooling_norm)
    )
