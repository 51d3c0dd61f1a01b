"""CRC-32C (Castagnoli), the checksum of TensorFlow's files, in numpy: many lanes at once, then joined in pairs."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # bits reversed
Words = NDArray[np.uint32]


def masked_crc32c(data: bytes | memoryview | NDArray[np.uint8]) -> int:
    """Give the checksum as LevelDB and TensorFlow store it: rotated right by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes | memoryview | NDArray[np.uint8]) -> int:
    """Give the CRC-32C of the bytes.

    The initial value is the inverse of the first four bytes, and zeros in front of those change nothing, so lanes of
    one length can all begin at zero; a lane is brought past the next by a matrix over GF(2).
    """
    values = np.frombuffer(data, np.uint8)
    lanes = 1 << (max(values.size, 4).bit_length() // 2)
    steps = -(-max(values.size, 4) // (2 * lanes))
    padded = np.zeros(2 * lanes * steps, np.uint8)
    padded[padded.size - values.size :] = values
    first = padded.size - values.size
    padded[first : first + 4] ^= 255
    table = _table()
    crc = np.zeros(lanes, np.uint32)
    for words in np.ascontiguousarray(padded.view("<u2").reshape(lanes, steps).T):
        crc = table[(crc ^ words) & 0xFFFF] ^ (crc >> np.uint32(16))
    while crc.size > 1:
        crc = _times(_past(steps), crc[0::2]) ^ crc[1::2]
        steps *= 2
    # of fewer than four bytes, the rest of the initial value is still to come: it was never shifted through
    short = 0xFFFFFFFF >> 8 * values.size if values.size < 4 else 0
    return int(crc[0]) ^ short ^ 0xFFFFFFFF


@functools.cache
def _table() -> Words:
    """Give what two bytes do to the register."""
    crc: Words = np.arange(65536, dtype=np.uint32)
    for _ in range(16):
        crc = crc >> np.uint32(1) ^ (crc & np.uint32(1)) * np.uint32(_POLYNOMIAL)
    return crc


@functools.lru_cache(maxsize=1024)
def _past(steps: int) -> Words:
    """Give the matrix (its 32 columns) that brings a register past so many pairs of zero bytes."""
    unit = np.uint32(1) << np.arange(32, dtype=np.uint32)
    power = _table()[unit & 0xFFFF] ^ (unit >> np.uint32(16))
    result = unit
    while steps:
        if steps & 1:
            result = _times(power, result)
        power = _times(power, power)
        steps >>= 1
    return result


def _times(matrix: Words, vectors: Words) -> Words:
    bits = vectors >> np.arange(32, dtype=np.uint32)[:, None] & np.uint32(1)  # (32, vectors)
    result: Words = np.bitwise_xor.reduce(matrix[:, None] * bits, axis=0)
    return result
