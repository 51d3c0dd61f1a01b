"""The eraser: takes back whatever was said, so that the next prediction may fill it."""

from __future__ import annotations

from app.domain.tools.stroke import Stroke

ERASER = Stroke("Eraser", lambda settings: None)
