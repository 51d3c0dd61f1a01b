from __future__ import annotations

import contextlib
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from app.storage import images, tiff
from app.storage.images import UnreadableImage
from tests.storage.conftest import picture

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM")


def encoded(kind: str, pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def saved(folder: Path, data: bytes, name: str = "p") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF LZW"])
def test_exif_orientation_is_applied_and_size_agrees(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "lossless": True} if kind == "WEBP" else {"quality": 98} if kind == "JPEG" else {}
    if kind == "TIFF LZW":
        kind, options = "TIFF", {"compression": "tiff_lzw"}
    path = saved(tmp_path, encoded(kind, picture(), exif=exif, **options))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    result = images.read(path)
    assert result.shape == expected.shape == ((32, 48, 3) if orientation < 5 else (48, 32, 3))
    assert np.abs(result.astype(int) - expected).max() <= 6
    assert images.size(path) == images.check(path) == (result.shape[1], result.shape[0])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF"])
def test_lossless_formats_are_exact(tmp_path: Path, kind: str) -> None:
    assert np.array_equal(images.read(saved(tmp_path, encoded(kind, picture()))), picture())


def test_path_outside_ascii(tmp_path: Path) -> None:
    assert images.read(saved(tmp_path, encoded("PNG", picture()), "日本 ä.png")).shape == (32, 48, 3)


def test_the_array_is_read_only_and_contiguous(tmp_path: Path) -> None:
    result = images.read(saved(tmp_path, encoded("PNG", picture())))
    assert result.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        result[0, 0] = 0


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("wanted", [1, 100, 150, 333, 600, 2000])
def test_longest_side(tmp_path: Path, kind: str, wanted: int) -> None:
    path = saved(tmp_path, encoded(kind, picture(3, 600, 400)))
    result = images.read(path, wanted)
    assert max(result.shape[:2]) == min(wanted, 600)
    reference = images.reduced(images.read(path), wanted)
    assert np.abs(result.astype(int) - reference).mean() < 3


def test_a_jpeg_is_decoded_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags: list[int] = []
    decode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda data, flag: flags.append(flag) or decode(data, flag))
    path = saved(tmp_path, encoded("JPEG", picture(3, 600, 400)))
    for wanted in (75, 76, 150, 300, 301):
        images.read(path, wanted)
    kinds = (
        cv2.IMREAD_REDUCED_COLOR_8,
        cv2.IMREAD_REDUCED_COLOR_4,
        cv2.IMREAD_REDUCED_COLOR_4,
        cv2.IMREAD_REDUCED_COLOR_2,
        cv2.IMREAD_COLOR,
    )
    rgb = [kind - cv2.IMREAD_COLOR + cv2.IMREAD_COLOR_RGB + cv2.IMREAD_IGNORE_ORIENTATION for kind in kinds]
    assert flags == rgb


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("wanted", "side"), [(40, 75), (150, 75), (152, 150), (300, 150), (1200, 600), (5000, 600)])
def test_a_preview_is_the_picture_at_no_less_than_half_the_size(
    tmp_path: Path, kind: str, wanted: int, side: int
) -> None:
    path = saved(tmp_path, encoded(kind, picture(3, 600, 400)))
    result = images.preview(path, wanted)
    assert wanted / 2 <= max(result.shape[:2]) or max(result.shape[:2]) == 600
    if kind == "JPEG":
        assert max(result.shape[:2]) == side
    reference = images.reduced(images.read(path), max(result.shape[:2]))
    assert np.abs(result.astype(int) - reference).mean() < 3
    assert not result.flags.writeable


