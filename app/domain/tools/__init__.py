"""The tools that change a mask by the pointer: one file a tool, and one entry here."""

from __future__ import annotations

from app.domain.tools.accept_brush import ACCEPT_BRUSH
from app.domain.tools.brush import BRUSH
from app.domain.tools.cut_out import CUT_OUT
from app.domain.tools.ellipse import ELLIPSE
from app.domain.tools.eraser import ERASER
from app.domain.tools.fill import FILL
from app.domain.tools.gesture import Gesture, Line, Preview, Proposal, Sketch
from app.domain.tools.lasso import LASSO
from app.domain.tools.picker import PICKER
from app.domain.tools.polygon import POLYGON
from app.domain.tools.rectangle import RECTANGLE
from app.domain.tools.region import REGION
from app.domain.tools.restore_brush import RESTORE_BRUSH
from app.domain.tools.scissors import SCISSORS
from app.domain.tools.superpixel_brush import SUPERPIXEL_BRUSH
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings
from app.domain.tools.void_brush import VOID_BRUSH
from app.domain.tools.wand import WAND

TOOLS: dict[str, Tool] = {
    "brush": BRUSH,
    "eraser": ERASER,
    "void_brush": VOID_BRUSH,
    "restore_brush": RESTORE_BRUSH,
    "accept_brush": ACCEPT_BRUSH,
    "superpixel_brush": SUPERPIXEL_BRUSH,
    "polygon": POLYGON,
    "lasso": LASSO,
    "rectangle": RECTANGLE,
    "ellipse": ELLIPSE,
    "scissors": SCISSORS,
    "cut_out": CUT_OUT,
    "fill": FILL,
    "wand": WAND,
    "region": REGION,
    "picker": PICKER,
}
"""Every tool by its name, in the order of the window."""

__all__ = [
    "TOOLS",
    "Gesture",
    "Line",
    "Pointer",
    "Preview",
    "Proposal",
    "Scene",
    "Sketch",
    "Tool",
    "ToolSettings",
]
