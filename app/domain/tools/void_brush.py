"""The void brush: a person says that this is not to be learnt and not to be scored."""

from __future__ import annotations

from app.domain.classes import VOID
from app.domain.ink import Label
from app.domain.tools.stroke import stroke

VOID_BRUSH = stroke("Void brush", lambda scene, settings: Label(VOID))
