"""What a learning child says: its events as they come, those that make sense, and its last words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.jobs.job import Job, Progress
from app.services.child import Child, Event
from app.services.errors import Refusal

_NUMBERS = {"started": ("images",), "progress": ("fraction", "step"), "scores": ("step",), "done": ("step", "seconds")}
"""What an event has to say in numbers, or it is none."""

_PHASES = {"features": "looking at the pictures", "learn": "learning", "score": "scoring"}


class LearningFailed(Refusal):
    """The child did not bring a result; the model in use stays as it was."""


@dataclass
class Heard:
    """What the child has said that counts in the end."""

    warnings: list[str]
    done: Event | None = None
    """How it ended, once it says so."""
    nonsense: str = ""
    """The last event that was none."""


def watch(child: Child, heard: Heard) -> Job[None]:
    """Listens until the child has ended. Raises LearningFailed for `failed`."""
    shown = Progress(0, 1, "starting to learn")
    yield shown
    for event in child.events():
        if event is None:
            yield replace(shown, value=None)
            continue
        if not _sound(event):
            heard.nonsense = json.dumps(event, ensure_ascii=False)[:200]
            continue
        if event["event"] == "failed":
            why = event.get("text", "it gives no reason")
            raise LearningFailed(f"learning failed: {why}; the model in use stays as it was")
        if event["event"] == "warning":
            heard.warnings.append(str(event.get("text")))
        if event["event"] == "done":
            heard.done = event
        shown = _shown(event, shown)
        yield shown


def _sound(event: Event) -> bool:
    """Whether an event holds the numbers that its kind has, and scores that can be compared."""
    kind = event["event"]
    numbers = [event.get(name) for name in _NUMBERS.get(kind, ())]
    if "loss" in event:
        numbers.append(event["loss"])
    scores = event if kind == "scores" else event.get("scores") if kind == "done" else None
    if scores is None:
        return all(map(_is_number, numbers))
    if not isinstance(scores, Mapping) or not isinstance(classes := scores.get("classes", {}), Mapping):
        return False
    return all(map(_is_number, (*numbers, scores.get("miou"), scores.get("pixel_accuracy"), *classes.values())))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _shown(event: Event, before: Progress) -> Progress:
    kind, at = event["event"], before.done
    if kind == "started":
        text = f"learning {event.get('images')} images, {event.get('held_out')} held out, on {event.get('device')}"
    elif kind == "progress":
        fraction, loss = event.get("fraction"), event.get("loss")
        at = float(fraction) if isinstance(fraction, int | float) else at
        text = _PHASES.get(str(event.get("phase")), str(event.get("phase")))
        text += f", step {event.get('step')}" + (f", loss {loss:.3f}" if isinstance(loss, int | float) else "")
    elif kind == "scores":
        text = f"held out: {described(event)}"
    else:
        text = str(event.get("text", before.text))
    return Progress(at, 1, text, event)


def described(scores: Mapping[str, Any] | None) -> str:
    """Mapping[str, Any] in a few words."""
    if scores is None:
        return "not measured"
    return f"mIoU {_number(scores.get('miou'))}, pixel accuracy {_number(scores.get('pixel_accuracy'))}"


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "unknown"


def last_words(child: Child, heard: Heard) -> str:
    """How a child ended that brought no result, in one line."""
    code, lines = child.exit_code, [*filter(None, [heard.nonsense]), *child.last_lines()]
    how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code} and no result"
    said = f"; its last lines: {' | '.join(lines[-4:])}" if lines else ""
    memory = " (out of memory?)" if code == -9 else ""
    return f"the learning process {how}{memory}; the model in use stays as it was{said}"
