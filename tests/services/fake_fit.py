"""A learning child that learns nothing: `python fake_fit.py BEHAVIOUR HEAD JOB` behaves as well or as badly as told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def publish(head: str, job: Path) -> None:
    (job / "out").mkdir(exist_ok=True)
    shutil.copy(head, job / "out" / "head.safetensors")
    say("published", path=str(job / "out" / "head.safetensors"), step=1)


def keep_state(job: Path) -> None:
    """A file of safetensors without a tensor: what services look at is how far it was."""
    facts = json.dumps({"facts": {"step": 5, "fraction": 0.62}})
    header = json.dumps({"__metadata__": {"atrous": facts}}).encode()
    (job / "out" / "training.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    (job / "features").mkdir(exist_ok=True)
    (job / "features" / "0.npy").write_bytes(b"x" * 1000)


def main() -> None:
    behaviour, head, job = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if behaviour == "silent":
        return
    if behaviour == "crash":
        raise RuntimeError("the driver is gone")
    state = job / "out" / "training.safetensors"
    resumed = {"resumed_step": 5} if state.exists() else {}
    say("started", device="cpu", images=1, held_out=0, steps=1, minutes=None, parameters=1, **resumed)
    print("a library says hello")
    if behaviour == "failed":
        say("failed", text="not enough memory for one picture")
        sys.exit(1)
    publish(head, job)
    if behaviour.startswith("kept") and not resumed:
        keep_state(job)
        behaviour = behaviour.removeprefix("kept and ")
    elif resumed:
        state.unlink()
    if behaviour == "full":
        say("warning", text="the state of the learning could not be written: No space left on device")
        say("failed", text="a file could not be read or written: No space left on device")
        sys.exit(1)
    if behaviour == "killed":
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour in ("waits", "stubborn"):
        if behaviour == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:  # until it is stopped, or nobody listens
            say("progress", phase="learn", fraction=0.5, step=1, loss=0.7, seconds=1)
            threading.Event().wait(0.2)
    if behaviour == "rubbish":
        sys.stdout.buffer.write(b'\xff\xfe{"event": 3}\n[1, 2]\nnull\n' + b"x" * 3_000_000)
        sys.stdout.flush()
        sys.exit(0)
    if behaviour == "lies":
        say("done", path="nowhere", step=1, seconds=1, scores=None, partial=False)
        sys.exit(3)
    if behaviour == "nonsense":
        say("progress", phase="learn", fraction="half", step=1)
        say("scores", step=1, miou=None, pixel_accuracy=0.5)
        say("done", path="nowhere", step=1, seconds=1, scores={"miou": None}, partial=False)
        return
    if behaviour.startswith("moves"):
        root = job.parents[2]
        root.rename(root.with_name("elsewhere"))
        if behaviour == "moves and fails":
            say("failed", text="a file could not be read")
            sys.exit(1)
    if behaviour == "no weights":
        (job / "out" / "head.safetensors").unlink()
    if behaviour == "loses its folder":
        shutil.rmtree(job)
        sys.exit(3)
    say("warning", text="the features have little room")
    miou = {"good": 0.9, "poor": 0.0}.get(behaviour)
    held_out = (job / "val.txt").read_text().split()
    scores = {"miou": miou, "pixel_accuracy": miou, "classes": {"box": miou}} if held_out else None
    say("done", path=str(job / "out" / "head.safetensors"), step=7, seconds=1.5, scores=scores, partial=False)


main()
