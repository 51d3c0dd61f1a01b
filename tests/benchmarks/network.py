"""How fast is the network, beside the same network as public ports run it?

`python -m tests.benchmarks.network [--json] [--rounds N]`. On the CPU with one thread, in seconds of processor time, so
that what else the machine does counts less; all ways of one comparison in turn, round after round, medians. "Eager" is
this network in plain torch: fp32, contiguous NCHW, `inference_mode`, nothing folded. Backbone and head together, once;
the heads run in fp32 everywhere. The first result is counted from the choice of the model's file, in a fresh process
that has imported torch, as the window has; by the wall clock. With a CUDA device: latency and throughput there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from core_model import Card, DeepLab, Head, Predictor, build, load_backbone, load_head, save_backbone, save_head
from core_model.engines import ENGINES, folded
from core_model.transforms import labels_of, margin_of
from tests.benchmarks.report import Row, at_least, at_most, report

RESOURCES = Path(__file__).parents[2] / "resources"
BACKBONE, STARTER = (RESOURCES / "models" / f"{name}.safetensors" for name in ("xception_imagenet", "starter"))
PICTURES = RESOURCES / "sample" / "JPEGImages"
CPU = torch.device("cpu")
FULL = (3000, 4000)  # 12 MP
BATCH = 16
_FIRST = """
import json, sys, time
from pathlib import Path
import numpy as np
import core_model
backbone, head, height, width, cache = sys.argv[1:]
rgb = np.random.default_rng(0).integers(0, 255, (int(height), int(width), 3), np.uint8)
start, processor = time.monotonic(), time.process_time()
head = core_model.load_head(head)
predictor = core_model.Predictor(core_model.load_backbone(backbone), "cpu", cache=Path(cache))
predictor.predict(predictor.features(rgb), head, rgb.shape[:2])
print(json.dumps([time.monotonic() - start, time.process_time() - processor]))
"""
_ARGMAX = """
import sys
import numpy as np, torch
from core_model.memory import peak_megabytes
from core_model.transforms import labels_of, margin_of
torch.set_num_threads(1)
logits = torch.from_numpy(np.load(sys.argv[1]))
working, size = ((int(sys.argv[i]), int(sys.argv[i + 1])) for i in (2, 4))
labels_of(logits, working, working)
with open("/proc/self/status") as status:
    before = next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmRSS:"))
labels_of(logits, working, size), margin_of(logits, working)
print(peak_megabytes() - before)
"""

Way = Callable[[], object]


def medians(ways: dict[str, Way], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds of each way; all of them in each round, after one round that counts for nothing."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            start = clock()
            way()
            if number:
                spent[name].append(clock() - start)
    return {name: statistics.median(each) for name, each in spent.items()}


def on_cpu(network: DeepLab, x: Tensor, title: str, rounds: int) -> list[Row]:
    """The engines beside plain torch, backbone and head."""
    head, last = network.head, x.contiguous(memory_format=torch.channels_last)
    plain, channels_last = folded(network), folded(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def with_head(name: str, exact: bool) -> tuple[str, Way]:
        engine = ENGINES[name](network.backbone, CPU, head.taps, exact=exact)
        label = f"{name} {'bf16' if engine.dtype == torch.bfloat16 else 'fp32'}"

        def way() -> object:
            return plain.head({tap: found.float() for tap, found in engine(x).items()})

        return label, way

    ways: dict[str, Way] = {"eager": lambda: network(x), "folded, channels_last": lambda: channels_last(last)}
    wanted = [(name, exact) for name in ("torch", "openvino") for exact in (True, False) if not ENGINES[name].lacks()]
    ways |= dict(with_head(name, exact) for name, exact in wanted)
    with torch.inference_mode():
        taps = plain.backbone.features(x, head.taps)
        ways["the head alone"] = lambda: plain.head(taps)
        spent = medians(ways, rounds, time.process_time)
    eager, best_torch = spent["eager"], spent["folded, channels_last"]
    rows = [Row(f"{title}: {name}", seconds * 1000, "ms") for name, seconds in spent.items()]
    for kind, goals in (("bf16", (3.0, 2.0)), ("fp32", (1.4, 1.2))):
        if f"openvino {kind}" in spent:
            own = spent[f"openvino {kind}"]
            rows.append(at_least(f"{title}: openvino {kind} against eager", eager / own, "x", goals[0]))
            rows.append(at_least(f"{title}: … against folded, channels_last", best_torch / own, "x", goals[1]))
    return rows


def first_result(backbone: Path, head: Path, size: tuple[int, int], title: str) -> list[Row]:
    """From the choice of the file to labels: nothing kept on disk from before, then with what was kept."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for kept in ("first", "next"):
            arguments = [str(each) for each in (backbone, head, *size, cache)]
            done = subprocess.run(
                [sys.executable, "-c", _FIRST, *arguments], capture_output=True, text=True, check=True
            )
            wall, processor = json.loads(done.stdout)
            rows.append(at_most(f"{title}: first result, {kept} start", wall, "s", 4))
            rows.append(Row("… of that, processor time", processor, "s"))
    return rows


