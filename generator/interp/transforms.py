"""What a synthetic picture must survive: small random turns, zooms, shifts and noise.

Each image of a batch draws from a generator of its own, so what happens to it does not depend on its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """One source of randomness per image."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def uniform(sources: Sequence[torch.Generator], low: float, high: float) -> Tensor:
    """(len(sources),), each number drawn by its own source."""
    return torch.cat([torch.rand(1, generator=source) for source in sources]) * (high - low) + low


def affine(images: Tensor, angles: Tensor, zooms: Tensor, shifts: Tensor) -> Tensor:
    """Turn, magnify and then move each image about its centre, as one grid for the whole batch.

    angles: (batch,) degrees, clockwise as seen; zooms: (batch,), above 1 magnifies; shifts: (batch, 2)
    pixels right and down. What lies beyond the edge is the image's reflection.
    """
    height, width = images.shape[-2:]
    turn = angles * math.pi / 180
    cosine, sine = turn.cos() / zooms, turn.sin() / zooms
    right, down = shifts[:, 0], shifts[:, 1]
    # The grid says where each new pixel comes from, so it is the inverse motion, in coordinates that run
    # from -1 to 1 along either side.
    theta = torch.stack(
        [
            torch.stack([cosine, sine * height / width, -(cosine * right + sine * down) * 2 / width], 1),
            torch.stack([-sine * width / height, cosine, (sine * right - cosine * down) * 2 / height], 1),
        ],
        1,
    ).to(images)  # (batch, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def wobble(
    images: Tensor, sources: Sequence[torch.Generator], *, rotation: float, zoom: tuple[float, float], shift: float
) -> Tensor:
    """A random motion of each image: up to `rotation` degrees, a zoom in `zoom`, up to `shift` pixels each way."""
    angles, zooms = uniform(sources, -rotation, rotation), uniform(sources, *zoom)
    shifts = torch.stack([uniform(sources, -shift, shift), uniform(sources, -shift, shift)], 1)
    return affine(images, angles, zooms, shifts)


def noise(images: Tensor, sources: Sequence[torch.Generator], deviation: float) -> Tensor:
    """Normal noise on every pixel."""
    return images + deviation * torch.stack([torch.randn(images.shape[1:], generator=source) for source in sources]).to(
        images
    )
