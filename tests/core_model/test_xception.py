"""The shipped backbone gives the numbers that Keras gave for these weights, and lies where the decoder expects it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core_model import VARIANTS, Xception, load_backbone, to_input
from core_model.checkpoint import tensors_of

DATA = Path(__file__).parents[1] / "data" / "oracle"
SHIPPED = Path(__file__).parents[2] / "resources" / "models" / "xception_imagenet.safetensors"
TAPS = {
    "stem": "stem",
    "block2": "entry1",
    "block3_before_pool": "low_level",
    "block3": "entry2",
    "block4": "entry3",
    "middle": "middle",
    "block13": "exit1",
    "block14": "exit",
}


@pytest.fixture(scope="module")
def keras_layout() -> Xception:
    """The shipped weights in Keras's own network: nothing added round the picture, output stride 32."""
    backbone = Xception(VARIANTS["xception"], 32, stem_padding=0)
    backbone.load_state_dict(load_backbone(SHIPPED).state_dict())
    return backbone.eval()


@pytest.mark.parametrize("size", ["135x167", "199x135"])
def test_the_features_are_kerass(keras_layout: Xception, size: str) -> None:
    """In fp32 the largest error is 2.7e-6 of the largest value (135x167), from the fp16 of the shipped file 7.8e-4."""
    golden = np.load(DATA / f"golden_keras_xception_{size}.npz")
    image = golden["image"]
    with torch.inference_mode():
        taps = keras_layout.features(to_input(image, *image.shape[:2]), keras_layout.channels)
    for place, tap in TAPS.items():
        found = taps[tap][0].permute(1, 2, 0).numpy()
        assert found.shape == tuple(golden[f"probe_{place}_shape"]), place
        bound = 1e-3 * float(np.abs(found).max())
        np.testing.assert_allclose(
            found[:5, :5, :4], golden[f"probe_{place}_corner"], rtol=0, atol=bound, err_msg=place
        )
        assert abs(found.mean() - golden[f"probe_{place}_mean"]) < bound / 4, place
        assert abs(found.std() - golden[f"probe_{place}_std"]) < bound / 4, place
    np.testing.assert_allclose(found, golden["features"], rtol=0, atol=1e-3 * golden["features"].max())


@pytest.mark.parametrize("fault", ["two norms exchanged", "epsilon", "blue for red"])
def test_the_bound_notices_the_faults_that_an_import_makes(keras_layout: Xception, fault: str) -> None:
    golden = np.load(DATA / "golden_keras_xception_135x167.npz")
    image = golden["image"]
    broken = Xception(VARIANTS["xception"], 32, stem_padding=0).eval()
    state = dict(keras_layout.state_dict())
    if fault == "two norms exchanged":
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            a, b = f"entry.2.skip.norm.{leaf}", f"entry.2.separable.1.pointwise.norm.{leaf}"
            state[a], state[b] = state[b], state[a]
    broken.load_state_dict(state)
    if fault == "epsilon":
        for part in broken.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.eps = 1e-5
    if fault == "blue for red":
        image = image[..., ::-1]
    with torch.inference_mode():
        found = broken.features(to_input(image, *image.shape[:2]), ["exit"])["exit"][0].permute(1, 2, 0).numpy()
    assert np.abs(found - golden["features"]).max() > 5e-3 * golden["features"].max()


@pytest.mark.parametrize("name", ["xception", "xception_slim"])
@pytest.mark.parametrize(("tap", "stride"), [("low_level", 4), ("mid_level", 8), ("entry3", 16)])
def test_a_cell_sits_on_its_pixel(name: str, tap: str, stride: int) -> None:
    """What one broken pixel reaches is symmetric round the cell that sits on it."""
    backbone = Xception(replace(VARIANTS[name], width=0.25)).eval()
    x = torch.zeros(1, 3, 161, 193)
    x[:, :, 80, 96] = float("nan")
    with torch.inference_mode():
        rows, columns = backbone.features(x, [tap])[tap][0].isnan().any(0).nonzero(as_tuple=True)
    assert (int(rows.min()) + int(rows.max())) / 2 == 80 / stride
    assert (int(columns.min()) + int(columns.max())) / 2 == 96 / stride


def test_what_comes_after_the_last_wanted_tap_is_not_computed() -> None:
    backbone = Xception(replace(VARIANTS["xception"], width=0.25)).eval()
    run: list[str] = []
    for name in ("middle", "exit"):
        for i, unit in enumerate(getattr(backbone, name)):
            unit.register_forward_hook(lambda *_, place=f"{name}{i}": run.append(place))
    with torch.inference_mode():
        backbone.features(torch.zeros(1, 3, 33, 33), ["low_level"])
        assert run == []
        assert set(backbone(torch.zeros(1, 3, 33, 33))) == {"low_level", "middle"}
    assert run == [f"middle{i}" for i in range(8)]


def test_the_names_of_the_parameters_stay() -> None:
    with torch.device("meta"):
        names, aligned = (set(tensors_of(Xception(VARIANTS[row]))) for row in ("xception", "xception_65"))
    assert len(names) == 40 * 4 + 6 + 34 * 2  # 40 norms, 6 convolutions, 34 separable ones
    assert {
        "stem.0.conv.weight",
        "stem.1.norm.running_var",
        "entry.0.skip.conv.weight",
        "entry.2.separable.1.pointwise.norm.bias",
        "middle.7.separable.2.depthwise.conv.weight",
        "exit.1.separable.1.pointwise.conv.weight",
    } < names
    assert "entry.0.separable.0.depthwise.norm.weight" in aligned
