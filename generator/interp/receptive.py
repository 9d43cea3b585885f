"""What part of an image a position of a layer sees, measured by gradients, so that no layer has to be understood.

In theory a field grows by a known amount with each convolution; what counts of it is less, and has the shape of a
bump (Luo et al., 2016, https://arxiv.org/abs/1701.04128). So all is taken where a gradient is more than a hundredth of
the strongest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .hooks import activations

THRESHOLD = 0.01  # of the strongest gradient


@dataclass(frozen=True)
class Field:
    """How far a position sees from its own centre, as shares of the image's height and width; inf: everywhere."""

    vertical: float
    horizontal: float

    def box(self, row: int, column: int, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """(top, left, bottom, right) of what a position of maps of `size` sees, as shares of the image.

        Moved inward where it would stick out, so that it keeps its size.
        """
        top, bottom = _inside((row + 0.5) / size[0], self.vertical)
        left, right = _inside((column + 0.5) / size[1], self.horizontal)
        return top, left, bottom, right


def field(network: nn.Module, layer: str, images: Tensor) -> Field:
    """The field of the middle position of a layer's maps; all of it that any of `images` shows.

    images: (batch, channels, height, width), as the network wants them; noise shows most. All channels are looked at
    together, with random signs, so that none takes away what another one sees.
    """
    leaf = images.detach().clone().requires_grad_()
    output = activations(network, leaf * 1, layer)[layer].float()  # * 1: the first layer may write in place
    if output.ndim != 4:  # tokens, or one number for the whole image, say nothing of where they look
        return Field(math.inf, math.inf)
    rows, columns = output.shape[2:]
    row, column = rows // 2, columns // 2
    signs = torch.randn(output.shape[1], generator=torch.Generator().manual_seed(0)).to(output)
    (slope,) = torch.autograd.grad((output[:, :, row, column] @ signs).sum(), leaf)
    seen = slope.abs().amax((0, 1))  # (height, width)
    sees = seen > THRESHOLD * seen.max()
    if not bool(sees.any()):  # nothing that can be measured: then nothing is left out
        return Field(math.inf, math.inf)
    return Field(_reach(sees.any(1), (row + 0.5) / rows), _reach(sees.any(0), (column + 0.5) / columns))


def _inside(centre: float, reach: float) -> tuple[float, float]:
    if 2 * reach >= 1:
        return 0.0, 1.0
    start = min(max(centre - reach, 0.0), 1 - 2 * reach)
    return start, start + 2 * reach


def _reach(sees: Tensor, centre: float) -> float:
    """How far to the farther side of the centre. On a side that ends at the image's edge it may go on."""
    places = sees.nonzero().flatten().tolist()
    first, last, length = places[0], places[-1] + 1, len(sees)
    before = 0.0 if first == 0 else centre - first / length
    after = 0.0 if last == length else last / length - centre
    return max(before, after) or math.inf
