"""Bytes as runs of equal values: what masks and their changes are made of, and quicker to find than to compress."""

from __future__ import annotations

import numpy as np

from app.domain.arrays import UInt8

_PLAIN, _RUNS = b"\0", b"\1"


def packed(values: UInt8) -> bytes:
    """A flat array as one byte that tells how, and either lengths (uint32, low bytes first, the four bytes in planes)
    and values of its runs, or, where it is noise and that would be longer, the values themselves.
    """
    starts = np.flatnonzero(values[1:] != values[:-1]) + 1
    if 5 * (starts.size + 1) >= values.size:
        return _PLAIN + values.tobytes()
    lengths = np.diff(starts, prepend=0, append=values.size).astype("<u4")
    return _RUNS + lengths.view(np.uint8).reshape(-1, 4).T.tobytes() + values[np.r_[0, starts]].tobytes()


def unpacked(data: bytes, size: int) -> UInt8:
    """The array again; ValueError when the data does not describe so many values."""
    body = np.frombuffer(data, np.uint8, offset=1)
    if data[:1] == _RUNS and body.size % 5 == 0:
        lengths = np.ascontiguousarray(body[: body.size // 5 * 4].reshape(4, -1).T).view("<u4").ravel()
        if int(lengths.sum(dtype=np.uint64)) == size:
            return np.repeat(body[lengths.size * 4 :], lengths)
    elif data[:1] == _PLAIN and body.size == size:
        return body
    raise ValueError("it is cut short")
