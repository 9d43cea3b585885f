"""What a synthetic picture must survive: small random turns, zooms, shifts and noise, or looks at parts of it.

All that is random is drawn before the ascent begins, each image's motions from a seed of its own, so what happens
to an image does not depend on its neighbours, and a step is one grid for the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Motions:
    """Of every step and look: angles, zooms: (steps, looks); shifts: (steps, looks, 2); `looks` is images × copies.

    `copies` looks of one image stand side by side. noise: standard deviation. size: (height, width) of a look,
    None for that of the image.
    """

    angles: Tensor
    zooms: Tensor
    shifts: Tensor
    copies: int = 1
    noise: float = 0.0
    size: tuple[int, int] | None = None

    def apply(self, images: Tensor, step: int) -> Tensor:
        """(images, channels, height, width) to (looks, channels, height, width) as step `step` sees them."""
        looks = images if self.copies == 1 else images.repeat_interleave(self.copies, 0)
        moved = affine(looks, self.angles[step], self.zooms[step], self.shifts[step], self.size)
        if not self.noise:
            return moved
        # The same noise for all images of a step: each climbs alone, and so none depends on its neighbours.
        source = torch.Generator(images.device).manual_seed(step)
        grain = torch.randn(moved.shape[1:], generator=source, device=images.device)
        return moved + self.noise * grain

    def to(self, device: torch.device) -> Motions:
        """The same motions on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("angles", "zooms", "shifts")}
        return replace(self, **moved)


@dataclass(frozen=True)
class Wobble:
    """A random motion of the whole image: up to `rotation` degrees, a zoom in `zoom`, up to `shift` of the size."""

    rotation: float = 5.0
    zoom: tuple[float, float] = (0.95, 1.1)
    shift: float = 0.05
    noise: float = 0.0

    def motions(self, seeds: Sequence[int], steps: int, height: int, width: int) -> Motions:
        """Of `steps` steps of images of this size, one of each seed."""
        turn, zoom, right, down = uniform(seeds, steps, 4).unbind(2)  # each (steps, images), in [0, 1)
        shifts = torch.stack([(2 * right - 1) * self.shift * width, (2 * down - 1) * self.shift * height], 2)
        low, high = self.zoom
        return Motions((2 * turn - 1) * self.rotation, low + (high - low) * zoom, shifts, noise=self.noise)


@dataclass(frozen=True)
class Crops:
    """Looks at `count` random squares of an image, their sides between two shares of it, each `size` pixels wide.

    As for images that are larger than what the network was made for
    (Fel et al., 2023, https://arxiv.org/abs/2306.06805, section 4).
    """

    size: int
    count: int = 6
    box: tuple[float, float] = (0.2, 0.25)
    noise: float = 0.1

    def motions(self, seeds: Sequence[int], steps: int, height: int, width: int) -> Motions:
        """Of `steps` steps of images of this size, `count` looks at one of each seed."""
        drawn = uniform(seeds, steps, 3 * self.count).view(steps, -1, 3)  # (steps, looks, 3)
        share = self.box[0] + (self.box[1] - self.box[0]) * drawn[:, :, 0]
        # How far the centre of a square may be from that of the image; a shift is in pixels of the look.
        free = (1 - share).unsqueeze(2) * (drawn[:, :, 1:] - 0.5)
        shifts = free / share.unsqueeze(2) * self.size
        return Motions(torch.zeros_like(share), 1 / share, shifts, self.count, self.noise, (self.size, self.size))


def uniform(seeds: Sequence[int], steps: int, numbers: int) -> Tensor:
    """(steps, len(seeds), numbers) in [0, 1), the numbers of each image from its seed."""
    return torch.stack([torch.rand(steps, numbers, generator=torch.Generator().manual_seed(seed)) for seed in seeds], 1)


def affine(
    images: Tensor, angles: Tensor, zooms: Tensor, shifts: Tensor, size: tuple[int, int] | None = None
) -> Tensor:
    """Turn, magnify and then move each image about its centre, as one grid for the whole batch.

    angles: (batch,) degrees, clockwise as seen; zooms: (batch,), above 1 magnifies; shifts: (batch, 2) pixels of
    the result, right and down. size: (height, width) of the result, that of the images if not given. What lies
    beyond the edge is the image's reflection.
    """
    height, width = size or images.shape[-2:]
    turn = angles * (math.pi / 180)
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
    grid = F.affine_grid(theta, [*images.shape[:2], height, width], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
