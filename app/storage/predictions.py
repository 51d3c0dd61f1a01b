"""What the network said last of every image, kept to be looked at and brought back after a restart."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from app.domain.classes import Classes
from app.domain.prediction import Prediction
from app.storage import atomic, planes
from app.storage.errors import MaskProblem, ReadOnlyProject, UnkeptPrediction, reason
from app.storage.mask_files import check_classes

VERSION = "atrous:version"
_CONFIDENCE = b"coNF"
"""PNG specification, 5.4: ancillary, private, unsafe to copy, so that a program that edits the labels drops it."""
_END = b"IEND\xaeB`\x82"


class PredictionFiles:
    """`.atrous/predictions/<id>.png`: labels in grey, 255 where nothing is predicted; all else in chunks of the PNG.

    The version is the text `atrous:version` (iTXt). The confidence is the chunk `coNF`: height and width (uint32, high
    bytes first), then its rows, compressed by zlib. One file, so that they always belong together.
    """

    def __init__(self, folder: Path, refusal: str | None = None) -> None:
        """`refusal`: why nothing can be written, in words."""
        self._folder, self._refusal = folder, refusal

    def path(self, image_id: str) -> Path:
        """Where the prediction of an image lies, or would."""
        return self._folder / f"{image_id}.png"

    def store(self, image_id: str, prediction: Prediction) -> None:
        """Keep a prediction in place of the one before. Raises UnkeptPrediction, ReadOnlyProject.

        Atomic, without fsync: a power cut may cost it, and `load` finds that out.
        """
        if self._refusal is not None:
            raise ReadOnlyProject(self._refusal)
        version = VERSION.encode() + b"\0\0\0\0\0" + prediction.version.encode()  # not compressed, of no language
        confidence = prediction.confidence
        content = struct.pack(">II", *confidence.shape) + zlib.compress(confidence.tobytes(), 1)
        try:
            png = planes.encoded(prediction.labels, None, [(b"iTXt", version), (_CONFIDENCE, content)])
            atomic.write(self.path(image_id), png, durable=False)
        except OSError as error:
            raise UnkeptPrediction(
                f"what the network said of {image_id} could not be kept ({reason(error)}); nothing else is lost, "
                "and it can be computed again"
            ) from error

    def load(self, image_id: str, width: int, height: int, classes: Classes) -> Prediction | None:
        """The prediction of an image; None where there is none, or none that is whole and fits picture and classes."""
        path = self.path(image_id)
        try:
            data = path.read_bytes()
            with PngImageFile(io.BytesIO(data)) as image:
                if image.mode != "L" or image.size != (width, height) or not data.endswith(_END):
                    return None
                content = dict(part[:2] for part in image.private_chunks)[_CONFIDENCE]
                version = str(image.info[VERSION])
                image.verify()  # every checksum; whoever decodes looks at none
            labels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            if labels is None:
                return None
            check_classes(path, np.asarray(labels, np.uint8), classes)
            return Prediction(np.asarray(labels, np.uint8), _confidence(content), version)
        except (cv2.error, MaskProblem, *planes.DAMAGE):
            return None


def _confidence(content: bytes) -> NDArray[np.uint8]:
    height, width = struct.unpack_from(">II", content)
    return np.frombuffer(zlib.decompress(content[8:]), np.uint8).reshape(height, width)
