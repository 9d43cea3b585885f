"""Linear read-outs: what a row of weights looks like, how rows resemble each other, the frequencies in them.

The reading of rows as pictures follows CS231n, https://cs231n.github.io/linear-classify/.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# Brightness, red against blue, green against the rest: nearly uncorrelated in photographs.
OPPONENT = ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (1.0, -2.0, 1.0))


def cosines(rows: Tensor) -> Tensor:
    """Cosine similarity of every row with every other; rows: (rows, ...). Returns (rows, rows), in [-1, 1]."""
    flat = F.normalize(rows.flatten(1).double(), dim=1)
    return (flat @ flat.T).clamp(-1, 1)


def pictures(rows: Tensor, shared: bool) -> Tensor:
    """Rows of weights as images in [0, 1]: zero is middle grey, and the largest |weight| is 0 or 1.

    rows: (rows, channels, height, width). shared: all rows have the scale of the largest weight of
    all, so that their contrasts can be compared; else each row has its own.
    """
    largest = rows.abs().amax() if shared else rows.abs().amax((1, 2, 3), keepdim=True)
    return 0.5 + 0.5 * rows / largest.clamp_min(torch.finfo(rows.dtype).tiny)


def cosine_basis(size: int) -> Tensor:
    """The orthonormal discrete cosine transform (DCT-II), (frequencies, positions)."""
    frequency = torch.arange(size, dtype=torch.float64)[:, None]
    position = torch.arange(size, dtype=torch.float64) + 0.5
    basis = torch.cos(math.pi * frequency * position / size) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return basis.float()


def opponent_basis(channels: int) -> Tensor:
    """An orthonormal basis of colours, (channels, channels); of other than three channels, the channels themselves."""
    return F.normalize(torch.tensor(OPPONENT), dim=1) if channels == 3 else torch.eye(channels)


def to_frequencies(images: Tensor) -> Tensor:
    """Images (batch, channels, height, width) by opponent colour and frequency, same shape; keeps scalar products."""
    rows, columns = cosine_basis(images.shape[2]), cosine_basis(images.shape[3])
    return rows @ torch.einsum("dc,bchw->bdhw", opponent_basis(images.shape[1]), images) @ columns.T


def from_frequencies(frequencies: Tensor) -> Tensor:
    """The inverse of `to_frequencies`."""
    rows, columns = cosine_basis(frequencies.shape[2]), cosine_basis(frequencies.shape[3])
    return torch.einsum("dc,bdhw->bchw", opponent_basis(frequencies.shape[1]), rows.T @ frequencies @ columns)


def roughness(rows: Tensor) -> Tensor:
    """Share of each row's power above half the highest frequency of its shorter side, (rows,), in [0, 1].

    rows: (rows, channels, height, width). White noise has about 1 - pi / 16 = 0.8; a smooth picture is near 0.
    """
    power = to_frequencies(rows).double() ** 2
    high = frequency(*rows.shape[1:]) > min(rows.shape[2:]) / 4
    return (power * high).sum((1, 2, 3)) / power.sum((1, 2, 3)).clamp_min(1e-30)


def frequency(channels: int, height: int, width: int) -> Tensor:
    """Cycles per image of each coefficient of `to_frequencies`, (channels, height, width)."""
    vertical, horizontal = torch.arange(height)[:, None] / 2, torch.arange(width)[None] / 2
    return (vertical**2 + horizontal**2).sqrt().expand(channels, height, width)
