"""The project on disk: pictures in, masks, lists, settings, catalogue and journal.

The two libraries underneath that keep process-wide settings are set here, once, for everything that reads pixels.
"""

from __future__ import annotations

import logging
import os
import warnings

import cv2
from PIL import Image

# opencv-python points Qt at its own Qt 5 when it is imported; PySide6 would then find the wrong plugins
for _variable in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    if "cv2" in os.environ.get(_variable, ""):
        del os.environ[_variable]
# what OpenCV, Pillow and tifffile would print about a damaged file, an UnreadableImage says in words
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
Image.MAX_IMAGE_PIXELS = 1 << 30  # the same limit as OpenCV's: Pillow's own stops at 90 megapixels
