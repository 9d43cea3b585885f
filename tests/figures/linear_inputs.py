"""What the three kinds about linear classifiers are tested on: the digits, and a classifier whose weights are known."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from generator.data import Images
from generator.inputs import Inputs
from generator.model import ImageInput, Model

# Classes a and b look for the left pixel, c for its absence, d for the right pixel.
WEIGHT = torch.tensor([[2.0, 0.0], [4.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
BIAS = torch.tensor([0.0, -1.0, 0.5, 0.0])


def classifier():
    linear = nn.Linear(2, 4)
    linear.weight.data, linear.bias.data = WEIGHT.clone(), BIAS.clone()
    network = nn.Sequential(OrderedDict(flatten=nn.Flatten(), linear=linear)).eval().requires_grad_(False)
    return Model("known", network, tuple("abcd"), ImageInput(channels=1, height=1, width=2))


@dataclass(frozen=True)
class Known(Inputs):
    """Inputs without a library: one model, and two-pixel images of the data set `dots`."""

    library: None = None
    known: Model = field(default_factory=classifier)

    @property
    def model(self):
        return self.known

    def images(self, dataset, split="test"):
        # full left pixel: scores 2, 3, -.5, 0, so b; full right: 0, -1, .5, 1, so d; black: 0, -1, .5, 0, so c
        pixels = np.array([[255, 0], [255, 0], [0, 255], [0, 0], [0, 255]], np.uint8).reshape(5, 1, 2, 1)
        return Images(pixels, np.array([0, 1, 3, 2, 2]), tuple("abcd"))
