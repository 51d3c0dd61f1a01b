"""OpenVINO: the fastest there is on a CPU, bf16 where the processor multiplies it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from core_model.engines import converted_models
from core_model.engines.engine import EngineError
from core_model.engines.openvino_graph import converted
from core_model.xception import Backbone

_FORMAT = 1  # of what is kept on disk: another number when the conversion gives something else
_CONVERTER = "openvino.tools.ovc"


class OpenVinoEngine:
    """A backbone compiled once for pictures of every size, on as many threads as torch has when it is made."""

    name: ClassVar[str] = "openvino"
    serves: ClassVar[tuple[str, ...]] = ("cpu",)

    def __init__(
        self,
        backbone: Backbone,
        device: torch.device,
        taps: Sequence[str],
        *,
        exact: bool = False,
        cache: Path | None = None,
    ) -> None:
        self.device, self.taps = device, tuple(taps)
        ov = _openvino()
        try:
            core = ov.Core()
            bf16 = not exact and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            self.dtype = torch.bfloat16 if bf16 else torch.float32
            model = _model(ov, core, backbone, self.taps, cache)
            settings = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
                "NUM_STREAMS": 1,
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "ENABLE_CPU_PINNING": False,  # a thread that is bound to its core cannot give way
            }
            self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(f"openvino cannot compile the network: {_first_line(error)}") from error

    @classmethod
    def lacks(cls) -> str:
        """Say that it is not installed, where that is so."""
        return "" if importlib.util.find_spec("openvino") else "openvino is not installed"

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the taps of (N, 3, H, W) float32 in [-1, 1], in fp32."""
        try:
            found = self._request.infer({0: x.contiguous().numpy()})
        except RuntimeError as error:
            raise EngineError(f"openvino failed at {tuple(x.shape)}: {_first_line(error)}") from error
        return {tap: torch.from_numpy(found[i]) for i, tap in enumerate(self.taps)}


def _openvino() -> Any:
    """Import it without its converter: that would report each import to its maker, and is not needed here."""
    blocked = _CONVERTER not in sys.modules
    if blocked:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("openvino")
    except ModuleNotFoundError as error:
        raise EngineError("openvino is not installed") from error
    except (ImportError, OSError) as error:
        raise EngineError(f"openvino cannot be imported: {_first_line(error)}") from error
    finally:
        if blocked:
            del sys.modules[_CONVERTER]


def _model(ov: Any, core: Any, backbone: Backbone, taps: tuple[str, ...], cache: Path | None) -> Any:
    """The converted backbone, from the disk where it was kept."""
    if cache is None or not backbone.sha256:
        return converted(ov, backbone, taps)
    key = (_FORMAT, ov.__version__, backbone.sha256, backbone.output_stride, backbone.stem_padding, *taps)
    place = cache / hashlib.sha256(repr(key).encode()).hexdigest()[:24]
    model = converted_models.read(core, place)
    if model is None:
        model = converted(ov, backbone, taps)
        converted_models.write(ov, model, place)
    return model


def _first_line(error: BaseException) -> str:
    """OpenVINO says where in its source it failed, then why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "Exception from" not in line]
    return lines[0] if lines else type(error).__name__
