"""Photographs of a table that never was, with exact truth: the sample project's pictures."""

from __future__ import annotations

import cv2

from .backdrop import BACKDROPS
from .scene import MOODS, Picture, render
from .things import CLASS_NAMES

cv2.setNumThreads(1)  # nothing is faster with more at these sizes

__all__ = ["BACKDROPS", "CLASS_NAMES", "MOODS", "Picture", "render"]
