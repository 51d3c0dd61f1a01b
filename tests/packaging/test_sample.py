"""The sample's pictures: the same every time, exact truth, and what ships of them."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import render_sample  # noqa: E402
from sample_scene import CLASS_NAMES, render  # noqa: E402
from sample_scene.camera import View  # noqa: E402
from sample_scene.noise import Frame  # noqa: E402
from sample_scene.surface import Sprite, Surface, edge  # noqa: E402
from sample_scene.things import KINDS  # noqa: E402

PICTURES = sorted((ROOT / "resources" / "sample" / "JPEGImages").glob("*.jpg"))
TRUTH = ROOT / "resources" / "sample_truth"
SHIPPED_SEED = 34
SMALL = 320


def truth_of(picture: Path) -> np.ndarray:
    return np.asarray(Image.open(TRUTH / f"{picture.stem}.png"))


def borders(labels: np.ndarray) -> np.ndarray:
    """Pixels (H, W) bool whose right or lower neighbour is of another class."""
    found = np.zeros(labels.shape, bool)
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    found[:-1] |= labels[:-1] != labels[1:]
    return found


def contrast_at_borders(rgb: np.ndarray, labels: np.ndarray) -> float:
    """How much steeper the picture is at the truth's borders than elsewhere."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    on = borders(labels)
    return float(slope[on].mean() / slope[~on].mean())


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = render(7, longest_side=SMALL), render(7, longest_side=SMALL), render(8, longest_side=SMALL)
    assert np.array_equal(first.rgb, again.rgb)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.labels, other.labels)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_covers_its_own_middle_ground_and_stays_within_its_reach(name: str) -> None:
    for seed in range(3):
        thing = KINDS[name](np.random.default_rng(seed))
        seen = View(640, 640, thing.reach * 2.4 / 640, 0.0).frame(0, 0, 0.3, thing.reach * 1.2)
        assert seen is not None
        frame = seen[1]
        sprite = thing.draw(frame)
        inside = sprite.coverage >= 0.5
        assert 0.005 < inside.mean() < 0.9
        assert float(np.hypot(frame.u, frame.v)[inside].max()) <= thing.reach + frame.pixel
        assert float(np.abs(frame.v)[inside].max()) <= thing.girth + 2
        assert np.isfinite(sprite.height).all()
        assert float(sprite.albedo[inside].min()) >= 0


def test_the_truth_is_the_geometry_at_pixel_centres() -> None:
    seen = View(201, 101, 0.5, 0.0).frame(0, 0, 0, 500)
    assert seen is not None
    box, frame = seen
    radius = np.hypot(frame.u, frame.v)
    grey = np.full((101, 201, 3), 0.5, np.float32)
    surface = Surface.of(Sprite(np.ones_like(radius), np.zeros_like(radius), grey), 0.5)
    surface.lay(Sprite(edge(20 - radius, frame), np.full_like(radius, 3), grey), box, 4, 0.5)
    surface.lay(Sprite(edge(10 - radius, frame), np.full_like(radius, 1), grey), box, 2, 0.5)
    y, x = np.mgrid[:101, :201]
    distance = np.hypot(x + 0.5 - 100.5, y + 0.5 - 50.5) * 0.5
    expected = np.select([distance < 10 - 1e-4, distance < 20 - 1e-4], [2, 4], 0)
    clear = np.minimum(np.abs(distance - 10), np.abs(distance - 20)) > 1e-3
    assert np.array_equal(surface.labels[clear], expected[clear])


def test_a_tilted_view_finds_every_pixel_of_a_place() -> None:
    view = View(400, 300, 0.6, 0.28)
    whole = view.frame(0, 0, 0.0, 4000)
    assert whole is not None
    assert whole[1].u.shape == (300, 400)
    for x, y in ((-80, -50), (70, 60), (0, 0), (118, -85)):
        part = view.frame(x, y, 0.0, 15)
        near = np.hypot(whole[1].u - x, whole[1].v - y) <= 15
        assert part is not None
        covered = np.zeros_like(near)
        covered[part[0]] = True
        assert covered[near].all()


def test_packed_pixels_come_back_where_they_were() -> None:
    from sample_scene.noise import spread

    v, u = np.mgrid[:40, :60].astype(np.float32)
    mask = (u * 7 + v * 3) % 5 < 2
    packed = Frame(u, v, 1.0).packed(mask)
    assert np.array_equal(spread(packed.u, mask), np.where(mask, u, 0))


def test_voc_tree_of_a_given_size(tmp_path: Path) -> None:
    assert render_sample.main([str(tmp_path), "--voc", "--count", "2", "--seed", "3", "--longest-side", "256"]) == 0
    ids = (tmp_path / "ImageSets" / "Segmentation" / "train.txt").read_text().split()
    assert len(ids) == 2
    assert (tmp_path / "class_names.txt").read_text().splitlines() == list(CLASS_NAMES)
    for name in ids:
        picture = Image.open(tmp_path / "JPEGImages" / f"{name}.jpg")
        mask = Image.open(tmp_path / "SegmentationClass" / f"{name}.png")
        assert max(picture.size) == 256
        assert mask.size == picture.size
        assert mask.mode == "P"
        assert mask.getpalette()[3:9] == [128, 0, 0, 0, 128, 0]
        assert np.asarray(mask).max() < len(CLASS_NAMES)


def test_twelve_pictures_ship_within_twelve_megabytes_and_without_masks() -> None:
    assert len(PICTURES) == 12
    files = [p for d in ("sample", "sample_truth") for p in (ROOT / "resources" / d).rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 12_000_000
    within = sorted(p.relative_to(ROOT / "resources" / "sample").as_posix() for p in files if "sample" in p.parts)
    assert within == [f"JPEGImages/{p.name}" for p in PICTURES] + ["class_names.txt"]
    assert sorted(p.stem for p in TRUTH.iterdir()) == [p.stem for p in PICTURES]
    names = (ROOT / "resources" / "sample" / "class_names.txt").read_text(encoding="utf-8").splitlines()
    assert names == list(CLASS_NAMES)
    assert len({Image.open(p).size for p in PICTURES}) >= 3


def test_shipped_truth_fits_its_pictures_and_holds_every_class() -> None:
    pixels = np.zeros(256, np.int64)
    holders = np.zeros(256, np.int64)
    for picture in PICTURES:
        labels = truth_of(picture)
        assert labels.shape[::-1] == Image.open(picture).size
        counts = np.bincount(labels.ravel(), minlength=256)
        pixels += counts
        holders += counts > 200
    share = pixels / pixels.sum()
    assert pixels[len(CLASS_NAMES) :].sum() == 0
    assert 0.3 < share[0] < 0.85
    assert share[1 : len(CLASS_NAMES)].min() > 0.005
    assert holders[: len(CLASS_NAMES)].min() >= 4


def test_shipped_truth_runs_along_visible_edges() -> None:
    for picture in PICTURES:
        rgb, labels = np.asarray(Image.open(picture)), truth_of(picture)
        here = contrast_at_borders(rgb, labels)
        assert here > 1.5, picture.name
        assert here > 1.3 * contrast_at_borders(rgb, np.roll(labels, (9, 9), axis=(0, 1))), picture.name


def test_what_ships_is_what_the_generator_makes() -> None:
    made = render_sample.drawn(SHIPPED_SEED, 0)
    shipped = np.asarray(Image.open(PICTURES[0]))
    assert (made.labels == truth_of(PICTURES[0])).mean() > 0.999
    assert np.abs(made.rgb.astype(int) - shipped).mean() < 4
