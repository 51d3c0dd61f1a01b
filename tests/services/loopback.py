"""A server of files on loopback that a test can tell to misbehave."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """How one request is answered; as it stands: like an honest server that knows ranges."""

    status: int = 0  # instead of 200 or 206
    body: bytes | None = None  # instead of the file
    length: str | None = None  # what Content-Length says instead; "": none, the end of the line ends the file
    sent: int | None = None  # bytes of the body after which the line is cut
    waits: bool = False  # then the line is not cut: nothing comes until the server goes
    ranges: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


HONEST = Answer()


class Server(ThreadingHTTPServer):
    """Serves `files` by path; answers each request as the next of `answers` says, then honestly."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.etag = '"1"'
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, Message]] = []
        self.going = Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def ranges(self) -> list[str | None]:
        """What each request asked for."""
        return [headers["Range"] for _, headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        server.asked.append((self.path, self.headers))
        answer = server.answers.pop(0) if server.answers else HONEST
        content = server.files.get(urlsplit(self.path).path)
        status, headers = answer.status or 200, {"ETag": server.etag, **answer.headers}
        if content is None and answer.body is None:
            status, content = 404, b""
        body = content if answer.body is None else answer.body
        assert body is not None
        wanted = self.headers["Range"]
        if wanted and answer.ranges and not answer.status and self.headers["If-Range"] == server.etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < len(body) else 416
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.length != "":
            self.send_header("Content-Length", answer.length or str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):  # whoever asked has left
            self.wfile.write(body if answer.sent is None else body[: answer.sent])
            self.wfile.flush()
            if answer.waits:
                server.going.wait()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of a test."""
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.going.set()
            server.shutdown()
            thread.join()
