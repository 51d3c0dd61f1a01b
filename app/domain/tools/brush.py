"""The brush: a person says that this is of the chosen class."""

from __future__ import annotations

from app.domain.tools.stroke import Stroke

BRUSH = Stroke("Brush", lambda settings: settings.label)
