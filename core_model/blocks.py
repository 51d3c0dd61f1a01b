"""The convolutions that backbone and heads are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

BACKBONE_EPSILON = 1e-3
HEAD_EPSILON = 1e-5
_MOMENTUM = 0.05  # published decay 0.9997 is for 30 000 steps; over a few hundred it would keep the initial statistics


class ConvNorm(nn.Module):
    """A convolution without bias, batch normalisation or none, and ReLU or none: (N, C, H, W) → (N, out, H', W').

    A 3x3 kernel is padded by its rate on every side whatever the stride, as the official code does.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        rate: int = 1,
        groups: int = 1,
        epsilon: float | None,
        relu: bool = False,
        padding: int | None = None,
    ) -> None:
        super().__init__()
        reach = rate * (kernel // 2) if padding is None else padding
        self.conv = nn.Conv2d(channels, out, kernel, stride, reach, rate, groups, bias=False)
        self.norm: nn.Module = nn.Identity() if epsilon is None else nn.BatchNorm2d(out, epsilon, _MOMENTUM)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, and cut at zero where the layer does."""
        x = self.norm(self.conv(x))
        return F.relu(x, inplace=True) if self.relu else x


class SeparableConv(nn.Module):
    """Depthwise 3x3, then pointwise 1x1: (N, C, H, W) → (N, out, H/stride, W/stride).

    `norm_inside` puts BN between the two (DeepLab), without it nothing stands between them (Chollet 2017).
    """

    def __init__(
        self,
        channels: int,
        out: int,
        *,
        stride: int = 1,
        rate: int = 1,
        epsilon: float,
        norm_inside: bool = True,
        relu_inside: bool = False,
        relu: bool = False,
    ) -> None:
        super().__init__()
        inner = epsilon if norm_inside else None
        self.depthwise = ConvNorm(
            channels, channels, 3, stride=stride, rate=rate, groups=channels, epsilon=inner, relu=relu_inside
        )
        self.pointwise = ConvNorm(channels, out, epsilon=epsilon, relu=relu)

    def forward(self, x: Tensor) -> Tensor:
        """Filter each channel over space, then mix the channels."""
        return self.pointwise(self.depthwise(x))  # type: ignore[no-any-return]


def decays(parameter: nn.Parameter) -> bool:
    """Tell whether weight decay is for it: for kernels that mix channels, not for depthwise ones, biases and BN."""
    return parameter.ndim == 4 and parameter.shape[1] > 1


def initialise(module: nn.Module, classifier: nn.Conv2d | None = None) -> None:
    """Kernels as He et al. 2015, the classifier's small so that no class is favoured; normalisation stays at identity.

    Nothing is done on torch's meta device, where the first random number imports a second of Python.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and not part.weight.is_meta:
            if part is classifier:
                nn.init.normal_(part.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
