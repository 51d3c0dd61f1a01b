"""The nouns: masks, what changes them, what is remembered of it. numpy only; no Qt, no torch, no files."""
