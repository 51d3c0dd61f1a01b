"""The restore brush: brings back what the network had said."""

from __future__ import annotations

from app.domain.ink import Ink, Restored
from app.domain.tools.stroke import stroke
from app.domain.tools.tool import Scene, ToolSettings


def _ink(scene: Scene, settings: ToolSettings) -> Ink | str:
    said = scene.prediction
    if said is None or said.labels.shape != scene.document.mask.labels.shape:
        return "There is no prediction of this image to restore yet: pre-annotate it first (P)."
    return Restored(said, final=scene.document.reviewed)


RESTORE_BRUSH = stroke("Restore brush", _ink)
