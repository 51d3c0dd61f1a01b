"""The brush: a person says that this is of the chosen class."""

from __future__ import annotations

from app.domain.ink import Label
from app.domain.tools.stroke import stroke

BRUSH = stroke("Brush", lambda scene, settings: Label(settings.label), paints=True)
