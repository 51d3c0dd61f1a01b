"""The published models that can be fetched by name: what each is good for, its size, licence and address.

Two of the model zoo's Xception networks are left out, xception_71 for Cityscapes: their head is a dense prediction
cell, which this network has not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import platformdirs

from app.domain.classes import VOC_NAMES
from app.services.errors import Refusal

MIRROR = "ATROUS_MIRROR"
"""Environment: the base address in place of every publisher's; the paths stay the same."""

CACHE = "ATROUS_CACHE"
"""Environment: the folder in place of the user's cache folder."""

CITYSCAPES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
ADE20K = (
    "background",  # is not learnt: whatever has no class
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass", "cabinet", "sidewalk",
    "person", "earth", "door", "table", "mountain", "plant", "curtain", "chair", "car", "water", "painting", "sofa",
    "shelf", "house", "sea", "mirror", "rug", "field", "armchair", "seat", "fence", "desk", "rock", "wardrobe", "lamp",
    "bathtub", "railing", "cushion", "base", "box", "column", "signboard", "chest of drawers", "counter", "sand",
    "sink", "skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs", "runway", "case", "pool table",
    "pillow", "screen door", "stairway", "river", "bridge", "bookcase", "blind", "coffee table", "toilet", "flower",
    "book", "hill", "bench", "countertop", "stove", "palm", "kitchen island", "computer", "swivel chair", "boat", "bar",
    "arcade machine", "hovel", "bus", "towel", "light", "truck", "tower", "chandelier", "awning", "streetlight",
    "booth", "television receiver", "airplane", "dirt track", "apparel", "pole", "land", "bannister", "escalator",
    "ottoman", "bottle", "buffet", "poster", "stage", "van", "ship", "fountain", "conveyer belt", "canopy", "washer",
    "plaything", "swimming pool", "stool", "barrel", "basket", "waterfall", "tent", "bag", "minibike", "cradle", "oven",
    "ball", "food", "step", "tank", "trade name", "microwave", "pot", "animal", "bicycle", "lake", "dishwasher",
    "screen", "blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray", "ashcan", "fan", "pier",
    "crt screen", "plate", "monitor", "bulletin board", "shower", "radiator", "glass", "clock", "flag",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A row: one file that somebody publishes."""

    name: str  # as its publisher calls it
    address: str
    megabytes: int  # as its publisher says, about
    good_for: str
    classes: tuple[str, ...] = ()  # by index; none: a backbone, to learn on
    licence: str = "Apache-2.0"
    sha256: str | None = None  # None: the publisher names none

    @property
    def file(self) -> str:
        """Its name in the cache folder, which tells what kind of file it is."""
        last = PurePosixPath(urlsplit(self.address).path).name
        return f"{self.name}.safetensors" if last == "model.safetensors" else last

    @property
    def kind(self) -> str:
        """In a word or two what the file holds."""
        return f"{len(self.classes)} classes" if self.classes else "backbone"


_ZOO = "https://download.tensorflow.org/models"  # no checksum is known: at least nobody on the way can change the file
_TIMM = "https://huggingface.co/timm"

MODELS: tuple[Published, ...] = (
    Published("xception65_coco_voc_trainaug", f"{_ZOO}/deeplabv3_pascal_train_aug_2018_01_04.tar.gz", 439,
              "People, animals, vehicles, furniture. Learn on from this one (VOC val: 82.2 % mIoU)", VOC_NAMES),
    Published("xception65_coco_voc_trainval", f"{_ZOO}/deeplabv3_pascal_trainval_2018_01_04.tar.gz", 439,
              "The same classes, from more pictures: predict with this one (VOC test: 87.8 %)", VOC_NAMES),
    Published("xception65_cityscapes_trainfine", f"{_ZOO}/deeplabv3_cityscapes_train_2018_02_06.tar.gz", 439,
              "Streets as a car sees them (Cityscapes val: 78.8 %)", CITYSCAPES),
    Published("xception65_ade20k_train", f"{_ZOO}/deeplabv3_xception_ade20k_train_2018_05_29.tar.gz", 439,
              "Rooms, streets, landscapes: much at once (ADE20K val: 45.7 %)", ADE20K),
    Published("xception_65_imagenet_coco", f"{_ZOO}/xception_65_coco_pretrained_2018_10_02.tar.gz", 292,
              "To learn on, when there are many pictures: has seen ImageNet and COCO"),
    Published("xception_41_imagenet", f"{_ZOO}/xception_41_2018_05_09.tar.gz", 288,
              "To learn on: the small one, for laptops"),
    Published("xception_65_imagenet", f"{_ZOO}/deeplabv3_xception_2018_01_04.tar.gz", 447,
              "To learn on: the one of the paper"),
    Published("xception_71_imagenet", f"{_ZOO}/xception_71_2018_05_09.tar.gz", 474,
              "To learn on: the large one, for GPUs"),
    Published("xception41.tf_in1k", f"{_TIMM}/xception41.tf_in1k/resolve/main/model.safetensors", 108,
              "xception_41_imagenet as timm hosts it: a smaller download"),
    Published("xception65.tf_in1k", f"{_TIMM}/xception65.tf_in1k/resolve/main/model.safetensors", 160,
              "xception_65_imagenet as timm hosts it: a smaller download"),
    Published("xception65.ra3_in1k", f"{_TIMM}/xception65.ra3_in1k/resolve/main/model.safetensors", 160,
              "To learn on: timm's own, learnt from ImageNet with stronger augmentation"),
    Published("xception71.tf_in1k", f"{_TIMM}/xception71.tf_in1k/resolve/main/model.safetensors", 170,
              "xception_71_imagenet as timm hosts it: a smaller download"),
)  # fmt: skip


def published(name: str) -> Published:
    """The row of that name. Refusal where there is none."""
    for model in MODELS:
        if model.name == name:
            return model
    raise Refusal(f"no published model is called {name!r}; there are {', '.join(model.name for model in MODELS)}")


def class_names(count: int) -> tuple[str, ...]:
    """What the classes of a published network of so many are called: no weight file says it. () for another number."""
    return next((model.classes for model in MODELS if len(model.classes) == count > 0), ())


def cache_folder(cache: Path | None = None) -> Path:
    """Where fetched models lie: in `cache`, else where ATROUS_CACHE says, else in the user's cache folder."""
    chosen = cache or os.environ.get(CACHE)
    return (Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("atrous")) / "models"


def is_here(model: Published, cache: Path | None = None) -> bool:
    """Whether it has been fetched already."""
    return (cache_folder(cache) / model.file).is_file()


def address_of(model: Published, mirror: str | None = None) -> str:
    """Where to fetch it: at the publisher's, or on the mirror, else the one that ATROUS_MIRROR names. Refusal."""
    base = mirror or os.environ.get(MIRROR)
    if not base:
        return model.address
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise Refusal(f"the mirror {base!r} is no address: it begins with http:// or https://")
    return base.rstrip("/") + urlsplit(model.address).path
