"""The verbs of the command line, by name: the window opens without any of them being imported."""

from __future__ import annotations

VERBS = (
    "new", "info", "predict", "segment", "review", "train", "evaluate", "export", "import", "model", "check", "doctor",
    "demo",
)  # fmt: skip
"""What `app.commands.verbs` has a command for; every other first word is a project to open."""
