"""Maps of numbers over an image, as pictures: red for high, blue for low, light for zero, on the image's pale ghost."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

# The theme's colours of activation in the light, level-0 to level-20; a picture cannot change with the theme.
COLOURS = (
    "023b85", "094f9b", "1b62af", "2f76c1", "468ad1", "609ede", "7bb1e8", "98c4ef", "b7d6f4", "d7e7f5", "f8f7f4",
    "faded5", "f8c4b7", "f2ab9b", "e89280", "dc7a68", "cd6251", "bb4b3e", "a7352d", "921f1f", "7b0514",
)  # fmt: skip
PALETTE = torch.tensor([list(bytes.fromhex(colour)) for colour in COLOURS]) / 255  # (levels, 3)
GHOST = 0.35  # how much of its darkness the image keeps under a map


def coloured(shares: Tensor) -> Tensor:
    """Numbers in [-1, 1], any shape, as colours (..., 3) in [0, 1]; -1 is deep blue, 0 light, 1 deep red."""
    place = (shares.clamp(-1, 1) + 1) / 2 * (len(PALETTE) - 1)
    below = place.floor().long().clamp(max=len(PALETTE) - 2)
    part = (place - below).unsqueeze(-1)
    return PALETTE[below] * (1 - part) + PALETTE[below + 1] * part


def drawn(pixels: NDArray[np.uint8], values: Tensor, full: float, smooth: bool) -> NDArray[np.uint8]:
    """A map over an image, uint8, (height, width, 3) as `pixels`; |values| from `full` on have the deepest colour.

    values: (rows, columns), resized to the image: smooth, bilinearly; else each value is a block.
    """
    size = (pixels.shape[0], pixels.shape[1])
    resized = F.interpolate(values[None, None].float(), size, mode="bilinear" if smooth else "nearest-exact")[0, 0]
    grey = torch.from_numpy(pixels.mean(2) / 255).float()
    ghost = 1 - GHOST * (1 - grey)
    colours = coloured(resized / full if full > 0 else torch.zeros_like(resized))  # (height, width, 3)
    picture: NDArray[np.uint8] = (colours * ghost.unsqueeze(-1) * 255).round().to(torch.uint8).numpy()
    return picture


def peak(values: Tensor) -> tuple[int, int]:
    """Where the highest value of a map (rows, columns) lies: per cent of the width from the left, of the height
    from the top, to the middle of its cell.
    """
    row, column = divmod(int(values.argmax()), values.shape[1])
    return round(100 * (column + 0.5) / values.shape[1]), round(100 * (row + 0.5) / values.shape[0])


def central_share(values: Tensor) -> float:
    """The share of a map's positive part that lies in the middle quarter of its area; 0 where nothing is positive.

    values: (rows, columns). The middle quarter is the middle half of the width and of the height; a cell that its
    edge crosses counts in part, so an even map has 0.25.
    """
    down, across = (middle_half(size) for size in values.shape)
    positive = values.double().relu()
    total = float(positive.sum())
    return float(down @ positive @ across) / total if total > 0 else 0.0


def middle_half(size: int) -> Tensor:
    """How much of each of `size` cells in a row lies in the middle half of the row, (size,), float64.

    >>> middle_half(4).tolist(), middle_half(2).tolist()
    ([0.0, 1.0, 1.0, 0.0], [0.5, 0.5])
    """
    edges = torch.arange(size + 1, dtype=torch.float64).clamp(size / 4, size * 3 / 4)
    return edges.diff()
