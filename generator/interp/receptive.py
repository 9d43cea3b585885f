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
from .recording import maps

THRESHOLD = 0.01  # of the strongest gradient


@dataclass(frozen=True)
class Field:
    """How far a position sees from its own centre, as shares of the image's height and width; inf: to the edge."""

    up: float
    left: float
    down: float
    right: float

    def box(self, row: int, column: int, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """(top, left, bottom, right) of what a position of maps of `size` sees, as shares of the image.

        Moved inward where it would stick out, so that it keeps its size.
        """
        top, bottom = _inside((row + 0.5) / size[0], self.up, self.down)
        left, right = _inside((column + 0.5) / size[1], self.left, self.right)
        return top, left, bottom, right


def _inside(centre: float, before: float, after: float) -> tuple[float, float]:
    start, end = centre - before, centre + after
    moved = max(0.0, -start) - max(0.0, end - 1)
    if math.isinf(before) or math.isinf(after) or end - start >= 1:
        return max(0.0, start), min(1.0, end)
    return start + moved, end + moved


def field(network: nn.Module, layer: str, images: Tensor) -> Field:
    """The field of the middle position of a layer's maps; all of it that any of `images` shows.

    images: (batch, channels, height, width), as the network wants them; noise shows most. All channels are looked at
    together, with random signs, so that none takes away what another one sees.
    """
    leaf = images.detach().clone().requires_grad_()
    found = maps(activations(network, leaf * 1, layer)[layer]).float()  # * 1: the first layer may write in place
    rows, columns = found.shape[2:]
    row, column = rows // 2, columns // 2
    signs = torch.randn(found.shape[1], generator=torch.Generator().manual_seed(0)).to(found)
    (slope,) = torch.autograd.grad((found[:, :, row, column] @ signs).sum(), leaf)
    seen = slope.abs().amax((0, 1))  # (height, width)
    sees = seen > THRESHOLD * seen.max()
    if not bool(sees.any()):  # nothing that can be measured: then nothing is left out
        return Field(math.inf, math.inf, math.inf, math.inf)
    up, down = _reach(sees.any(1), (row + 0.5) / rows)
    left, right = _reach(sees.any(0), (column + 0.5) / columns)
    return Field(up, left, down, right)


def _reach(sees: Tensor, centre: float) -> tuple[float, float]:
    """How far to either side of the centre; where it ends at the image's edge it may go on."""
    places = sees.nonzero().flatten().tolist()
    first, last, length = places[0], places[-1] + 1, len(sees)
    before = math.inf if first == 0 else centre - first / length
    after = math.inf if last == length else last / length - centre
    return before, after
