"""The accept brush: a person says that the network is right here."""

from __future__ import annotations

from app.domain.ink import Accepted
from app.domain.tools.stroke import stroke

ACCEPT_BRUSH = stroke("Accept brush", lambda scene, settings: Accepted())
