"""A folded backbone as an OpenVINO model: its operators one by one, no tracing with a picture."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np
from torch import Tensor, fx, nn
from torch.nn import functional as F

from core_model.engines.engine import EngineError
from core_model.engines.folding import folded
from core_model.xception import Backbone

_TRACING = Lock()  # fx patches torch's modules while it traces, for all threads


class _Taps(nn.Module):
    """What is converted: from the picture to the taps, as fx wants it."""

    def __init__(self, backbone: Backbone, taps: Sequence[str]) -> None:
        super().__init__()
        self.backbone, self.taps = backbone, tuple(taps)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        found = self.backbone.features(x, self.taps)
        return tuple(found[tap] for tap in self.taps)


def converted(ov: Any, backbone: Backbone, taps: Sequence[str]) -> Any:
    """Give an `openvino.Model` of one input (?, 3, ?, ?) float32 whose outputs are the taps in their order, float32.

    ov: the module openvino. EngineError when the network has an operator that is not known here.
    """
    with _TRACING:
        traced = fx.symbolic_trace(_Taps(folded(backbone), taps))
    picture = ov.opset13.parameter(ov.PartialShape([-1, 3, -1, -1]), ov.Type.f32, name="x")
    made: dict[fx.Node, Any] = {}
    for node in traced.graph.nodes:
        inputs = [made[given] for given in node.all_input_nodes if given in made]
        if node.op == "placeholder":
            made[node] = picture
        elif node.op == "output":
            results = [ov.opset13.result(made[tap]) for tap in node.args[0]]
            return ov.Model(results, [picture], backbone.variant.name)
        elif node.op == "call_module":
            module = traced.get_submodule(node.target)
            made[node] = inputs[0] if isinstance(module, nn.Identity) else _convolution(ov.opset13, inputs[0], module)
        elif node.target in _FUNCTIONS:
            made[node] = _FUNCTIONS[node.target](ov.opset13, inputs, node)
        else:
            raise EngineError(f"openvino: the operator {node.target} of {backbone.variant.name} cannot be converted")
    raise AssertionError("a graph ends with its output")


def _convolution(ops: Any, x: Any, module: nn.Module) -> Any:
    if not isinstance(module, nn.Conv2d):
        raise EngineError(f"openvino: a {type(module).__name__} cannot be converted")
    weight = module.weight.numpy()  # (out, in, k, k); copied below: what is shared, a thread without the GIL may let go
    pads = [int(pad) for pad in module.padding]
    how = {"strides": module.stride, "pads_begin": pads, "pads_end": pads, "dilations": module.dilation}
    how = {name: list(value) for name, value in how.items()}
    if module.groups == 1:
        y = ops.convolution(x, ops.constant(weight), **how)
    else:
        grouped = weight.reshape(module.groups, -1, *weight.shape[1:])
        y = ops.group_convolution(x, ops.constant(grouped), **how)
    return y if module.bias is None else ops.add(y, ops.constant(module.bias.numpy()[:, None, None]))


def _padding(ops: Any, inputs: list[Any], node: fx.Node) -> Any:
    sides: Any = node.args[1]  # left, right, top, bottom
    value: Any = node.kwargs["value"] or 0
    begin, end = (ops.constant(np.array([0, 0, sides[2 + i], sides[i]])) for i in (0, 1))
    return ops.pad(inputs[0], begin, end, "constant", ops.constant(np.float32(value)))


def _max_pool(ops: Any, inputs: list[Any], node: fx.Node) -> Any:
    twice = {name: [node.kwargs[name]] * 2 for name in ("stride", "dilation", "padding")}
    pads = twice["padding"]
    return ops.max_pool(inputs[0], twice["stride"], twice["dilation"], pads, pads, [node.args[1]] * 2).output(0)


_FUNCTIONS: dict[Any, Callable[[Any, list[Any], fx.Node], Any]] = {
    F.relu: lambda ops, inputs, _: ops.relu(inputs[0]),
    operator.add: lambda ops, inputs, _: ops.add(*inputs),
    F.pad: _padding,
    F.max_pool2d: _max_pool,
}
