"""From a picture to labels: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary, ref

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.card import WeightsError
from core_model.cells import labelled
from core_model.dataset import IGNORE
from core_model.device import choose_device
from core_model.engines import Engine, EngineError, TorchEngine, folded, make
from core_model.features import Features
from core_model.heads import Head, taps_of
from core_model.reading import taps_read
from core_model.scribble import NEVER, fill
from core_model.transforms import labels_of, margin_of, to_input
from core_model.xception import Backbone

_FP16 = torch.finfo(torch.float16).max


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a head says of one picture."""

    labels: NDArray[np.uint8]  # (H, W) of the asked size, indices of the head's classes
    confidence: NDArray[np.uint8]  # (h, w) at stride 4 of the working size: margin of the two best softmax values x 255
    version: str = ""  # which model version said it
    stays: NDArray[np.bool_] | None = None  # (h, w) as confidence: cells where a fill says what is shown; None: nowhere


class Predictor:
    """Owns a backbone on a device; heads come and go.

    `notes` grows by a line whenever it had to do something else than asked, as going on on the CPU; `told` hears it at
    once. threads: how many torch and the engine use in this process; None leaves that alone. taps: what the features
    hold; None: what any head of the variant reads. engine: a name of `engines.ENGINES`, or auto for the fastest that
    works. exact: all in fp32. cache: a folder for what an engine prepares, so that the next start is quicker; only for
    a backbone as it was read from its file. falls_back: whether a GPU out of memory means to go on on the CPU, or the
    error goes up. DeviceError when the device is not there, EngineError when an engine asked for by name is not.
    """

    def __init__(
        self,
        backbone: Backbone,
        device: str = "auto",
        threads: int | None = None,
        taps: Iterable[str] | None = None,
        *,
        engine: str = "auto",
        exact: bool = False,
        cache: Path | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.notes: list[str] = []
        self._told = told
        self.falls_back = True
        self._backbone, self._exact, self._cache = backbone, exact, cache
        self._engine = self._made(engine, choose_device(device), tuple(taps or taps_of(backbone.variant)))
        self._said: WeakKeyDictionary[Features, tuple[ref[Head], Tensor]] = WeakKeyDictionary()  # fills come after it
        self._heads: WeakKeyDictionary[Head, Head] = WeakKeyDictionary()  # as given → folded, on the device

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self._engine.device)

    @property
    def engine(self) -> str:
        """The name of the engine that computes."""
        return self._engine.name

    def note(self, text: str) -> None:
        """Say that something was done otherwise than asked."""
        self.notes.append(text)
        if self._told is not None:
            self._told(text)

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
        return _prediction(self._said_by(head, features), features, size, version)

    def logits(self, rgb: NDArray[np.uint8], head: Head) -> NDArray[np.float32]:
        """Say what a head makes of a picture at working size: (C, h, w) at stride 4 of the padded picture."""
        return self._said_by(head, self.features(rgb)).float().cpu().numpy()

    def fill(
        self,
        features: Features,
        labels: NDArray[np.uint8],
        num_classes: int,
        size: tuple[int, int],
        head: Head | None = None,
        table: NDArray[np.uint8] | None = None,
        version: str = "",
        shown: NDArray[np.uint8] | None = None,
    ) -> Prediction | None:
        """Classify a picture from what was painted in it, and from a head where there is one; None without a stroke.

        labels: (H, W) of the picture in any size, 0 … num_classes-1 where it was painted, else 255. table: (256,) from
        the head's indices to those classes, 255 = to none; None: they are the same. Where the best class is none of
        `num_classes` the answer is 255. shown: as labels, what a model has said of the rest before. size = (H, W) of
        the labels to give back. See `scribble.fill`. WeightsError as from `predict`.
        """
        variant = self._backbone.variant
        _require(features, taps_read(variant.linear_reads))
        rows, prior = num_classes, None
        if head is not None:
            own = np.arange(head.num_classes) if table is None else table[: head.num_classes]
            prior = _among(self._said_by(head, features).cpu(), own, num_classes)
            rows = len(prior)
        logits = fill(features, variant, labels, rows, prior, shown)
        if logits is None:
            return None
        prediction = _prediction(logits, features, size, version)
        prediction.labels[prediction.labels == num_classes] = IGNORE
        return prediction if shown is None else replace(prediction, stays=_staying(logits, shown, features))

    def _said_by(self, head: Head, features: Features) -> Tensor:
        """Check that they belong together, and give the logits (C, h/4, w/4) of the padded picture, on the device.

        What one head said last of a picture is kept for as long as its features are.
        """
        known = self._said.get(features)
        if known is not None and known[0]() is head:
            return known[1]
        own, asked = self._backbone, head.card.backbone if head.card else ""
        if (head.variant.name, head.output_stride) != (own.variant.name, own.output_stride):
            raise WeightsError(
                f"the head is for {head.variant.name} at output stride {head.output_stride}, "
                f"the backbone is {own.variant.name} at {own.output_stride}"
            )
        if asked and features.backbone and asked != features.backbone:
            raise WeightsError(f"the head was learnt on the backbone {asked[:12]}…, not on {features.backbone[:12]}…")
        _require(features, head.taps)
        try:
            logits = self._logits(features, head)
        except RuntimeError as error:
            self._fall_back(error)
            logits = self._logits(features, head)
        self._said[features] = ref(head), logits
        return logits

    @torch.inference_mode()
    def _logits(self, features: Features, head: Head) -> Tensor:
        device = self._engine.device
        if head not in self._heads:
            self._heads[head] = folded(head).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        taps = {name: head.prepared(features.taps[name].to(device)[None]) for name in head.taps}
        return self._heads[head](taps)[0]  # type: ignore[no-any-return]

    def _made(self, name: str, device: torch.device, taps: tuple[str, ...]) -> Engine:
        try:
            engine, failures = make(name, self._backbone, device, taps, exact=self._exact, cache=self._cache)
        except RuntimeError as error:
            if device.type == "cpu" or "out of memory" not in str(error):
                raise
            self.note(f"{device} has no memory for the network; going on on the CPU")
            return self._made("auto", torch.device("cpu"), taps)
        for failure in failures:
            self.note(f"{failure}; going on with {engine.name}")
        return engine

    def _fall_back(self, error: RuntimeError) -> None:
        """Go on on the CPU when a GPU has run out of memory, in torch when an engine failed; other errors go up."""
        old = self._engine
        if isinstance(error, EngineError):
            self.note(f"{error}; going on with {TorchEngine.name}")
            self._engine = TorchEngine(self._backbone, old.device, old.taps, exact=self._exact)
        elif old.device.type != "cpu" and self.falls_back and "out of memory" in str(error):
            self.note(f"{self.device} ran out of memory; going on on the CPU")
            self._heads.clear()
            self._said.clear()
            self._engine = self._made("auto", torch.device("cpu"), old.taps)
        else:
            raise error


