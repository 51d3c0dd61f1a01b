"""The quick recipe: the backbone stays as it is, and a head learns on the features of a few views of each picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import dropout2d

from core_model.blocks import decays
from core_model.card import Card
from core_model.cells import Cells
from core_model.checkpoint import save_head
from core_model.dataset import Sample
from core_model.device import multiplies_bf16
from core_model.engines import folded
from core_model.features import Features
from core_model.heads import AsppDecoderHead, LinearHead, VotingHead
from core_model.learner import Scores, stamped
from core_model.linear import LinearSettings, cells_of, learn
from core_model.losses import OVERLAPS, Overlap, class_weights, cross_entropy
from core_model.metrics import Confusion
from core_model.transforms import labels_of
from core_model.views import Look


@dataclass(frozen=True)
class QuickSettings:
    """What paid on 20 pictures of CamVid."""

    rate: float = 3e-3  # peak, of AdamW
    further_rate: float = 1e-3  # peak, when a head that has learnt goes on: it has something to forget
    weight_decay: float = 1e-2
    batch: int = 2  # whole pictures
    dropout: float = 0.3  # of what ASPP gives
    hidden: float = 0.1  # the share of each picture's channels that a step does not see
    overlap: Overlap | None = "lovasz"  # beside cross-entropy: a tenth of the time, half a point across drives
    overlap_weight: float = 0.5
    weighting: float = 0.5  # classes weigh ~ frequency^-weighting
    views: int = 8  # of each picture, at most
    features_share: float = 0.4  # of the time to learn, for computing them; the plain view comes first, however long


class Deck:
    """Deals looks in random order, each once before any comes again; those of one size together."""

    def __init__(self, looks: Sequence[Look], seed: int) -> None:
        self._looks = list(looks)
        self._left: list[int] = []
        self._rng = np.random.default_rng(seed)

    def deal(self, count: int) -> list[Look]:
        """Give 1 to `count` looks of one size."""
        if not self._left:
            self._left = [int(index) for index in self._rng.permutation(len(self._looks))]
        size = self._looks[self._left[-1]].size
        hand = [index for index in self._left if self._looks[index].size == size][-count:]
        for index in hand:
            self._left.remove(index)
        return [self._looks[index] for index in hand]

    def draws(self) -> dict[str, Any]:
        """Which looks are still to be dealt, and the generator's state; JSON values."""
        return {"of": len(self._looks), "left": list(self._left), "rng": self._rng.bit_generator.state}

    def redraw(self, draws: Mapping[str, Any]) -> None:
        """Deal from there, if it was dealt from as many looks."""
        if draws["of"] == len(self._looks):
            self._left = list(draws["left"])
            self._rng.bit_generator.state = draws["rng"]


