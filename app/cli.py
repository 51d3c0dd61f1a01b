"""The `atrous` command: the window, and every verb without it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from app.commands import VERBS


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process: 0, 1 for a failure told in one line, 2 for wrong usage, 130 for Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    sys.exit(_status([word for word in words if word != "--debug"], debug))


def _status(words: list[str], debug: bool) -> int:
    try:
        if not words:
            return _window(None)
        if len(words) == 1 and words[0] not in VERBS and Path(words[0]).exists():
            return _window(Path(words[0]))
        from app.commands.verbs import run  # click, storage and all the services: the window comes up without them

        return run(words)
    except KeyboardInterrupt:
        _say("stopped; what was done until then is kept")
        return 130
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (whoever read our output has left: say nothing more)
        return 1
    except Exception as error:  # the boundary of the program
        if debug:
            traceback.print_exc()
        _say(" ".join(_told(error).split()))
        return 1


def _window(project: Path | None) -> int:
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        _say("there is no display to open a window on; atrous demo runs the whole loop without one")
        return 1
    try:
        from app.start import run  # Qt, which no verb needs

        return run(project)
    except ImportError as error:
        _say(f"the window cannot start: {error}; atrous doctor says what is missing")
        return 1


def _told(error: Exception) -> str:
    """What went wrong in one line; a fault of ours as well."""
    from app.domain.classes import ClassError
    from app.formats import FormatError
    from app.services.errors import Refusal
    from app.storage.errors import StorageError, reason

    if isinstance(error, Refusal | StorageError | FormatError | ClassError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {reason(error)}; what was done until then is kept"
    return f"a fault in Atrous: {type(error).__name__}: {error} (--debug shows where)"


def _say(text: str) -> None:
    sys.stderr.write(f"atrous: {text}\n")
