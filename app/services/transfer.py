"""One file over HTTP: goes on where the last try ended, and believes no server more than it has to.

requests does the transfer: it knows proxies, certificates and redirects, and lets us send Range and If-Range, which is
what going on needs. (pooch, which has checksums and a cache, always starts afresh.)
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import requests
import urllib3

from app.services.errors import Refusal
from app.storage.errors import reason

_TIMEOUT = (10.0, 30.0)  # seconds: to connect, and without a byte
_PIECE = 1 << 14
_TRIES = 20  # each must have brought something
_ROOM = 64 << 20  # bytes that stay free on the disk
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError)


@dataclass
class Watch:
    """Between the thread that transfers and the one that looks on."""

    done: int = 0  # bytes
    total: int = 0  # 0: the server does not say
    text: str = ""
    stop: Event = field(default_factory=Event)


class Stopped(Exception):
    """The one that looks on wants no more; the part stays."""


class _StartAgain(Exception):
    """What is here is no beginning of what the server has."""


@dataclass(frozen=True)
class _Source:
    """What a part is the beginning of: where it comes from, and what the server said of the whole."""

    address: str
    validator: str  # for If-Range: an ETag or a date; "": cannot be gone on with
    total: int
    digests: dict[str, str]  # md5, sha256 in hexadecimal


class Part:
    """The beginning of a file, beside its place, and a note of what it is the beginning of."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def source(self, address: str) -> _Source | None:
        """What the note says, where the part comes from this address and can be gone on with."""
        try:
            source = _Source(**json.loads(self._note.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        usable = source.address == address and source.validator and self.size
        return source if usable and (not source.total or self.size <= source.total) else None

    def begin(self, source: _Source) -> None:
        """An empty part of another source. Raises OSError."""
        self.path.write_bytes(b"")
        self._note.write_text(json.dumps(asdict(source)), "utf-8")

    def drop(self) -> None:
        """It is good for nothing."""
        for path in (self.path, self._note):
            path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """It is whole. Raises OSError."""
        self.path.replace(target)
        self._note.unlink(missing_ok=True)


def transfer(address: str, part: Part, most: int, watch: Watch) -> dict[str, str]:
    """Brings a file of at most so many bytes into its part, and gives the digests that the server states.

    Refusal, in one line, that says what is kept; Stopped.
    """
    host = _host(address)
    with requests.Session() as session:
        session.headers.update({"User-Agent": "atrous", "Accept-Encoding": "identity"})
        afresh = False
        for _ in range(_TRIES):
            had = part.size
            try:
                return _receive(session, address, part, most, watch)
            except _StartAgain:
                part.drop()
                if afresh:
                    raise Refusal(f"{host} contradicts itself about what the file is; nothing was kept") from None
                afresh = True
            except requests.TooManyRedirects as error:
                raise Refusal(f"{host} sends in circles and gives no file; {_kept(part)}") from error
            except _FAULTS as error:
                if part.size <= had:
                    raise Refusal(f"{_fault(host, error)}; {_kept(part)}") from error
            except OSError as error:
                raise Refusal(f"{part.path} could not be written ({reason(error)}); {_kept(part)}") from error
    raise Refusal(f"{host} breaks off again and again; {_kept(part)}")


def _receive(session: requests.Session, address: str, part: Part, most: int, watch: Watch) -> dict[str, str]:
    """One request, and all that comes of it."""
    source = part.source(address)
    if source is not None and part.size == source.total:
        return source.digests
    headers = {} if source is None else {"Range": f"bytes={part.size}-", "If-Range": source.validator}
    with session.get(address, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        goes_on = source is not None and answer.status_code == 206
        if source is not None and (answer.status_code == 416 or (goes_on and _begins_at(answer) != part.size)):
            raise _StartAgain
        _believe(answer, address, part)
        length = _length(answer)
        if not goes_on or source is None:
            source = _Source(address, _validator(answer), length, _digests(answer))
        begun = part.size if goes_on else 0
        _has_place(part, begun, length, most, _host(address))
        if not goes_on:
            part.begin(source)
        watch.done, watch.total, watch.text = begun, source.total, ""
        with part.path.open("ab") as file:
            for piece in answer.raw.stream(_PIECE, decode_content=False):
                if watch.stop.is_set():
                    raise Stopped
                if watch.done == 0 and piece.lstrip()[:1] == b"<":
                    raise Refusal(_page(address, part, drop=True))
                if watch.done + len(piece) > most:
                    part.drop()
                    raise Refusal(f"{_host(address)} sends more and more, far above the size that was published")
                file.write(piece)
                watch.done += len(piece)
    return source.digests


def _believe(answer: requests.Response, address: str, part: Part) -> None:
    """Refusal unless this is the answer of somebody who has the file."""
    host = _host(answer.url)
    if answer.status_code in (404, 410):
        raise Refusal(f"there is no such file on {host} ({answer.url}); a mirror may have it (--mirror)")
    if answer.status_code not in (200, 206):
        raise Refusal(f"{host} answers {answer.status_code} {answer.reason}; {_kept(part)}")
    if address.startswith("https:") and not answer.url.startswith("https:"):
        raise Refusal(f"{_host(address)} sends on to {answer.url}, which anybody on the way could change")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise Refusal(_page(address, part))


def _has_place(part: Part, begun: int, length: int, most: int, host: str) -> None:
    """Refusal where the file is larger than it can be, or the disk too full."""
    if begun + length > most:
        raise Refusal(f"{host} says that the file has {_size(begun + length)}, far above the size that was published")
    free = shutil.disk_usage(part.path.parent).free
    if free < length + _ROOM:
        missing = _size(length + _ROOM - free)
        raise Refusal(f"the disk of {part.path.parent} is too full: {missing} more are needed; {_kept(part)}")


def _page(address: str, part: Part, *, drop: bool = False) -> str:
    if drop:
        part.drop()
    return f"{_host(address)} answers with a web page, not with the file: does this network want a login?"


def _fault(host: str, error: Exception) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy does not let us to {host}"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host} has no certificate that can be trusted"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"{host} does not answer"
    if isinstance(error, requests.ConnectionError):
        return f"{host} cannot be reached (HTTPS_PROXY and ATROUS_MIRROR are respected)"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return f"{host} broke off"
    return f"{host} gives no sensible answer ({type(error).__name__})"


def _kept(part: Part) -> str:
    return f"{_size(part.size)} are kept, fetch it again to go on" if part.size else "nothing was kept"


def _host(address: str) -> str:
    return urlsplit(address).netloc


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _length(answer: requests.Response) -> int:
    """Bytes of this answer; 0 where it does not say so."""
    text = answer.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else 0


def _begins_at(answer: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _validator(answer: requests.Response) -> str:
    """What If-Range takes: a strong ETag, else the date of the last change."""
    etag = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")


def _digests(answer: requests.Response) -> dict[str, str]:
    """What Hugging Face (of the file behind a link) and Google's storage state of a file."""
    found: dict[str, str] = {}
    for one in (*answer.history, answer):
        linked = one.headers.get("X-Linked-ETag", "").strip('"')
        if re.fullmatch("[0-9a-f]{64}", linked):
            found["sha256"] = linked
        if stated := re.search(r"md5=([A-Za-z0-9+/]{22}==)", one.headers.get("X-Goog-Hash", "")):
            with contextlib.suppress(ValueError):
                found["md5"] = base64.b64decode(stated[1]).hex()
    return found
