"""A live child that learns nothing: `python fake_live.py BEHAVIOUR HEAD LOG JOB --live` behaves as told, and notes what
it hears in LOG."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def main() -> None:
    behaviour, head, log, job = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    assert sys.argv[5:] == ["--live"]
    held: dict[str, int] = {"gone": 5} if behaviour == "remembers" else {}
    classes = 0
    kind = "quick" if behaviour == "quick" else "linear"
    say("started", device="cpu", images=len(held), held_out=0, revisions=held, held_out_revisions={})
    print("a library says hello")
    for line in sys.stdin:
        with log.open("a") as file:
            file.write(line)
        said = json.loads(line)
        if behaviour == "killed":
            sys.stderr.write("last words\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        if behaviour == "failed":
            say("failed", text="there is no GPU")
            sys.exit(1)
        if said["command"] == "classes":
            classes = said["revision"]
        if said["command"] == "update":
            assert (job / said["picture"]).is_file()
            assert (job / said["truth"]).is_file()
            if behaviour == "refuses":
                say("warning", text="it is damaged", id=said["id"], revision=said["revision"])
                continue
            held.pop(said["id"], None)
            if not said["held_out"]:
                held[said["id"]] = said["revision"]
            say(
                "progress",
                phase="features",
                fraction=1.0,
                step=0,
                seconds=0,
                id=said["id"],
                revision=said["revision"],
                cells=0 if said["held_out"] else 9,
            )
            if behaviour in ("leads", "quick"):
                for scored, accuracy in (("linear", 0.9), ("quick", 0.95)):
                    say(
                        "scores",
                        head=scored,
                        step=1,
                        images=1,
                        id=said["id"],
                        revision=said["revision"],
                        pixel_accuracy=accuracy,
                        miou=0.5,
                    )
                say("scores", head="quick", step=1, images=7, pixel_accuracy=0.1, miou=0.1)
        if said["command"] == "forget":
            held.pop(said["id"], None)
        if said["command"] in ("update", "forget", "classes"):
            (job / "out").mkdir(exist_ok=True)
            path = job / "out" / "head.safetensors"
            Path(shutil.copy(head, job / "out" / "new")).replace(path)
            say("published", path=str(path), head=kind, step=1, classes_revision=classes, revisions=held)


main()
