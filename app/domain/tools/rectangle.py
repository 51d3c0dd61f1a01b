"""The rectangle: from pixel to pixel, both included."""

from __future__ import annotations

from app.domain import shapes
from app.domain.tools.shape import Shape

RECTANGLE = Shape("Rectangle", shapes.rectangle)
