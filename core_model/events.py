"""What a learning child tells its parent: one JSON object a line on stdout, and nothing else there."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from core_model.memory import peak_megabytes

_MEASURED = ("progress", "done")


class Events:
    """Writes events as JSON lines; a reader that went away ends the process without a word.

    The weights so far are on disk at every moment, so nothing is lost by ending at once.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @classmethod
    def on_stdout(cls) -> Events:
        """Keep the real stdout for events and send whatever a library prints there to stderr."""
        sys.stdout.flush()
        stream = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)
        return cls(stream)

    def emit(self, event: str, **fields: object) -> None:
        """Write one event; `fields` are JSON values (no NaN). How far it is, and its end, say the memory taken too."""
        if event in _MEASURED:
            fields["memory"] = peak_megabytes()
        line = json.dumps({"event": event, **fields}, ensure_ascii=False, allow_nan=False)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            os._exit(1)  # not SystemExit: the interpreter would try to flush the broken pipe again, and complain
