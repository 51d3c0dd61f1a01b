"""Dataset formats, by the name that `--format` takes: a new one is one file and one entry here."""

from __future__ import annotations

from app.formats import labelme, voc
from app.formats.format import Exported, Format, FormatError, Found, Pictures, Refused

FORMATS: dict[str, Format] = {
    "voc": Format("voc", "PASCAL VOC (folders of pictures, palette masks and lists)", voc.read, voc.write),
    "labelme": Format("labelme", "labelme (JSON files)", importer=labelme.read),
}

__all__ = ["FORMATS", "Exported", "Format", "FormatError", "Found", "Pictures", "Refused"]
