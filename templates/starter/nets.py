"""Your network. `make` returns it; its trained weights are loaded from `checkpoints` in site.toml, where that is set.

This one needs no training, so that the report builds at once: it is made to see stripes in four directions. Put your
own class in its place, or import it: any torch.nn.Module will do.
"""

import math

import torch
from torch import nn


def make() -> nn.Module:
    """From images (batch, 3, 64, 64) to a score for each direction (batch, 4)."""
    network = nn.Sequential()
    network.add_module("stripes", nn.Conv2d(3, 4, kernel_size=9, bias=False))
    network.add_module("active", nn.ReLU())
    network.add_module("scores", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    with torch.no_grad():
        network.stripes.weight.copy_(torch.stack([stripes(angle) for angle in (0, 45, 90, 135)]))
    return network


def stripes(angle: float) -> torch.Tensor:
    """A kernel, (3, 9, 9), that fits dark and bright stripes along an angle in degrees."""
    across = torch.arange(9) - 4.0
    rows, columns = torch.meshgrid(across, across, indexing="ij")
    turned = rows * math.cos(math.radians(angle)) + columns * math.sin(math.radians(angle))
    kernel = torch.cos(turned * 2 * math.pi / 4) * torch.exp(-(rows**2 + columns**2) / 12)
    kernel = kernel - kernel.mean()
    return (kernel / kernel.norm()).expand(3, 9, 9)
