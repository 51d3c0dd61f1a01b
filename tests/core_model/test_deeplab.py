"""The network gives, to the digit, what the official TensorFlow code gave with the same weights."""

from __future__ import annotations

import functools
import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model import VARIANTS, DeepLab, WeightsError, build, to_input, upsample
from core_model.checkpoint import tensors_of
from core_model.import_tensorflow import from_tensorflow, variable_name

DATA = Path(__file__).parents[1] / "data" / "oracle"
GOLDEN = sorted(path.stem for path in DATA.glob("golden_xception_*.npz"))


@functools.lru_cache(maxsize=1)
def arrays(variant: str) -> dict[str, NDArray[np.float32]]:
    """The official variables, their values from the rule of weights.py."""
    weights = runpy.run_path(str(DATA / "weights.py"))["weights"]
    table = json.loads((DATA / f"variables_{variant}.json").read_text())
    return {row["name"]: weights(row["name"], tuple(row["shape"])) for row in table}


def everything(network: DeepLab, image: NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    """Logits at stride 4 and the tensors that the golden files probe."""
    with torch.inference_mode():
        taps = network.features(to_input(image, *image.shape[:2]), network.backbone.channels)
        aspp = network.head.aspp(taps["exit"])
        assert network.head.decoder is not None
        decoder = network.head.decoder(aspp, taps["low_level"])
        return {
            "low_level": taps["low_level"],
            "entry_flow": taps[f"entry{len(network.backbone.entry)}"],
            "middle_flow": taps["middle"],
            "exit_flow": taps["exit"],
            "aspp": aspp,
            "decoder": decoder,
            "logits": network.head(taps),
        }


def test_all_five_files_are_there() -> None:
    assert len(GOLDEN) == 5


@pytest.mark.parametrize("name", GOLDEN)
def test_the_official_numbers(name: str) -> None:
    variant, stride = re.findall(r"(xception_\d+)_os(\d+)", name)[0]
    golden = np.load(DATA / f"{name}.npz")
    image = golden["image"]
    found = everything(from_tensorflow(arrays(variant), int(stride)), image)

    logits = found.pop("logits")
    np.testing.assert_allclose(logits[0].permute(1, 2, 0), golden["logits_stride4"], rtol=0, atol=1e-3)
    full = upsample(logits, image.shape[:2])[0].permute(1, 2, 0).numpy()
    y, x = golden["sample_yx"].T
    np.testing.assert_allclose(full[y, x], golden["sample_logits"], rtol=0, atol=1e-3)
    best = np.sort(full, axis=2)
    clear = best[..., -1] - best[..., -2] > 1e-3
    assert (full.argmax(2) == golden["labels"])[clear].all()
    assert clear.mean() > 0.99
    for place, tensor in found.items():
        value = tensor[0].permute(1, 2, 0).numpy()
        assert value.shape == tuple(golden[f"probe_{place}_shape"]), place
        corner = golden[f"probe_{place}_corner"]
        np.testing.assert_allclose(
            value[:5, :5, :4], corner, rtol=1e-3, atol=1e-5 * np.abs(corner).max(), err_msg=place
        )
        np.testing.assert_allclose([value.mean(), value.std()], golden[f"probe_{place}_mean_std"], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("variant", ["xception_41", "xception_65", "xception_71"])
def test_every_official_variable_has_its_place(variant: str) -> None:
    with torch.device("meta"):
        ours = {variable_name(name, variant) for name in tensors_of(build(variant, 21))}
    assert ours == {row["name"] for row in json.loads((DATA / f"variables_{variant}.json").read_text())}


def test_variables_that_are_missing_extra_or_misshapen_are_named() -> None:
    given = dict(arrays("xception_71"))
    said: list[str] = []
    from_tensorflow(
        given | {"global_step": np.int64(3), "aspp0/weights/Momentum": given["aspp0/weights"]}, say=said.append
    )
    assert "global_step" in said[0]
    assert "Momentum" in said[0] or "aspp0/weights" in said[0]

    with pytest.raises(WeightsError, match="aspp9/weights does not belong"):
        from_tensorflow(given | {"aspp9/weights": given["aspp0/weights"]})
    with pytest.raises(WeightsError, match=r"aspp0/weights has shape \(1, 1, 9, 256\) instead of \(1, 1, 2048, 256\)"):
        from_tensorflow(given | {"aspp0/weights": np.zeros((1, 1, 9, 256), np.float32)})
    del given["concat_projection/BatchNorm/gamma"]
    with pytest.raises(WeightsError, match="concat_projection/BatchNorm/gamma is missing"):
        from_tensorflow(given)
    with pytest.raises(WeightsError, match="another network"):
        from_tensorflow({"resnet/conv1/weights": np.zeros(3, np.float32)})


def test_a_network_without_decoder_is_recognised() -> None:
    given = {name: value for name, value in arrays("xception_71").items() if not name.startswith("decoder/")}
    network = from_tensorflow(given)
    assert network.head.decoder is None
    assert network.head.num_classes == 21


def test_a_fresh_network_learns_in_one_step() -> None:
    torch.manual_seed(0)
    network = build("xception_slim", 3)
    x, truth = torch.randn(2, 3, 33, 33), torch.randint(0, 3, (2, 9, 9))
    loss = torch.nn.functional.cross_entropy(network(x), truth)
    loss.backward()
    assert abs(loss.item() - np.log(3)) < 0.2  # a small last layer: no class is favoured
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in network.parameters())


def test_the_variants_of_the_table_and_of_the_files_agree() -> None:
    assert {name.split("_os")[0].removeprefix("golden_") for name in GOLDEN} < set(VARIANTS)
