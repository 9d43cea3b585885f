"""What the channels of a layer do on many images, in little memory: a mean and a maximum of each map.

The maps themselves are let go batch by batch: a thousand images of a first layer would fill gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from .hooks import maps


@dataclass(frozen=True)
class Record:
    """Of every channel on every image: means and maxima, (images, channels), float32, on the CPU.

    positions: (images, channels, 2), row and column of the maximum, the first of equal ones, in maps of
    `size`, (height, width).
    """

    means: Tensor
    maxima: Tensor
    positions: Tensor
    size: tuple[int, int]


@torch.inference_mode()
def means_and_maxima(outputs: Iterable[Tensor]) -> Record:
    """Reduce the outputs of a layer, batch by batch, as they are made; all batches have maps of one size."""
    means, maxima, places, size = [], [], [], (1, 1)
    for output in outputs:
        found = maps(output).float()
        size = (found.shape[2], found.shape[3])
        flat = found.flatten(2)  # (batch, channels, positions)
        highest, place = flat.max(2)
        means.append(flat.mean(2).cpu())
        maxima.append(highest.cpu())
        places.append(place.cpu())
    place = torch.cat(places)
    positions = torch.stack([place // size[1], place % size[1]], dim=-1)
    return Record(torch.cat(means), torch.cat(maxima), positions, size)
