"""TensorFlow's frozen graphs (`frozen_inference_graph.pb`, a GraphDef): their constants, without TensorFlow."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core_model.card import WeightsError
from core_model.protobuf import Field, fields, message, number, octets, shape

DTYPES = {1: "<f4", 2: "<f8", 19: "<f2"}
_WEIGHTS = re.compile(r"/(weights|depthwise_weights|biases|gamma|beta|moving_mean|moving_variance)$")


def read_graph(path: Path | str) -> dict[str, NDArray[Any]]:
    """Open a frozen graph: variable → its values, which stay in the file until they are used.

    WeightsError: damaged, cut off, without a frozen variable, or not there.
    """
    path = Path(path)
    try:
        data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror})") from error
    return parse_graph(path.name, data)


def parse_graph(name: str, data: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Give the frozen variables of a GraphDef's bytes: constants of weights' names; a graph has others besides."""
    found: dict[str, NDArray[Any]] = {}
    try:
        for key, node in fields(data.data):
            if key == 1 and (constant := _constant(node)) is not None:
                found[constant[0]] = constant[1]
    except ValueError as error:
        raise WeightsError(f"{name} is damaged or no frozen graph ({error})") from error
    if not found:
        raise WeightsError(f"{name} is no frozen graph of a network: no constant of it is a layer's weights")
    return found


def _constant(node: Field) -> tuple[str, NDArray[Any]] | None:
    """Give name and values of a NodeDef (name = 1, op = 2, attr = 5) if it is a frozen variable."""
    name, operation, tensor = "", b"", None
    for key, value in message(node):
        if key == 1:
            name = bytes(octets(value)).decode()
        elif key == 2:
            operation = bytes(octets(value))
        elif key == 5:
            attribute = dict(message(value))
            if bytes(octets(attribute.get(1, memoryview(b"")))) == b"value":
                tensor = dict(message(attribute.get(2, memoryview(b"")))).get(8)
    if operation != b"Const" or tensor is None or not _WEIGHTS.search(name) or not name.isprintable():
        return None
    return name, _values(name, dict(message(tensor)))


def _values(name: str, tensor: dict[int, Field]) -> NDArray[Any]:
    """Give a TensorProto's array (dtype = 1, shape = 2, content = 4, or the values one by one: float_val = 5)."""
    kind = number(tensor.get(1, 0))
    if kind not in DTYPES:
        raise ValueError(f"{name} is of type {kind}, which no weights have")
    dtype, sizes = np.dtype(DTYPES[kind]), shape(tensor.get(2, memoryview(b"")))
    content = octets(tensor.get(4, memoryview(b"")))
    if not content and kind == 1 and 5 in tensor:
        content = octets(tensor[5])
        if len(content) == dtype.itemsize:  # one value for all of them
            return np.broadcast_to(np.frombuffer(content, dtype), sizes)
    if prod(sizes) * dtype.itemsize != len(content):
        raise ValueError(f"{name} has {len(content)} bytes for shape {sizes}")
    return np.frombuffer(content, dtype).reshape(sizes)
