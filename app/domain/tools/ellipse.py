"""The ellipse: the largest one between two pixels."""

from __future__ import annotations

from app.domain import shapes
from app.domain.tools.shape import shape

ELLIPSE = shape("Ellipse", shapes.ellipse)
