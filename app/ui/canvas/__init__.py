"""The canvas: a picture, its mask above it, and the pointer that paints.

    canvas = Canvas()
    canvas.show_image(Photo.of(rgb), document, classes)     # Photo.of in a job: about 1 ms a megapixel
    canvas.set_tool(TOOLS["brush"], ToolSettings(label=3, radius=12))

It listens to `document.on_pixels` by itself, so undo and predictions show at once. Before anything else edits the
document (undo, a prediction, the next image), call `finish_stroke()` or `cancel_stroke()`.

Shown: show_image, set_photo, clear, set_classes, set_opacity, set_overlay_visible. Looked at: fit, actual_pixels,
zoom_in, zoom_out, pan, viewport. Painting: set_tool, stroking, finish_stroke, cancel_stroke. Signals: pointer_moved,
stroke_finished, radius_asked, zoom_changed, looked.

A `Viewport` holds the numbers of the view, a `Photo` and an `Overlay` draw their part of it into arrays of device
pixels, a `ViewCache` keeps those arrays and draws only what changed, the `PictureView` puts them on the screen, and
the `Canvas` hands the pointer on to a tool.
"""

from __future__ import annotations

from app.ui.canvas.canvas import Canvas
from app.ui.canvas.photo import Photo

__all__ = ["Canvas", "Photo"]
