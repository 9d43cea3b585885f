"""What the kinds that look into one image are tested on: small networks of every habit, and a picture of noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from generator.inputs import Inputs
from generator.model import ImageInput, Model

SIDE = 16


class Seeing(nn.Module):
    """3 × 16 × 16 images to four logits; what a ReLU in place overwrites is the output of `conv`."""

    def __init__(self, pack=lambda logits: logits, inplace=True, dropout=False):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=inplace)
        self.last = nn.Conv2d(6, 5, 3, stride=2, padding=1)
        self.head = nn.Linear(5, 4)
        self.pack, self.dropout = pack, dropout

    def forward(self, images):
        seen = F.dropout(images, training=True) if self.dropout else images
        return self.pack(self.head(self.relu(self.last(self.relu(self.conv(seen)))).mean((2, 3))))


def flat() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 4))


@dataclass(frozen=True)
class Given(Inputs):
    """Inputs without a library: the network that `make` makes, and one picture, 40 × 30 pixels."""

    library: None = None
    make: Callable[[], nn.Module] = Seeing
    classes: tuple[str, ...] = tuple("abcd")

    @property
    def model(self):
        return self.untrained(0)

    def untrained(self, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self.make().eval().requires_grad_(False)
        return Model("given", network, self.classes, ImageInput(3, SIDE, SIDE))

    def labelled_picture(self, choice):
        return np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8), "b"
