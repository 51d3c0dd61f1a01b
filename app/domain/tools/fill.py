"""Flood fill: the class spreads from a pixel over what looks alike, or over the region of the mask."""

from __future__ import annotations

from app.domain.change import Change
from app.domain.colour_regions import flood
from app.domain.ink import Label
from app.domain.regions import region_at
from app.domain.tools.gesture import Gesture, Refused
from app.domain.tools.proposing import Proposing
from app.domain.tools.tool import NO_PICTURE, Pointer, Scene, Tool, ToolSettings


def _fill(title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
    """One click: it is meant as it is pressed."""
    mask, rgb, seed = scene.document.mask, scene.rgb, pointer.pixel
    if settings.source == "picture" and rgb is None:
        return Refused(NO_PICTURE)

    def change() -> Change | None:
        if settings.source == "mask" or rgb is None:
            covered = region_at(mask.labels, mask.provenance, seed)
        else:
            covered = flood(rgb, seed, settings.tolerance)
        return Change.painting(mask, *covered, Label(settings.label), settings.guard)

    gesture = Proposing(title, scene.document, settings.label, meant=True)
    gesture.propose(change)
    return gesture


FILL = Tool("Fill", _fill, inside=True)