def agreement() -> list[Row]:
    """Labels of the fastest engine beside plain fp32, with weights that have learnt."""
    backbone, head = load_backbone(BACKBONE), load_head(STARTER)
    one, two = Predictor(backbone, "cpu", engine="torch", exact=True), Predictor(backbone, "cpu")
    same = []
    for path in sorted(PICTURES.iterdir())[:4]:
        rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2), cv2.COLOR_BGR2RGB)
        labels = [each.predict(each.features(rgb), head, rgb.shape[:2]).labels for each in (one, two)]
        same.append(float((labels[0] == labels[1]).mean()))
    return [at_least(f"labels of {two.engine} equal to fp32's", 100 * statistics.fmean(same), "%", 99.5)]


def argmax(rounds: int) -> list[Row]:
    """Labels and confidence of a 12 MP picture from logits that a head gave, one thread."""
    head = load_head(STARTER)
    rgb = cv2.cvtColor(cv2.imread(str(min(PICTURES.iterdir()))), cv2.COLOR_BGR2RGB)
    predictor = Predictor(load_backbone(BACKBONE), "cpu", taps=head.taps)
    working, features = rgb.shape[:2], predictor.features(rgb)
    logits = predictor._said_by(head, features).cpu()
    ways: dict[str, Way] = {"full": lambda: (labels_of(logits, working, FULL), margin_of(logits, working))}
    seconds = medians(ways, rounds, time.process_time)["full"]
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/logits.npy", logits.numpy())
        sizes = [str(length) for length in (*working, *FULL)]
        command = [sys.executable, "-c", _ARGMAX, f"{folder}/logits.npy", *sizes]
        taken = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    title = f"argmax of 12 MP, {len(logits)} classes"
    return [at_most(title, seconds * 1000, "ms", 300), at_most("… memory over the rest, peak", taken, "MiB", 400)]


def on_cuda(network: DeepLab, rounds: int) -> list[Row]:
    """Latency of one picture and pictures a second in batches, beside eager fp32 of the same network."""
    device = torch.device("cuda")
    eager, plain = network.to(device), folded(network).to(device)
    engine = ENGINES["cuda"](network.backbone, device, network.head.taps)
    rows = []
    for batch in (1, BATCH):
        x = torch.randn(batch, 3, 513, 513, device=device)

        def own(x: Tensor = x) -> None:
            plain.head({tap: found.float() for tap, found in engine(x).items()})
            torch.cuda.synchronize()

        def other(x: Tensor = x) -> None:
            eager(x)
            torch.cuda.synchronize()

        with torch.inference_mode():
            for _ in range(3):  # the second one is recorded
                own()
                other()
            spent = medians({"own": own, "other": other}, 4 * rounds, time.perf_counter)
        title = f"{torch.cuda.get_device_name()}, batch {batch}"
        rows.append(Row(f"{title}: latency", spent["own"] * 1000, "ms"))
        rows.append(Row(f"{title}: pictures a second", batch / spent["own"], ""))
        rows.append(at_least(f"{title}: against eager fp32", spent["other"] / spent["own"], "x", 4))
    network.to("cpu")
    return rows


def measure(rounds: int) -> list[Row]:
    """All of it; the larger network with random weights, which take the same time."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    large = build("xception_65", 21).eval()
    rows = on_cpu(large, torch.randn(1, 3, 513, 513), "xception_65, 513 x 513", rounds)
    head = load_head(STARTER)
    shipped = DeepLab(load_backbone(BACKBONE), head).eval()
    rows += on_cpu(shipped, torch.randn(1, 3, 369, 481), "xception, 480 x 368", rounds)
    rows += agreement() + argmax(rounds)
    rows += first_result(BACKBONE, STARTER, (368, 480), "xception, 480 x 368")
    with tempfile.TemporaryDirectory() as folder:
        rows += first_result(*_written(large, Path(folder)), (513, 513), "xception_65, 513 x 513")
    if torch.cuda.is_available():
        rows += on_cuda(large, rounds)
    return rows


def _written(network: DeepLab, folder: Path) -> tuple[Path, Path]:
    card = Card("backbone", network.backbone.variant.name)
    sha256 = save_backbone(folder / "backbone.safetensors", network.backbone, card)
    head: Head = network.head
    classes = tuple(f"class {n}" for n in range(head.num_classes))
    save_head(folder / "head.safetensors", head, replace(card, kind="head", backbone=sha256, classes=classes))
    return folder / "backbone.safetensors", folder / "head.safetensors"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison")
    options = parser.parse_args()
    report(measure(options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
