"""How the network looks at a picture: whole at working size, in tiles at its own size, or at several scales."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.services.errors import Refusal
from app.services.model import Model

if TYPE_CHECKING:
    import core_model
    from app.services.network import Network, Photo


@dataclass(frozen=True)
class Manner:
    """Whole and at working size, unless said otherwise."""

    tiles: int | None = None
    """The side of a tile in pixels: the picture is seen at its own size, in tiles that overlap."""

    scales: tuple[float, ...] = (1.0,)
    """Of the working size; what the network says at each is averaged."""

    flip: bool = False
    """Whether it sees the mirror image of each scale too."""

    @property
    def plain(self) -> bool:
        """Whether the picture is seen once, at working size."""
        return self == PLAIN

    @property
    def mark(self) -> str:
        """By what predictions of one manner are told from those of another; "" for the plain one, no space."""
        if self.plain:
            return ""
        return f"+tiles{self.tiles}" if self.tiles else f"+scales{','.join(map(str, self.scales))}{'+flip' * self.flip}"

    def longest_side(self, working_size: int) -> int | None:
        """At which size pictures are read; None: at their own."""
        return None if self.tiles else working_size

    def classify(
        self,
        network: Network,
        photo: Photo,
        model: Model,
        working_size: int,
        table: NDArray[np.uint8] | None,
        at: Progress,
    ) -> Job[Prediction]:
        """What the model says of a picture that was read at `longest_side`; `table` as in `Network.classify`.

        Yields progress between the tiles or scales, from `at` on; closing it there cancels. Refusal.
        """
        if self.plain:
            return network.classify(photo, model, working_size, table)
        from core_model import WeightsError

        try:
            looks = self._looks(network, photo, model)
            while True:
                done, of = next(looks)
                what = "tile" if self.tiles else "view"
                yield Progress(at.done + done / of, at.total, f"{at.text}, {what} {done} of {of}")
        except StopIteration as end:
            said: core_model.Prediction = end.value
        except WeightsError as error:
            raise Refusal(str(error)) from error
        return Prediction(said.labels if table is None else table[said.labels], said.confidence, model.version)

    def _looks(
        self, network: Network, photo: Photo, model: Model
    ) -> Generator[tuple[int, int], None, core_model.Prediction]:
        from core_model import predict_at_scales, predict_in_tiles

        predictor, head = network.parts(model)
        if self.tiles:
            return predict_in_tiles(predictor, photo.rgb, head, self.tiles)
        size = (photo.height, photo.width)
        return predict_at_scales(predictor, photo.rgb, head, size, self.scales, flip=self.flip)


PLAIN = Manner()
"""Whole, once, at working size: the default everywhere."""
