"""Write a real TensorFlow checkpoint, frozen graph and archive, for tests that read them without TensorFlow.

    python tests/data/tensorflow/write.py tests/data/oracle/variables_xception_65.json OUT [--cut]

Needs TensorFlow 2 in an environment of its own; `make round-trip` sets it up. Every variable of the table gets the
values of tests/data/oracle/weights.py. OUT then holds what an archive of the model zoo holds: `model.ckpt.*`, a bundle
in two shards with an int64 `global_step`, and `frozen_inference_graph.pb`, a Const node a variable among other nodes.

--cut: a few variables of each kind, less than 1 MB, and their values in `expected.npz`: what lies in this folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
from weights import weights

CUT = (
    "/entry_flow/conv1_1/",
    "/entry_flow/block1/unit_1/xception_module/separable_conv1_depthwise/depthwise_weights",
    "/entry_flow/block1/unit_1/xception_module/separable_conv1_pointwise/weights",
    "decoder/feature_projection0/weights",
    "logits/",
)
STEPS = np.int64(30000)


def write(table: Path, out: Path, cut: bool) -> None:
    """Write all files; the archive only of a whole network."""
    shapes = {row["name"]: tuple(row["shape"]) for row in json.loads(table.read_text())}
    values = {
        name: weights(name, shape) for name, shape in shapes.items() if not cut or any(part in name for part in CUT)
    }
    out.mkdir(parents=True, exist_ok=True)
    write_checkpoint(out / "model.ckpt", values)
    write_graph(out / "frozen_inference_graph.pb", values)
    if cut:
        np.savez(out / "expected.npz", **values, global_step=STEPS)
    else:
        with tarfile.open(out / "archive.tar.gz", "w:gz", compresslevel=1) as archive:
            for path in (*sorted(out.glob("model.ckpt.*")), out / "frozen_inference_graph.pb"):
                archive.add(path, f"zoo/{path.name}")


def write_checkpoint(prefix: Path, values: dict[str, NDArray[np.float32]]) -> None:
    """Save a bundle in two shards: variables that live on two devices."""
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as session:
        with tf.device("/cpu:0"):
            variables = [tf.get_variable("global_step", initializer=STEPS, use_resource=False)]
        for number, (name, value) in enumerate(values.items()):
            with tf.device(f"/cpu:{number % 2}"):
                variables.append(tf.get_variable(name, initializer=value, use_resource=False))
        session.run(tf.global_variables_initializer())
        tf.train.Saver(variables, sharded=True).save(session, str(prefix), write_meta_graph=False)
    (prefix.parent / "checkpoint").unlink(missing_ok=True)


def write_graph(path: Path, values: dict[str, NDArray[np.float32]]) -> None:
    """Write constants and what reads them, as a freezer does."""
    with tf.Graph().as_default() as graph:
        tf.placeholder(tf.uint8, [1, None, None, 3], name="ImageTensor")
        for name, value in values.items():
            tf.identity(tf.constant(value, name=name), name=f"{name}/read")
        path.write_bytes(graph.as_graph_def().SerializeToString())


def main(arguments: Iterable[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="variables_<variant>.json")
    parser.add_argument("out", type=Path)
    parser.add_argument("--cut", action="store_true")
    options = parser.parse_args(None if arguments is None else list(arguments))
    tf.disable_v2_behavior()
    write(options.table, options.out, options.cut)


if __name__ == "__main__":
    main()
