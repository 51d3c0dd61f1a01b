"""The ONNX graph says the same as the network, at any size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from core_model import VARIANTS, Card, DeepLab, LinearHead, Xception, build, load, to_input, upsample
from core_model.export_onnx import export_onnx

RESOURCES = Path(__file__).parents[2] / "resources"
PICTURE = sorted((RESOURCES / "sample").rglob("*.jpg"))[0]
SLIM = VARIANTS["xception_slim"]

pytestmark = pytest.mark.slow


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def test_the_starter_says_the_same_of_a_real_picture(tmp_path: Path) -> None:
    network = load(RESOURCES / "models" / "starter.safetensors", backbone=RESOURCES / "models")
    assert isinstance(network, DeepLab)
    card = network.head.card
    assert card is not None
    export_onnx(tmp_path / "x.onnx", network, card)
    graph = session(tmp_path / "x.onnx")
    said = graph.get_modelmeta().custom_metadata_map
    assert tuple(json.loads(said["classes"])) == card.classes
    assert (said["working_size"], said["variant"], said["output_stride"]) == (str(card.working_size), "xception", "16")
    assert "x * 2/255 - 1" in said["preprocessing"]
    picture = cv2.imread(str(PICTURE))
    assert picture is not None
    for width, height in ((320, 240), (200, 231)):
        rgb = cv2.cvtColor(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        image = to_input(rgb)  # type: ignore[arg-type]
        with torch.inference_mode():
            ours = upsample(network(image), (image.shape[2], image.shape[3]))[0].numpy()
        (logits,) = graph.run(None, {"image": image.numpy()})
        theirs = upsample(torch.from_numpy(logits), (image.shape[2], image.shape[3]))[0].numpy()
        best = np.sort(ours, axis=0)
        sure = best[-1] - best[-2] > 1e-3
        assert sure.mean() > 0.99
        assert len(np.unique(ours.argmax(0))) > 1
        np.testing.assert_array_equal(ours.argmax(0)[sure], theirs.argmax(0)[sure])
        assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.parametrize("kind", ["linear", "no decoder, stride 8"])
def test_every_head_at_any_size(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    network = build(replace(SLIM, decoder=False), 4, 8) if kind != "linear" else linear()
    network.eval()
    export_onnx(tmp_path / "x.onnx", network, Card("head", SLIM.name, classes=tuple("abcd")))
    graph = session(tmp_path / "x.onnx")
    for height, width in ((129, 161), (97, 33), (100, 130), (1, 1), (1, 50)):
        image = torch.rand(1, 3, height, width) * 2 - 1
        with torch.inference_mode():
            ours = network(image).numpy()
        (theirs,) = graph.run(None, {"image": image.numpy()})
        assert theirs.shape == ours.shape
        assert np.abs(theirs - ours).max() <= 1e-4 * max(1, np.abs(ours).max()), (height, width)


def linear() -> DeepLab:
    head = LinearHead(SLIM, 4)
    weight, bias = head.weights
    head.put(torch.randn(weight.shape) / 30, torch.randn(bias.shape))
    return DeepLab(Xception(SLIM), head)
