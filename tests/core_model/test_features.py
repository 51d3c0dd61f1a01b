"""Features keep what a head needs, small, and know what they are of."""

from __future__ import annotations

import numpy as np
import torch

from core_model import VARIANTS, Predictor, Xception


def test_features_hold_the_heads_taps_in_half_precision() -> None:
    rgb = np.full((50, 70, 3), 90, np.uint8)
    features = Predictor(Xception(VARIANTS["xception"]).eval(), "cpu").features(rgb)
    assert (features.height, features.width, features.padded) == (50, 70, (65, 81))
    assert {name: (tuple(tap.shape), tap.dtype, tap.device.type) for name, tap in features.taps.items()} == {
        "low_level": ((256, 17, 21), torch.float16, "cpu"),
        "mid_level": ((728, 9, 11), torch.float16, "cpu"),
        "middle": ((728, 5, 6), torch.float16, "cpu"),
    }
    assert features.bytes == 2 * (256 * 17 * 21 + 728 * 9 * 11 + 728 * 5 * 6)


def test_values_too_large_for_half_precision_stay_finite() -> None:
    backbone = Xception(VARIANTS["xception_slim"]).eval()
    norm = backbone.entry[1].separable[1].pointwise.norm
    with torch.no_grad():
        norm.weight.fill_(1e6)
    features = Predictor(backbone, "cpu").features(np.random.default_rng(0).integers(0, 255, (17, 17, 3), np.uint8))
    assert all(torch.isfinite(tap).all() for tap in features.taps.values())
