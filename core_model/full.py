"""The full recipe: every layer that the head reads learns, from crops of the pictures themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core_model.augment import View, around, cropped, lit
from core_model.blocks import decays
from core_model.card import Card
from core_model.checkpoint import save_backbone, save_head
from core_model.dataset import Dataset
from core_model.deeplab import DeepLab
from core_model.device import multiplies_bf16
from core_model.engines import folded
from core_model.learner import Scores, stamped
from core_model.losses import OVERLAPS, Overlap, class_weights, cross_entropy
from core_model.metrics import Confusion
from core_model.schedule import Schedule
from core_model.transforms import labels_of, padded_length, to_input, upsample

_FROZEN_BELOW = 12  # pictures at a time: fewer cannot train BN's statistics (Chen et al. 2017)
_LEAST = 17  # of a crop's sides: at 1 pixel torch's bf16 gradients are sometimes no numbers (seen on a CPU)


@dataclass(frozen=True)
class FullSettings:
    """Chen et al. 2018, adapted to few pictures: AdamW, slower the further a layer is from the head."""

    optimizer: Literal["adamw", "sgd"] = "adamw"
    head_rate: float = 1e-3
    classifier_factor: float = 1.0  # on the head's rate, for the last layer
    bias_factor: float = 1.0  # on the rate of what it is the bias of
    backbone_rate: float = 1e-4  # of the last unit
    depth_factor: float = 0.9  # from a unit to the one before it
    weight_decay: float = 1e-2  # not on BN, biases and depthwise kernels
    power: float = 0.9  # of the poly decay
    warmup: int = 20  # steps
    slow_start: int = 0  # steps, see `Schedule`
    slow_factor: float = 0.0
    crop: int = 513
    batch: int = 2
    gpu_batch: int = 8
    scales: tuple[float, float] = (0.5, 2.0)
    scale_step: float = 0.0  # 0: any scale between
    lit: bool = True  # photometric changes
    aimed: float = 0.5  # the share of crops that are laid around a pixel of an evenly drawn class
    weighting: float = 0.5  # classes weigh ~ frequency^-weighting
    overlap: Overlap | None = "lovasz"  # added to cross-entropy
    average: float = 0.99  # decay of the weights' moving average; 0: none

    @classmethod
    def published(cls) -> FullSettings:
        """The recipe as published: SGD with momentum 0.9, one rate for all, plain cross-entropy; for many pictures."""
        return cls(
            optimizer="sgd",
            head_rate=0.007,
            bias_factor=2.0,
            backbone_rate=0.007,
            depth_factor=1.0,
            weight_decay=4e-5,
            warmup=0,
            slow_factor=1e-4 / 0.007,
            gpu_batch=16,
            scale_step=0.25,
            lit=False,
            aimed=0.0,
            weighting=0.0,
            overlap=None,
            average=0.0,
        )


class Full:
    """Learns a whole DeepLab on crops; a `training.Learner`."""

    def __init__(
        self,
        network: DeepLab,
        card: Card,
        out: Path,
        dataset: Dataset,
        device: torch.device,
        seed: int,
        settings: FullSettings | None = None,
    ) -> None:
        self.settings = settings or FullSettings()
        self.device, self.bf16 = device, multiplies_bf16(device)
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module: nn.Module = self.network
        self.held_out = len(dataset.held_out)
        self._card, self._out = card, out
        self._train, self._held_out = dataset.train, dataset.held_out
        self._rng = np.random.default_rng(seed)
        self._order: list[int] = []
        self.crop = self._crop_size()
        self._wanted = self.settings.gpu_batch if device.type == "cuda" else self.settings.batch
        self.least = 2 if network.head.pooling_norm else 1  # BN there cannot learn from a lone picture
        self._weights = class_weights(dataset.pixels, self.settings.weighting).to(device)
        self.hold(self._wanted)
        for parameter in _unused(network):
            parameter.requires_grad_(False)

    def hold(self, at_once: int) -> None:
        """Take a step's crops in turns of at most so many, where memory does not hold all of them."""
        self.accumulate = math.ceil(self._wanted / max(1, at_once))
        self.batch = math.ceil(self._wanted / self.accumulate)
        self.network.train()
        if self.batch < _FROZEN_BELOW:
            self.network.backbone.eval()  # keeps BN's statistics; nothing else differs

    def training(self, steps: int | None, seconds: float | None) -> dict[str, Any]:
        """Give what the settings ask of `Training`, as its arguments by name."""
        settings = self.settings
        return {
            "schedule": Schedule(
                steps, seconds, settings.power, settings.warmup, settings.slow_start, settings.slow_factor
            ),
            "optimizer_of": partial(torch.optim.SGD, momentum=0.9)
            if settings.optimizer == "sgd"
            else torch.optim.AdamW,
            "accumulate": self.accumulate,
            "average": settings.average,
        }

    def _crop_size(self) -> tuple[int, int]:
        """The published crop, or less where no picture is as high or as wide."""
        shapes = [sample.read()[1].shape for sample in self._train]
        height, width = (
            min(self.settings.crop, padded_length(max(_LEAST, *lengths))) for lengths in zip(*shapes, strict=True)
        )
        return height, width

    def groups(self) -> list[dict[str, Any]]:
        """One group a rate and decay: rates fall with the distance from the head."""
        settings = self.settings
        depth = _depths(self.network)
        deepest = max(depth.values())
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if not parameter.requires_grad:
                continue
            decay = settings.weight_decay if decays(parameter) else 0.0
            rate = settings.head_rate
            if name in depth:
                rate = settings.backbone_rate * settings.depth_factor ** (deepest - depth[name])
            elif name.startswith("head.classifier."):
                rate *= settings.classifier_factor * (settings.bias_factor if name.endswith("bias") else 1.0)
            groups.setdefault((rate, decay), []).append(parameter)
        return [{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()]

    def loss(self, batch: int) -> Tensor:
        """Cross-entropy at full size, and overlap at stride 4, over crops in drawn scale, place and light."""
        crops = [self._draw() for _ in range(max(batch, self.least))]
        x = torch.cat([to_input(rgb) for rgb, _ in crops])  # (N, 3, H, W)
        x = x.to(self.device, memory_format=torch.channels_last, non_blocking=True)
        truth = torch.from_numpy(np.stack([truth for _, truth in crops])).to(self.device).long()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.network(x).float()  # (N, classes, H/4, W/4)
        loss = cross_entropy(upsample(logits, self.crop), truth, self._weights)
        if self.settings.overlap:
            loss = loss + OVERLAPS[self.settings.overlap](logits, truth[:, ::4, ::4])
        return loss

    def _draw(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        if not self._order:
            self._order = [int(i) for i in self._rng.permutation(len(self._train))]
        rng, settings = self._rng, self.settings
        rgb, truth = self._train[self._order.pop()].read()
        scale, flip = self._scale(), bool(rng.integers(2))
        rgb, truth = (lit(rng, scale, flip) if settings.lit else View(scale, flip)).of(rgb, truth)
        top, left = around(rng, truth, *self.crop, evenly=bool(rng.random() < settings.aimed))
        return cropped(rgb, truth, top, left, *self.crop)

    def _scale(self) -> float:
        (low, high), step = self.settings.scales, self.settings.scale_step
        if step:
            return low + step * int(self._rng.integers(0, round((high - low) / step) + 1))
        return float(np.exp(self._rng.uniform(np.log(low), np.log(high))))

    def draws(self) -> dict[str, Any]:
        """The pictures still to come before all come again, and the generator's state; JSON values."""
        return {"left": list(self._order), "rng": self._rng.bit_generator.state}

    def redraw(self, draws: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._order = [index for index in draws["left"] if index < len(self._train)]
        self._rng.bit_generator.state = draws["rng"]

    @torch.no_grad()
    def score(self, module: nn.Module) -> Confusion:
        """Predict every held-out picture at working size."""
        network = folded(module)
        confusion = Confusion(self.network.head.num_classes)
        for sample in self._held_out:
            rgb, truth = sample.read()
            x = to_input(rgb).to(self.device, memory_format=torch.channels_last)
            confusion.add(truth, labels_of(network(x)[0], truth.shape, truth.shape).cpu().numpy())
        return confusion

    def save(self, module: nn.Module, step: int, scores: Scores | None, partial: bool) -> Path:
        """Write the backbone, then the head with the backbone's new sha256 in its card."""
        assert isinstance(module, DeepLab)
        card = stamped(self._card, step, scores, partial)
        sha = save_backbone(self._out / "backbone.safetensors", module.backbone, replace(card, classes=(), scores=None))
        path = self._out / "head.safetensors"
        save_head(path, module.head, replace(card, backbone=sha))
        return path


def _depths(network: DeepLab) -> dict[str, int]:
    """The place of each parameter of the backbone on its way to the head: stem 0, then a unit a step."""
    backbone = network.backbone
    before = {"stem": 0, "entry": 1, "middle": 1 + len(backbone.entry)}
    before["exit"] = before["middle"] + len(backbone.middle)
    depths = {}
    for name, _ in network.named_parameters():
        if found := re.match(r"backbone\.(stem|entry|middle|exit)\.(\d+)\.", name):
            part = found[1]
            depths[name] = before[part] + (int(found[2]) if part != "stem" else 0)
    return depths


def _unused(network: DeepLab) -> list[nn.Parameter]:
    """Parameters that no tap of the head depends on: the exit flow, where ASPP reads the middle flow."""
    return [] if "exit" in network.head.taps else list(network.backbone.exit.parameters())
