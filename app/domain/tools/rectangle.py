"""The rectangle: from pixel to pixel, both included."""

from __future__ import annotations

from app.domain import shapes
from app.domain.tools.shape import shape

RECTANGLE = shape("Rectangle", shapes.rectangle)
