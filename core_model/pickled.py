"""State dicts that torch has pickled (`.pth`): looked through before torch reads them, with `weights_only`."""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from core_model.card import WeightsError

_HARMLESS = {
    "collections OrderedDict",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_tensor_v2",
    "torch Size",
    *(
        f"torch {kind}Storage"
        for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte")
    ),
    *("torch BoolStorage", "torch.storage UntypedStorage"),
}
_LARGEST_PICKLE = 64 << 20
_PICKLES = 5  # in a file of before torch 1.6: mark, version, system, the dictionary, the storages' keys
_UNDER = ("state_dict", "model")  # where training scripts keep the weights


def read_pickled(path: Path | str) -> dict[str, Tensor]:
    """Give the tensors of a state dict, which may stand under "state_dict" or "model"; they lie in the mapped file.

    Nothing in the file is executed: what it asks to call is compared with what tensors need before torch reads it.
    WeightsError: damaged, hostile, no state dict, or not there.
    """
    path = Path(path)
    try:
        zipped = zipfile.is_zipfile(path)
        with path.open("rb") as file:
            (_look_through_zip if zipped else _look_through)(path, file)
        content = torch.load(path, map_location="cpu", mmap=zipped, weights_only=True)
    except WeightsError:
        raise
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist") from error
    except Exception as error:  # what a damaged pickle can raise, nobody lists
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise WeightsError(f"{path.name} is damaged or no file of torch.save ({reason})") from error
    return _state_dict(content, path.name)


def _look_through_zip(path: Path, file: IO[bytes]) -> None:
    """Check a zip of torch.save: nothing compressed, so that nothing grows, and every member's CRC-32."""
    size = path.stat().st_size
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise WeightsError(f"{path.name} is compressed, which torch.save does not do")
        if sum(member.file_size for member in members) > size:
            raise WeightsError(f"{path.name} claims more bytes than it has")
        if (damaged := archive.testzip()) is not None:
            raise WeightsError(f"{path.name} is damaged: {damaged} does not have its checksum")
        pickles = [member for member in members if member.filename.endswith(".pkl")]
        if any(member.file_size > _LARGEST_PICKLE for member in pickles):
            raise WeightsError(f"{path.name} holds a pickle that is too large for names and shapes")
        for member in pickles:
            _check(io.BytesIO(archive.read(member)), path.name, size)


def _look_through(path: Path, file: IO[bytes]) -> None:
    """Check the pickles at the beginning of a file of before torch 1.6; the values follow them."""
    size = path.stat().st_size
    for _ in range(_PICKLES):
        _check(file, path.name, size)


def _check(file: IO[bytes], name: str, size: int) -> None:
    """Go through a pickle's words, executing none, for calls and for numbers larger than the file."""
    for word, value, at in pickletools.genops(file):
        if at is not None and at > _LARGEST_PICKLE:
            raise WeightsError(f"{name} holds a pickle that is too large for names and shapes")
        if word.name in ("GLOBAL", "INST") and value not in _HARMLESS:
            called = str(value).replace(" ", ".")[:80]
            raise WeightsError(f"{name} asks to call {called!a}: nothing was run; save only tensors in it")
        if word.name in ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4"):
            raise WeightsError(f"{name} asks to call what no tensor needs ({word.name}): nothing was run")
        number = value if isinstance(value, int) and word.name.startswith(("BININT", "INT", "LONG")) else 0
        if number > size and number != torch.serialization.MAGIC_NUMBER:
            raise WeightsError(f"{name} claims {number} values, more than it has bytes")


def _state_dict(content: object, name: str) -> dict[str, Tensor]:
    for key in _UNDER:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{name} holds no state dict")
    for key, value in content.items():
        if not isinstance(key, str) or not key.isprintable() or not isinstance(value, Tensor):
            raise WeightsError(f"{name} holds no state dict: {str(key)[:60]!r} is no tensor's name, or names none")
    return dict(content)
