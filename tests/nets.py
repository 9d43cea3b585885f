"""Networks for tests, small enough to run in milliseconds; the source `python` makes them by their names."""

from collections import OrderedDict

import torch
from torch import nn


def vision() -> nn.Module:
    """3 × 32 × 32 images, or larger ones, to the logits of five classes a to e."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 8, 3, stride=2, padding=1),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(8, 12, 3, stride=2, padding=1),
            relu2=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(2),
            flat=nn.Flatten(),
            head=nn.Linear(48, 5),
        )
    )


class Deaf(nn.Module):
    """Two channels after a ReLU; nothing excites the second."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1)
        self.relu = nn.ReLU()
        with torch.no_grad():
            self.conv.bias.copy_(torch.tensor([0.1, -1000.0]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.relu(self.conv(images)).mean((2, 3))


def deaf() -> nn.Module:
    return Deaf()


def no_network() -> str:
    return "a string"
