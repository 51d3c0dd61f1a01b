"""From a picture to labels: numpy in, numpy out."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.card import WeightsError
from core_model.device import choose_device
from core_model.engines import TorchEngine, folded
from core_model.features import Features
from core_model.heads import Head
from core_model.transforms import labels_of, margin_of, to_input
from core_model.xception import Backbone

_FP16 = torch.finfo(torch.float16).max


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a head says of one picture."""

    labels: NDArray[np.uint8]  # (H, W) of the asked size, indices of the head's classes
    confidence: NDArray[np.uint8]  # (h, w) at stride 4 of the working size: margin of the two best softmax values x 255
    version: str = ""  # which model version said it


class Predictor:
    """Owns a backbone on a device; heads come and go.

    `notes` grows by a line whenever it had to do something else than asked, as going on on the CPU. threads: how many
    torch uses in this process; None leaves that alone. DeviceError when the device is not there.
    """

    def __init__(self, backbone: Backbone, device: str = "auto", threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.notes: list[str] = []
        self._backbone = backbone
        self._engine = TorchEngine(backbone, choose_device(device), backbone.variant.taps)
        self._heads: WeakKeyDictionary[Head, Head] = WeakKeyDictionary()  # as given → folded, on the device

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self._engine.device)

    def features(self, rgb: NDArray[np.uint8]) -> Features:
        """Run the backbone over a picture at working size, (H, W, 3) uint8, padded right and below to 16 k + 1."""
        x = to_input(rgb)
        try:
            taps = self._engine(x)
        except RuntimeError as error:
            self._fall_back(error)
            taps = self._engine(x)
        return Features(
            taps={name: tap[0].float().clamp(-_FP16, _FP16).half().cpu() for name, tap in taps.items()},
            height=rgb.shape[0],
            width=rgb.shape[1],
            padded=(x.shape[2], x.shape[3]),
            backbone=self._backbone.sha256,
        )

    def predict(self, features: Features, head: Head, size: tuple[int, int], version: str = "") -> Prediction:
        """Classify a picture seen before; size = (H, W) of the labels to give back.

        A head is taken as it is when it is first given. WeightsError when it does not belong on this backbone.
        """
        own, asked = self._backbone, head.card.backbone if head.card else ""
        if (head.variant.name, head.output_stride) != (own.variant.name, own.output_stride):
            raise WeightsError(
                f"the head is for {head.variant.name} at output stride {head.output_stride}, "
                f"the backbone is {own.variant.name} at {own.output_stride}"
            )
        if asked and features.backbone and asked != features.backbone:
            raise WeightsError(f"the head was learnt on the backbone {asked[:12]}…, not on {features.backbone[:12]}…")
        try:
            labels, confidence = self._classify(features, head, size)
        except RuntimeError as error:
            self._fall_back(error)
            labels, confidence = self._classify(features, head, size)
        return Prediction(labels, confidence, version)

    @torch.inference_mode()
    def _classify(
        self, features: Features, head: Head, size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        device = self._engine.device
        if head not in self._heads:
            self._heads[head] = folded(head).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        taps: dict[str, Tensor] = {
            name: tap.to(device).float()[None].contiguous(memory_format=torch.channels_last)
            for name, tap in features.taps.items()
        }
        logits = self._heads[head](taps)[0]  # (C, h/4, w/4)
        working = (features.height, features.width)
        return labels_of(logits, working, size).cpu().numpy(), margin_of(logits, working).cpu().numpy()

    def _fall_back(self, error: RuntimeError) -> None:
        """Go on on the CPU when a GPU has run out of memory; any other error goes up."""
        if self._engine.device.type == "cpu" or "out of memory" not in str(error):
            raise error
        self.notes.append(f"{self.device} ran out of memory; going on on the CPU")
        self._heads.clear()
        self._engine = TorchEngine(self._backbone, torch.device("cpu"), self._engine.taps)
