"""The canvas: a picture, its mask above it, and the pointer that paints.

    canvas = Canvas()
    canvas.show_image(Photo.of(rgb), document, classes)     # Photo.of in a job: about 1 ms a megapixel
    canvas.set_tool(TOOLS["brush"], ToolSettings(label=3, radius=12))

It listens to `document.on_pixels` by itself, so undo and predictions show at once. Before anything else edits the
document (undo, a prediction, the next image), call `finish_stroke()` or `cancel_stroke()`.

Shown: show_image, set_photo, clear. Looked at: fit, actual_pixels, zoom_in, zoom_out, zoom_to, pan, centre_on,
viewport. Painting: set_tool, stroking, finish_stroke, cancel_stroke. Signals: pointer_moved, stroke_finished,
radius_asked, zoom_changed, looked.

Above the photo lies one layer: the mask, or what `show_layer` was given until the next picture.

    canvas.show_layer(LabelLayer(prediction.labels))               # or another mask's labels; None: the mask again
    canvas.show_layer(UncertaintyLayer(prediction.confidence))     # the less sure, the hotter
    canvas.show_layer(DifferenceLayer(document, labels))           # where the mask and they contradict each other
    canvas.set_swipe(x)                                            # the mask left of that column of the view

To blink, call `show_layer` in turns. Its looks: set_classes, set_opacity, set_hidden_classes, set_outlined,
set_overlay_visible. The photo's: set_tone, set_grid, set_overview. What a tool proposes: set_preview, clear_preview.

A `Viewport` holds the numbers of the view, and `Looking` is a widget that has one. A `Photo` and an `Overlay` draw
their part of it into arrays of device pixels: the photo colours, the layers of the overlay codes, of which one table
makes colours. A `ViewCache` keeps those arrays and what they make together, and draws only what changed; the
`PictureView` puts that on the screen, and the `Canvas` hands the pointer on to a tool.
"""

from __future__ import annotations

from app.ui.canvas.canvas import Canvas
from app.ui.canvas.layers import DifferenceLayer, LabelLayer, Layer, UncertaintyLayer
from app.ui.canvas.photo import Photo
from app.ui.canvas.tone import Tone

__all__ = ["Canvas", "DifferenceLayer", "LabelLayer", "Layer", "Photo", "Tone", "UncertaintyLayer"]
