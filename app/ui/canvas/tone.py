"""How bright the picture is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.domain.arrays import UInt8


@dataclass(frozen=True)
class Tone:
    """Levels, gamma, brightness and contrast, in that order: for the eye only, the picture itself stays as it is."""

    brightness: float = 0.0
    """Added: -1 … 1 of the whole range."""

    contrast: float = 1.0
    """Factor around mid-grey, from 0."""

    gamma: float = 1.0
    """Above 0; larger is lighter."""

    black: int = 0
    """The value shown as black, 0 … 254."""

    white: int = 255
    """The value shown as white, above `black`."""

    def __post_init__(self) -> None:
        if not 0 <= self.black < self.white <= 255 or self.gamma <= 0 or self.contrast < 0:
            raise ValueError(f"{self} cannot be shown")

    def table(self) -> UInt8:
        """(256,) uint8: what each value is shown as."""
        value = np.clip((np.arange(256) - self.black) / (self.white - self.black), 0, 1) ** (1 / self.gamma)
        value = (value - 0.5) * self.contrast + 0.5 + self.brightness
        return np.rint(np.clip(value, 0, 1) * 255).astype(np.uint8)


AS_IT_IS = Tone()
