"""Renders the sample project's pictures, or a VOC dataset to train the starter head with.

    python packaging/render_sample.py resources --count 12 --seed 34
    python packaging/render_sample.py /tmp/voc --voc --count 300 --seed 1000 --longest-side 1024

The first writes OUT/sample/{JPEGImages/*.jpg, class_names.txt} and OUT/sample_truth/<id>.png.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sample_scene import BACKDROPS, CLASS_NAMES, MOODS, Picture, render

JPEG_QUALITY = 88


@dataclass(frozen=True)
class Folders:
    """Where a dataset goes."""

    pictures: Path
    truth: Path
    names: Path
    listing: Path | None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest-side", type=int, default=None, help="of pictures and masks, in pixels")
    parser.add_argument("--voc", action="store_true", help="write a VOC tree with masks and train.txt")
    options = parser.parse_args(arguments)
    folders = _folders(options.out, options.voc)
    folders.pictures.mkdir(parents=True, exist_ok=True)
    folders.truth.mkdir(parents=True, exist_ok=True)
    folders.names.write_text("\n".join(CLASS_NAMES) + "\n", encoding="utf-8")
    ids = []
    for i in range(options.count):
        picture = drawn(options.seed, i, options.longest_side)
        ids.append(f"IMG_{options.seed * 17 % 7000 + i + 1:04d}")
        Image.fromarray(picture.rgb).save(folders.pictures / f"{ids[-1]}.jpg", quality=JPEG_QUALITY, optimize=True)
        mask = Image.fromarray(picture.labels)
        mask.putpalette(voc_palette())
        mask.save(folders.truth / f"{ids[-1]}.png", optimize=True)
        print(f"{i + 1} of {options.count}: {ids[-1]}", file=sys.stderr)
    if folders.listing is not None:
        folders.listing.parent.mkdir(parents=True, exist_ok=True)
        folders.listing.write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
    return 0


def drawn(seed: int, index: int, longest_side: int | None = None) -> Picture:
    """Picture `index` of a set: tables and lights take turns, so that a small set already holds most of them."""
    order = np.random.default_rng(seed)
    tables, moods = order.permutation(list(BACKDROPS)), order.permutation(MOODS)
    table, mood = tables[index % len(tables)], moods[(index + index // len(tables)) % len(moods)]
    return render(seed * 100_003 + index, str(table), str(mood), longest_side)


def voc_palette() -> list[int]:
    """PASCAL VOC's colour map, 256 RGB triples: the bits of the index, dealt to the channels from the top."""
    palette = []
    for index in range(256):
        for channel in range(3):
            bits = (index >> channel & 1, index >> channel + 3 & 1, index >> channel + 6 & 1)
            palette.append(bits[0] << 7 | bits[1] << 6 | bits[2] << 5)
    return palette


def _folders(out: Path, voc: bool) -> Folders:
    if voc:
        listing = out / "ImageSets" / "Segmentation" / "train.txt"
        return Folders(out / "JPEGImages", out / "SegmentationClass", out / "class_names.txt", listing)
    sample = out / "sample"
    return Folders(sample / "JPEGImages", out / "sample_truth", sample / "class_names.txt", None)


if __name__ == "__main__":
    sys.exit(main())
