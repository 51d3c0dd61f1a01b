"""The model zoo's `.tar.gz` as downloaded: its checkpoint, else its frozen graph, read without unpacking it."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core_model.card import WeightsError
from core_model.foreign import Stored
from core_model.frozen_graph import parse_graph
from core_model.tensorflow_bundle import parse_bundle

_PIECE = 1 << 16
_LARGEST = 2 << 30
_MOST_MEMBERS = 1000
_DEFLATE = 1032  # what deflate can shrink by, at most


class _Pieces(gzip.GzipFile):
    """A stream that gives no more than a piece at once, so that a header cannot ask for all memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _PIECE:
            raise tarfile.ReadError(f"a header asks for {size} bytes")
        return super().read(size)


def read_archive(path: Path | str) -> Mapping[str, Stored]:
    """Open an archive's checkpoint, or its frozen graph where it has none: variable → array.

    WeightsError: damaged, cut off, hostile (links, paths that lead outside, sizes that cannot be), or without either.
    """
    path = Path(path)
    try:
        with _Pieces(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            try:
                found = _weights(path, archive)
            except WeightsError:
                _drain(stream)  # a checksum that is wrong says more than what was missing
                raise
            _drain(stream)
            return found
    except WeightsError:
        raise
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise WeightsError(f"{path.name} is damaged or no archive of the model zoo ({error})") from error


def _weights(path: Path, archive: tarfile.TarFile) -> Mapping[str, Stored]:
    members = {member.name: member for member in _members(archive, path.stat().st_size)}
    indices = [name for name in members if name.endswith(".index")]
    graphs = [name for name in members if PurePosixPath(name).name == "frozen_inference_graph.pb"]

    def content(name: str) -> NDArray[np.uint8]:
        if name not in members:
            raise WeightsError(f"{path.name} has no {name} in it")
        return _content(archive, members[name])

    if len(indices) + (not indices) * len(graphs) != 1:
        raise WeightsError(f"{path.name} holds {len(indices)} checkpoints and {len(graphs)} frozen graphs, not one")
    if indices:
        index = indices[0]
        return parse_bundle(
            PurePosixPath(index).stem,
            content(index).tobytes(),
            lambda shard: content(str(PurePosixPath(index).with_name(shard))),
        )
    return parse_graph(graphs[0], content(graphs[0]))


def _members(archive: tarfile.TarFile, size: int) -> Iterator[tarfile.TarInfo]:
    """Give the files of an archive of so many bytes, each checked, and their sizes against what it can hold."""
    total = 0
    for count, member in enumerate(archive, 1):
        place = PurePosixPath(member.name)
        if count > _MOST_MEMBERS:
            raise tarfile.TarError(f"more than {_MOST_MEMBERS} files")
        if place.is_absolute() or ".." in place.parts or "\\" in member.name or not member.name.isprintable():
            raise tarfile.TarError(f"the path {member.name!r} leads outside")
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise tarfile.TarError(f"{member.name} is a link or no plain file")
        total += member.size
        if member.size < 0 or total > min(size * _DEFLATE, _LARGEST):
            raise tarfile.TarError(f"{member.name} claims more bytes than the archive can hold")
        yield member


def _drain(stream: gzip.GzipFile) -> None:
    """Read on to the end, where gzip has its checksum: a frozen graph has no other."""
    for _ in range(_LARGEST // _PIECE):
        if not stream.read(_PIECE):
            return
    raise tarfile.TarError("it has no end")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> NDArray[np.uint8]:
    """Read a member piece by piece; memory grows with what is really there."""
    file = archive.extractfile(member)
    assert file is not None  # it is a plain file
    content = bytearray()
    while piece := file.read(min(_PIECE, member.size - len(content))):
        content += piece
    if len(content) != member.size:
        raise tarfile.ReadError(f"{member.name} is cut off")
    return np.frombuffer(content, np.uint8)
