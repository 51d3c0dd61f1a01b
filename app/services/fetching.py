"""Published models from the network into the cache folder: once, whole, and known again afterwards.

No publisher names a checksum that could stand in the table. So a file is checked against what the server states (its
size; a digest where it gives one), then by its own structure; its SHA-256 is kept beside it and compared from then on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

from app.jobs.job import Job, Progress
from app.services.errors import Refusal
from app.services.model import SUFFIX
from app.services.published import Published, address_of, cache_folder
from app.services.transfer import Part, Stopped, Watch, transfer
from app.storage import atomic
from app.storage.errors import reason
from app.storage.lock import ProjectLock

_TICK = 0.2  # seconds between two looks at the transfer
_PATIENCE = 1.0  # seconds for a transfer that is to stop; one that hears nothing from its server ends later, by itself
_MEGABYTE = 1_000_000
_ROUNDED = 2  # how many times its published size a file may have: sizes are rounded, archives are packed again


def fetch(model: Published, *, cache: Path | None = None, mirror: str | None = None) -> Job[Path]:
    """Brings a published model into the cache folder, unless it is there, and gives its file.

    Goes on where an earlier try ended. Closing the job stops it, and keeps what has come. Refusal, in one line.
    """
    address, folder = address_of(model, mirror), cache_folder(cache)
    watch, ended = Watch(text="looking"), _Ended()
    act = partial(_fetched, model, address, folder, watch)
    thread = Thread(target=ended.by, args=(act,), name=f"fetch {model.name}", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_TICK)
            yield _progress(watch)
    finally:
        watch.stop.set()
        thread.join(_PATIENCE)
    if ended.error is not None:
        raise ended.error
    return folder / model.file


class _Ended:
    """How a thread ended: a transfer waits for a server, and nobody else should."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def by(self, act: Callable[[], None]) -> None:
        """Runs in the thread."""
        try:
            act()
        except Stopped:
            pass
        except Exception as error:  # the boundary of the thread: the job raises it
            self.error = error


def _progress(watch: Watch) -> Progress:
    if not watch.total or watch.text:
        return Progress(0, 0, watch.text or f"{watch.done / _MEGABYTE:.0f} MB")
    return Progress(watch.done / watch.total, 1, f"{watch.done / _MEGABYTE:.0f} of {watch.total / _MEGABYTE:.0f} MB")


def _fetched(model: Published, address: str, folder: Path, watch: Watch) -> None:
    target = folder / model.file
    lock = ProjectLock(folder / f"{model.file}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        holder = lock.acquire()
    except OSError as error:
        raise Refusal(f"{folder} cannot be written to ({reason(error)}); --cache names another folder") from error
    if holder is not None:
        raise Refusal(f"{model.name} is being fetched already, by {holder}")
    try:
        if not _is_kept(model, target):
            _bring(model, address, target, watch)
    except OSError as error:
        raise Refusal(f"{model.name} could not be written to {folder} ({reason(error)})") from error
    finally:
        lock.release()


def _is_kept(model: Published, target: Path) -> bool:
    """Whether the file is there, and what it was when it came; a file that somebody put there is looked at first."""
    if not target.is_file():
        return False
    known = _read_digest(target)
    if known is None:
        fault = _fault(target, model, {})
        if fault:
            raise Refusal(f"{target} {fault}: put the right file there, or remove it and fetch it again")
        _write_digest(target, _digest(target, "sha256"))
        return True
    if _digest(target, "sha256") == known:
        return True
    target.unlink()  # damaged since; nobody can use it, and it would stand in the way of a whole one
    return False


def _bring(model: Published, address: str, target: Path, watch: Watch) -> None:
    part = Part(target)
    watch.text = "connecting"
    digests = transfer(address, part, _ROUNDED * model.megabytes * _MEGABYTE, watch)
    watch.text = "checking"
    if watch.stop.is_set():
        raise Stopped
    fault = _fault(part.path, model, digests)
    if fault:
        part.drop()
        raise Refusal(f"what came from {address} {fault}; it was dropped, and nothing was kept")
    _write_digest(target, _digest(part.path, "sha256"))
    part.finish(target)


def _fault(path: Path, model: Published, digests: dict[str, str]) -> str:
    """What is wrong with a file; "" where nothing is."""
    import core_model
    from core_model.archive import read_archive

    for kind, stated in {**digests, **({"sha256": model.sha256} if model.sha256 else {})}.items():
        if _digest(path, kind) != stated:
            return f"does not have the {kind} that was stated"
    try:
        if model.file.endswith(SUFFIX):
            _read_safetensors(path)
        else:
            read_archive(path)
    except core_model.WeightsError as error:
        return f"is of no use: {error}"
    return ""


def _read_safetensors(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    import core_model

    try:
        with safe_open(path, framework="np") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        raise core_model.WeightsError(f"no whole safetensors file ({error})") from error


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _record(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")


def _read_digest(target: Path) -> str | None:
    try:
        return _record(target).read_text("utf-8").split()[0]
    except (OSError, ValueError, IndexError):
        return None


def _write_digest(target: Path, digest: str) -> None:
    """In the form that sha256sum reads."""
    atomic.write(_record(target), f"{digest}  {target.name}\n".encode())
