"""The eraser: takes back whatever was said, so that the next prediction may fill it."""

from __future__ import annotations

from app.domain.ink import Nothing
from app.domain.tools.stroke import stroke

ERASER = stroke("Eraser", lambda scene, settings: Nothing())