@dataclass
class Voter:
    """Draws cells of pictures as the backbone sees them, and fits a head's linear part to them."""

    head: VotingHead
    pictures: int
    seed: int
    settings: LinearSettings = field(default_factory=LinearSettings)
    cells: list[Cells] = field(default_factory=list)

    def see(self, sample: Sample, features: Features, truth: NDArray[np.uint8]) -> None:
        """Take cells of a picture; truth (H, W) of its size, 255 = ignore."""
        count = max(1, min(self.settings.cells, self.settings.at_most // self.pictures))
        seed = (self.seed, *sample.name.encode())
        self.cells.append(cells_of(features, truth, self.head.reads, count, seed))

    def learn(self) -> None:
        """Fit; FloatingPointError, and no vote, when the result is no number."""
        cells = Cells(torch.cat([c.values for c in self.cells]), torch.cat([c.labels for c in self.cells]))
        fresh = LinearHead(self.head.variant, self.head.num_classes, self.head.output_stride)
        self.head.linear.put(*fresh.weights)
        learn(self.head.linear, cells, self.settings)


class Quick:
    """Learns a head on what a frozen backbone saw; a `training.Learner`."""

    def __init__(
        self,
        head: AsppDecoderHead,
        card: Card,
        out: Path,
        train: Sequence[Look],
        held_out: Sequence[Look],
        pixels: NDArray[np.int64],
        device: torch.device,
        seed: int,
        settings: QuickSettings | None = None,
    ) -> None:
        self.settings = settings or QuickSettings()
        self.bf16 = multiplies_bf16(device)
        self._dtype = torch.bfloat16 if self.bf16 else torch.float32
        self.device = device
        self.module: nn.Module = head.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        # on a CPU, bf16 depthwise convolutions with a rate take three times as long channels last (measured)
        self._atrous = torch.contiguous_format if self.bf16 and device.type == "cpu" else torch.channels_last
        head.aspp.to(memory_format=self._atrous)  # type: ignore[call-overload]
        self.head = head
        self._learnt = head.taps
        if isinstance(head, VotingHead):
            self._learnt = head.variant.taps
            head.linear.requires_grad_(False)  # it has learnt
        head.aspp.dropout.p = self.settings.dropout
        self.batch, self.held_out = self.settings.batch, len(held_out)
        self._card, self._out = card, out
        self._deck, self._held_out = Deck(train, seed), held_out
        self._weights = class_weights(pixels, self.settings.weighting).to(device)

    def groups(self) -> list[dict[str, Any]]:
        """Everything at one rate; kernels that mix channels decay."""
        rate = self.settings.rate if self._card.parent is None else self.settings.further_rate
        kinds: dict[bool, list[nn.Parameter]] = {}
        for parameter in filter(lambda parameter: parameter.requires_grad, self.module.parameters()):
            kinds.setdefault(decays(parameter), []).append(parameter)
        return [
            {"params": parameters, "lr": rate, "weight_decay": self.settings.weight_decay if decay else 0.0}
            for decay, parameters in kinds.items()
        ]

    def loss(self, batch: int) -> Tensor:
        """Cross-entropy and overlap at stride 4: cell (i, j) sits on pixel (4 i, 4 j), so no truth is resized."""
        shots = [look.load() for look in self._deck.deal(batch)]
        if len(shots) == 1 and self.head.pooling_norm:
            shots *= 2  # one picture has one value a channel there, and BN cannot learn from one
        hidden = self.settings.hidden
        taps = {name: torch.stack([taps[name] for taps, _ in shots]) for name in self._learnt}
        truth = torch.from_numpy(np.stack([truth[::4, ::4] for _, truth in shots])).to(self.device).long()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            seen = {name: dropout2d(tap, hidden) for name, tap in self._prepared(taps, self._dtype).items()}
            logits = self.head.own(seen)  # (N, classes, H/4, W/4)
        loss = cross_entropy(logits.float(), truth, self._weights)
        if self.settings.overlap:
            overlap = OVERLAPS[self.settings.overlap](logits.float(), truth)
            loss = loss + self.settings.overlap_weight * overlap
        return loss

    def _prepared(self, taps: dict[str, Tensor], dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        atrous = self.head.variant.aspp_feature
        return {
            name: tap.to(self.device, dtype, non_blocking=True).contiguous(
                memory_format=self._atrous if name == atrous else torch.channels_last
            )
            for name, tap in taps.items()
        }

    def draws(self) -> dict[str, Any]:
        """Where the deck is."""
        return self._deck.draws()

    def redraw(self, draws: Mapping[str, Any]) -> None:
        """Go on with the deck from there."""
        self._deck.redraw(draws)

    @torch.no_grad()
    def score(self, module: nn.Module) -> Confusion:
        """Predict every held-out picture at working size."""
        head = folded(module)
        confusion = Confusion(self.head.num_classes)
        for look in self._held_out:
            taps, truth = look.load()
            logits = head(self._prepared({name: tap[None] for name, tap in taps.items()}))[0]
            confusion.add(truth, labels_of(logits, truth.shape, truth.shape).cpu().numpy())
        return confusion

    def save(self, module: nn.Module, step: int, scores: Scores | None, partial: bool) -> Path:
        """Write the head only: the backbone is the one that came."""
        assert isinstance(module, type(self.head))
        path = self._out / "head.safetensors"
        save_head(path, module, stamped(self._card, step, scores, partial))
        return path
