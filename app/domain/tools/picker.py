"""The class picker: what is under the pointer is painted next."""

from __future__ import annotations

from app.domain.mask import EMPTY
from app.domain.tools.gesture import Gesture, Refused
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings


def _pick(title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
    """Changes no pixel."""
    mask, (x, y) = scene.document.mask, pointer.pixel
    if mask.provenance[y, x] == EMPTY:
        return Refused("Nobody has said anything of this pixel yet.")
    gesture = Gesture()
    gesture.over, gesture.picked = True, int(mask.labels[y, x])
    return gesture


PICKER = Tool("Pick class", _pick, paints=False, inside=True)
