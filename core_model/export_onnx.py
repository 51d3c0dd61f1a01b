"""A whole network as one ONNX graph, for any program that runs such graphs; its names and preprocessing go with it."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core_model.card import Card
from core_model.checkpoint import write_whole
from core_model.deeplab import DeepLab
from core_model.heads import LinearHead
from core_model.reading import Reading
from core_model.transforms import upsample

_EXAMPLE = (1, 3, 129, 161)
PREPROCESSING = (
    "RGB, x * 2/255 - 1, float32, channels first; best reduced to the working size and padded right and below with 0 "
    "to 16 k + 1. Labels: logits resized to the input's size, bilinear with aligned corners, then argmax."
)


class _Linear(nn.Module):
    """A linear head in operations whose number does not depend on the picture's size."""

    def __init__(self, head: LinearHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, taps: Mapping[str, Tensor]) -> Tensor:
        maps = []
        for name in self.head.reads:
            reading, weight = Reading.of(name), self.head.classifier.weight[name]
            y = F.conv2d(taps[reading.tap], weight[:, :, None, None])  # (1, classes, h, w)
            maps.append(F.avg_pool2d(y, reading.window, 1, reading.window // 2, count_include_pad=False))
        low = taps["low_level"] if "low_level" in taps else max(maps, key=lambda y: y.shape[-1])
        logits = torch.stack([upsample(y, (low.shape[-2], low.shape[-1])) for y in maps]).sum(0)
        return logits + self.head.classifier.bias[:, None, None]


class _Graph(nn.Module):
    """What the graph computes: (1, 3, H, W) → logits (1, classes, (H-1)//4+1, (W-1)//4+1)."""

    def __init__(self, network: DeepLab) -> None:
        super().__init__()
        self.backbone, self.taps = network.backbone, network.head.taps
        self.head = _Linear(network.head) if isinstance(network.head, LinearHead) else network.head

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.backbone.features(image, self.taps))  # type: ignore[no-any-return]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's warnings about its own affairs, such as libraries that this network does not need."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def export_onnx(path: Path | str, network: DeepLab, card: Card) -> None:
    """Write backbone and head as one graph of float32, in one piece.

    Input `image` (1, 3, H, W) in [-1, 1], any height and width; output `logits` at stride 4. The metadata has the
    names of the classes (`classes`, JSON), `preprocessing`, `working_size`, `variant` and `output_stride`. ImportError
    where onnx and onnxscript are not installed; OSError leaves what there was.
    """
    import onnx  # noqa: F401  (named in the error where it is missing; torch would say something longer)
    import onnxscript  # noqa: F401

    dynamic = torch.export.Dim.DYNAMIC
    with _quiet():
        program = torch.onnx.export(
            _Graph(network).eval().cpu(),
            (torch.zeros(_EXAMPLE),),
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes={"image": {2: dynamic, 3: dynamic}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    said = {
        "classes": json.dumps(card.classes, ensure_ascii=False),
        "preprocessing": PREPROCESSING,
        "working_size": card.working_size,
        "variant": card.variant,
        "output_stride": network.head.output_stride,
        "pixels_per_logit": 4,
    }
    program.model.metadata_props.update({name: str(value) for name, value in said.items()})
    write_whole(Path(path), program.model_proto.SerializeToString())
