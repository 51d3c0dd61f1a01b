"""Questions that need an answer before anything can go on; everything else is a message over the picture."""
