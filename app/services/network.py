"""The network at work: what a model says of one picture, and what strokes say of the rest of it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from numpy.typing import NDArray

from app.domain.classes import VOID
from app.domain.prediction import Prediction
from app.services.errors import Refusal
from app.services.matching import lookup, shares
from app.services.model import Model, starting_backbone
from app.storage import images
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Features, Head, Predictor

FEATURE_BUDGET = 512 << 20
STROKES = "strokes"
"""What a prediction that goes by strokes has for a version; after a model's and a plus where that had its word."""
_HEADS = 4

Key = tuple[str, str, int]  # picture's sha256, backbone's sha256, working size


@dataclass(frozen=True)
class Photo:
    """A picture ready for the network: RGB at working size, and the size that the labels are wanted in."""

    sha256: str
    rgb: NDArray[np.uint8]
    width: int
    height: int


class Network:
    """A backbone on its device, with the features of the last pictures, so that a new head costs milliseconds.

    It belongs to one thread. `notes` says what it had to do otherwise than asked.
    """

    def __init__(self, device: str = "auto", budget: int = FEATURE_BUDGET) -> None:
        self._device = device
        self._budget = budget
        self._predictor: tuple[tuple[str, int], Predictor] | None = None
        self._heads: OrderedDict[str, Head] = OrderedDict()
        self._features: OrderedDict[Key, Features] = OrderedDict()

    @property
    def device(self) -> str:
        """Where it computes; what was asked for before the first picture."""
        return self._predictor[1].device if self._predictor else self._device

    @property
    def notes(self) -> list[str]:
        """Lines for people, as "out of memory; going on on the CPU"."""
        return self._predictor[1].notes if self._predictor else []

    def predict(self, project: Project, image_id: str, model: Model) -> Prediction:
        """What the model says of an image, in the project's classes; UnreadableImage, Refusal otherwise."""
        table = lookup(model, project.settings.classes)
        features, size = self._look(project, image_id, model)
        return self._classify(features, size, model, table)

    def fill(
        self,
        project: Project,
        image_id: str,
        model: Model | None,
        painted: NDArray[np.uint8],
        shown: NDArray[np.uint8] | None = None,
    ) -> Prediction | None:
        """What an image shows, going by what was painted in it and, where there is a model, drawn towards what it says.

        painted: (h, w) of the picture in any size, the project's indices, 255 = not painted. None where nothing is.
        shown: as painted, what a model has said of the rest before; it stays where nothing looks like a stroke.
        Without a model, or where it knows none of the classes, what was painted decides alone; such a model's backbone
        is used all the same. What a model sees that the project has no class for stays without one, until it is
        painted. UnreadableImage, Refusal.
        """
        from core_model import WeightsError

        classes = project.settings.classes
        indices = [label.index for label in classes]
        known = np.where(np.isin(painted, indices), painted, np.uint8(VOID))
        rest = None if shown is None else np.where(np.isin(shown, indices), shown, np.uint8(VOID))
        features, size = self._look(project, image_id, model)
        prior = model if model is not None and shares(model, classes) else None
        table, version = (lookup(prior, classes), f"{prior.version}+{STROKES}") if prior else (None, STROKES)
        try:
            head = self._head(prior.head) if prior else None
            predictor = self._on(model, project)
            said = predictor.fill(features, known, max(indices, default=-1) + 1, size, head, table, version, rest)
        except WeightsError as error:
            raise Refusal(str(error)) from error
        return None if said is None else Prediction(said.labels, said.confidence, version, said.stays)

    def fingerprint(self, project: Project, model: Model, min_confidence: float = 0.0) -> str:
        """By what a prediction is known again: the same head, classes, working size and confidence say the same."""
        from core_model import file_sha256

        said = f"{file_sha256(model.head)} {min_confidence} {project.settings.working_size}".encode()
        return hashlib.sha256(said + lookup(model, project.settings.classes).tobytes()).hexdigest()[:16]

    def look(self, project: Project, image_id: str, model: Model | None) -> None:
        """Read ahead: compute an image's features, so that its prediction is there at once.

        Without a model on the backbone that learning from scratch stands on: to fill from strokes, and for the first
        head. UnreadableImage, Refusal.
        """
        self._look(project, image_id, model)

    def classify(
        self, photo: Photo, model: Model, working_size: int, table: NDArray[np.uint8] | None = None
    ) -> Prediction:
        """The same for any picture; `table` (256,) uint8 translates the head's indices, None keeps them."""
        features = self._see(photo.sha256, model, working_size, lambda: photo.rgb)
        return self._classify(features, (photo.height, photo.width), model, table)

    def parts(self, model: Model) -> tuple[Predictor, Head]:
        """The predictor of a model's backbone, and its head, for other manners than `classify`. Refusal."""
        return self._on(model), self._head(model.head)

    def _classify(
        self, features: Features, size: tuple[int, int], model: Model, table: NDArray[np.uint8] | None
    ) -> Prediction:
        from core_model import WeightsError

        try:
            said = self._on(model).predict(features, self._head(model.head), size, model.version)
        except WeightsError as error:
            raise Refusal(str(error)) from error
        return Prediction(said.labels if table is None else table[said.labels], said.confidence, model.version)

    def _look(self, project: Project, image_id: str, model: Model | None) -> tuple[Features, tuple[int, int]]:
        """An image's features and its (height, width); the picture is not decoded again while they are kept."""
        from core_model import file_sha256

        picture, working_size = project.picture_path(image_id), project.settings.working_size
        width, height = images.size(picture)
        read = partial(images.read, picture, working_size)
        return self._see(file_sha256(picture), model, working_size, read, project), (height, width)

    def _see(
        self,
        sha256: str,
        model: Model | None,
        working_size: int,
        read: Callable[[], images.RGB],
        project: Project | None = None,
    ) -> Features:
        predictor = self._on(model, project)
        assert self._predictor is not None
        key = (sha256, self._predictor[0][0], working_size)
        if key in self._features:
            self._features.move_to_end(key)
        else:
            self._features[key] = predictor.features(read())
            while len(self._features) > 1 and sum(kept.bytes for kept in self._features.values()) > self._budget:
                self._features.popitem(last=False)
        return self._features[key]

    def _on(self, model: Model | None, project: Project | None = None) -> Predictor:
        """The predictor of the model's backbone, else of the project's first; one at a time is kept, they are large."""
        from core_model import DeviceError, Predictor, WeightsError, file_sha256, load_backbone

        try:
            if model is None:
                assert project is not None
                path, _ = starting_backbone(project)
                key = (file_sha256(path), 16)
            else:
                path, key = model.backbone, (str(model.card["backbone"]), int(model.card["output_stride"]))
            if self._predictor is None or self._predictor[0] != key:
                self._predictor = None
                backbone = load_backbone(path, output_stride=key[1])
                self._predictor = (key, Predictor(backbone, self._device, cache=engine_cache()))
        except (WeightsError, DeviceError, OSError) as error:
            raise Refusal(str(error)) from error
        return self._predictor[1]

    def _head(self, path: Path) -> Head:
        from core_model import file_sha256, load_head

        try:
            sha256 = file_sha256(path)
            if sha256 not in self._heads:
                self._heads[sha256] = load_head(path)
        except OSError as error:
            raise Refusal(f"{path} cannot be read: {error.strerror}") from error
        self._heads.move_to_end(sha256)
        while len(self._heads) > _HEADS:
            self._heads.popitem(last=False)
        return self._heads[sha256]


def engine_cache() -> Path:
    """The user's folder for what engines prepare of a backbone."""
    return platformdirs.user_cache_path("atrous") / "engines"


def read_photo(picture: Path, longest_side: int | None) -> Photo:
    """Decode a picture for the network, at its own size for None. Raises UnreadableImage."""
    rgb = images.read(picture, longest_side)
    width, height = images.size(picture)
    with picture.open("rb") as file:
        return Photo(hashlib.file_digest(file, "sha256").hexdigest(), rgb, width, height)
