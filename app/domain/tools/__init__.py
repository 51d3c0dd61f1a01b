"""The tools that change a mask by the pointer: one file a tool, and one entry here."""

from __future__ import annotations

from app.domain.tools.brush import BRUSH
from app.domain.tools.eraser import ERASER
from app.domain.tools.tool import Pointer, Tool, ToolSettings
from app.domain.tools.void_brush import VOID_BRUSH

TOOLS: dict[str, Tool] = {
    "brush": BRUSH,
    "eraser": ERASER,
    "void_brush": VOID_BRUSH,
}
"""Every tool by its name, in the order of the window."""

__all__ = ["TOOLS", "Pointer", "Tool", "ToolSettings"]
