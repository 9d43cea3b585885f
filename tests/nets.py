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


class Habits(nn.Module):
    """A network with habits: dropout, a ReLU in place, and outputs in a dict, a tuple or a data class's stead."""

    def __init__(self, kind: str = "dict") -> None:
        super().__init__()
        self.kind = kind
        self.first = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, images: torch.Tensor) -> object:
        found = self.drop(self.relu(self.conv(self.first(images))))
        scores = self.head(found).mean((2, 3))
        return {"loss": None, "logits": scores} if self.kind == "dict" else (None, (scores, found))


def returns_dict() -> nn.Module:
    return Habits("dict")


def dropout_left_on() -> nn.Module:
    return Habits("tuple").train()


def returns_tuple() -> nn.Module:
    return Habits("tuple")


def fixed_size() -> nn.Module:
    """3 × 32 × 32 images and no others."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Flatten(), nn.Linear(4 * 16 * 16, 3))


class First(nn.GRU):
    """A GRU that gives its outputs alone."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(inputs)[0]


def text() -> nn.Module:
    """Ids of 26 letters to logits of the next."""
    return nn.Sequential(nn.Embedding(26, 3), First(3, 5, batch_first=True), nn.Linear(5, 26))


class Letters:
    """A tokenizer of small letters."""

    n_vocab = 26

    def encode(self, text: str) -> list[int]:
        return [ord(letter) - ord("a") for letter in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(chr(ord("a") + number) for number in ids)


def letters() -> Letters:
    return Letters()


def many_classes() -> nn.Module:
    """3 × 8 × 8 images to the logits of a hundred classes."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 100, 3, padding=1), relu1=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()
        )
    )
