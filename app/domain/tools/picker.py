"""The class picker: what is under the pointer is painted next."""

from __future__ import annotations

from app.domain.mask import EMPTY
from app.domain.tools.gesture import Gesture, Refused
from app.domain.tools.tool import Pointer, Scene, ToolSettings


class Picker:
    """Changes no pixel."""

    title = "Pick class"
    paints = False
    round = False

    def begin(self, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
        """Take the class of the pixel under the pointer."""
        mask, (x, y) = scene.document.mask, pointer.pixel
        if not (0 <= x < mask.width and 0 <= y < mask.height) or mask.provenance[y, x] == EMPTY:
            return Refused("Nobody has said anything of this pixel yet.")
        gesture = Gesture()
        gesture.over, gesture.picked = True, int(mask.labels[y, x])
        return gesture


PICKER = Picker()