def test_grey_palette_alpha_one_bit_and_cmyk_become_rgb(tmp_path: Path) -> None:
    image = Image.fromarray(picture())
    for mode, kind in (("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("1", "PNG"), ("CMYK", "JPEG")):
        buffer = io.BytesIO()
        image.convert(mode).save(buffer, kind)
        result = images.read(saved(tmp_path, buffer.getvalue()))
        assert result.shape == (32, 48, 3), mode
        if mode == "RGBA":
            assert np.array_equal(result, picture())


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bits_are_scaled_by_what_they_hold(tmp_path: Path, bits: int) -> None:
    wide = (np.arange(32 * 48, dtype=np.uint32).reshape(32, 48) * ((1 << bits) - 1) // (32 * 48 - 1)).astype(np.uint16)
    ok, png = cv2.imencode(".png", wide)
    assert ok
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, wide)
    expected = wide >> (bits - 8)
    for data in (png.tobytes(), buffer.getvalue()):
        result = images.read(saved(tmp_path, data))
        assert result.max() == 255
        assert np.array_equal(result[..., 1], expected)


def test_kinds_of_tiff(tmp_path: Path) -> None:
    grey = picture()[..., 0]
    volume = np.stack([picture(), picture(1)])
    cases: list[tuple[np.ndarray, dict[str, object], np.ndarray]] = [
        (grey.astype(np.float32) / 255, {}, grey),
        (grey.astype(np.float64) * 1000 - 7, {}, grey),
        (grey.astype(np.int32) * 100000, {}, grey),
        (grey.astype(np.uint32) * 1000, {}, grey),
        (grey > 128, {"photometric": "minisblack"}, np.where(grey > 128, 255, 0)),
        (grey, {"photometric": "miniswhite"}, 255 - grey),
        (picture(), {"photometric": "rgb", "compression": "zlib"}, picture()),
        (picture().transpose(2, 0, 1), {"photometric": "rgb", "planarconfig": "separate"}, picture()),
        (np.dstack([picture(), grey]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, picture()),
        (volume, {"photometric": "rgb"}, picture()),
    ]
    for pixels, options, expected in cases:
        path = tmp_path / "p.tif"
        tifffile.imwrite(path, pixels, **options)
        low, high = int(expected.min()), int(expected.max())
        if pixels.dtype.kind in "fiu" and pixels.dtype.itemsize >= 4 and float(pixels.max()) > 1:
            expected = np.round((expected.astype(float) - low) / (high - low) * 255)  # stretched
        expected = np.broadcast_to(expected if expected.ndim == 3 else expected[..., None], (32, 48, 3))
        result = images.read(path)
        assert np.abs(result.astype(int) - expected).max() <= 1, (pixels.dtype, options)
        assert images.size(path) == (48, 32)


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(tmp_path: Path, compression: str) -> None:
    result = images.read(saved(tmp_path, encoded("TIFF", picture(), compression=compression)))
    assert np.abs(result.astype(int) - picture()).mean() < (4 if compression == "jpeg" else 0.01)


def test_floats_that_are_no_numbers() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 2.0, 4.0]], np.float32)
    assert tiff.to_8_bits(values).tolist() == [[0, 255, 0, 0, 255]]
    assert tiff.to_8_bits(np.full((2, 2), np.nan)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    thumbnail = Image.Exif()
    data = encoded(kind, picture(1, 200, 100), **({"exif": thumbnail} if kind == "JPEG" else {}))
    path = saved(tmp_path, data[: int(len(data) * share)])
    with pytest.raises(UnreadableImage, match=r"truncated|damaged"):
        images.read(path)
    if kind in ("JPEG", "PNG", "WEBP"):
        with pytest.raises(UnreadableImage, match=r"truncated|damaged"):
            images.check(path)


def test_a_truncated_jpeg_with_a_thumbnail_is_refused(tmp_path: Path) -> None:
    small = encoded("JPEG", picture(0, 16, 16))
    app1 = b"Exif\0\0" + small  # an end marker long before the scan
    whole = encoded("JPEG", picture(1, 200, 100))
    data = whole[:2] + b"\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1 + whole[2:]
    assert images.read(saved(tmp_path, data)).shape == (100, 200, 3)
    with pytest.raises(UnreadableImage, match="truncated"):
        images.read(saved(tmp_path, data[:-50]))


def test_zeros_behind_a_picture_do_no_harm_but_instead_of_its_end_they_do(tmp_path: Path) -> None:
    data = encoded("JPEG", picture(1, 200, 100))
    assert images.check(saved(tmp_path, data + bytes(100))) == (200, 100)
    with pytest.raises(UnreadableImage, match="truncated"):
        images.check(saved(tmp_path, data[:-100] + bytes(100)))


def test_a_damaged_png_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded("PNG", picture()))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(UnreadableImage, match="damaged"):
        images.read(saved(tmp_path, bytes(data)))


def test_what_is_no_picture_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="empty"):
        images.read(saved(tmp_path, b""))
    with pytest.raises(UnreadableImage, match="empty"):
        images.size(tmp_path / "p")
    with pytest.raises(UnreadableImage, match="not a picture"):
        images.read(saved(tmp_path, b"hello, I am a text"))
    with pytest.raises(UnreadableImage, match="missing"):
        images.read(tmp_path / "nothing")
    with pytest.raises(UnreadableImage, match="missing"):
        images.size(tmp_path / "nothing")
    with pytest.raises(UnreadableImage, match="directory"):
        images.read(tmp_path)


SEEDS = [encoded(kind, picture(2, 20, 12)) for kind in FORMATS]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), st.floats(0, 1))
@settings(max_examples=120, deadline=None)
def test_damage_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(seed[: max(1, int(len(seed) * cut))])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(data))
    for look in (images.read, images.size, images.check, lambda p: images.read(p, 7)):
        with contextlib.suppress(UnreadableImage):
            result = look(path)
            assert isinstance(result, tuple) or (result.dtype == np.uint8 and result.ndim == 3)


def test_list_pictures(tmp_path: Path) -> None:
    names = ["b10.JPG", "b9.jpg", "B1.png", "sub/x.tif", "sub/.hidden.png", ".atrous/y.png", "masks/m.png", "note.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    listed = images.list_pictures(tmp_path, exclude=[tmp_path / "masks"])
    assert listed == ["B1.png", "b9.jpg", "b10.JPG", "sub/x.tif"]
    with pytest.raises(OSError, match="nowhere"):
        images.list_pictures(tmp_path / "nowhere")


@given(st.lists(st.text(max_size=8)))
@settings(max_examples=50, deadline=None)
def test_natural_order_sorts_anything(names: list[str]) -> None:
    assert sorted(sorted(names, key=images.natural)) == sorted(names)


def test_opencv_leaves_no_trace_in_the_environment() -> None:
    import os

    assert "cv2" not in os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", "")
    assert "QT_QPA_FONTDIR" not in os.environ