def _require(features: Features, taps: Iterable[str]) -> None:
    if missing := [tap for tap in taps if tap not in features.taps]:
        raise WeightsError(f"{missing[0]} is read, which these features do not hold")


@torch.inference_mode()
def _prediction(logits: Tensor, features: Features, size: tuple[int, int], version: str) -> Prediction:
    working = (features.height, features.width)
    labels, confidence = labels_of(logits, working, size), margin_of(logits, working)
    return Prediction(labels.cpu().numpy(), confidence.cpu().numpy(), version)


def _staying(logits: Tensor, shown: NDArray[np.uint8], features: Features) -> NDArray[np.bool_]:
    """Say where the best class of a cell is the one that is shown: (h, w) bool of the picture before it was padded."""
    height, width = ((length - 1) // 4 + 1 for length in (features.height, features.width))
    best, there = logits.argmax(0).cpu().numpy()[:height, :width], labelled(shown, features)[:height, :width]
    return np.asarray((best == there) & (there != IGNORE))


def _among(logits: Tensor, table: NDArray[np.integer], num_classes: int) -> Tensor:
    """Order a head's logits by other classes; those that have no place there share one more row at the end."""
    places = [min(int(place), num_classes) for place in table]
    among = logits.new_full((max(num_classes, *(place + 1 for place in places)), *logits.shape[1:]), NEVER)
    for place in set(places):
        among[place] = torch.logsumexp(logits[[row for row, at in enumerate(places) if at == place]], 0)
    return among
