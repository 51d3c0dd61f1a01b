"""Where the files that ship with the program lie: `app/resources` in an installed wheel, `resources/` in a clone."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def path(*parts: str) -> Path:
    """The path of a shipped file or folder; it need not exist, the caller says what is missing."""
    wheel = _PACKAGE / "resources"
    root = wheel if wheel.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)
