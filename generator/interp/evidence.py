"""What speaks for a synthetic image, and against it: numbers to set beside what the eye believes.

People predict what a unit does better from natural examples than from synthetic ones (Borowski et al., 2021,
https://arxiv.org/abs/2010.12606), and a synthetic image can be made to show anything (Geirhos et al., 2024,
https://arxiv.org/abs/2306.04719), so each is held against natural images, small changes, and images of other units.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .pictures import from_pixels, to_pixels
from .transforms import affine

QUALITY = 75  # of JPEG: Pillow's and libjpeg's default
SHIFT = 0.05  # of the image's size
ZOOMS = (0.9, 1.1)
OCTAVES = 5  # below the highest frequency, in which spectra are compared

Score = Callable[[Tensor], Tensor]  # (images, channels, height, width) to (images,)


def percentile(values: Tensor, natural: Tensor) -> Tensor:
    """The share of natural activations (natural,) that lie below each of `values` (images,), ties counting half."""
    below = (natural < values[:, None]).double().mean(1)
    return below + (natural == values[:, None]).double().mean(1) / 2


def changed(images: Tensor) -> Mapping[str, Tensor]:
    """The images shifted, magnified and shrunk, and compressed: (changes of that kind, images, ...), by kind."""
    height, width = images.shape[-2:]
    count = len(images)
    still, one = images.new_zeros(count), images.new_ones(count)

    def moved(zoom: float, right: float, down: float) -> Tensor:
        return affine(images, still, zoom * one, images.new_tensor([[right, down]]).expand(count, 2))

    sideways, upright = SHIFT * width, SHIFT * height
    shifts = [moved(1, right, down) for right, down in ((sideways, 0), (-sideways, 0), (0, upright), (0, -upright))]
    return {
        "shift": torch.stack(shifts),
        "scale": torch.stack([moved(zoom, 0, 0) for zoom in ZOOMS]),
        "jpeg": compressed(images).unsqueeze(0),
    }


def compressed(images: Tensor) -> Tensor:
    """The images, written as JPEG files of this QUALITY and read back."""
    found = []
    for pixels in to_pixels(images):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
        found.append(np.asarray(Image.open(buffer)))
    return from_pixels(np.stack(found), images.shape[1], images.device)


@torch.no_grad()
def retained(score: Score, images: Tensor, rest: Tensor) -> dict[str, Tensor]:
    """What share of a score above `rest`, (images,), is left after each kind of change, on average: (images,).

    0 where the score is not above it, so that there is nothing to keep.
    A picture that shows something keeps it when it is moved by a twentieth or compressed; a pattern that only this
    grid of pixels carries does not (Athalye et al., 2018, https://arxiv.org/abs/1707.07397, on adversarial ones).
    """
    gained = score(images) - rest
    left = {
        kind: torch.stack([score(one) - rest for one in versions]).mean(0) for kind, versions in changed(images).items()
    }
    return {kind: torch.where(gained > 0, one / gained.clamp_min(1e-12), 0) for kind, one in left.items()}


def radial_power(images: Tensor) -> Tensor:
    """Mean log power in each of the highest OCTAVES octaves of spatial frequency, (images, OCTAVES), from low to high.

    images: (images, channels, height, width); grey from the mean of the channels; natural logarithm, the mean of all
    octaves taken off, so that contrast does not count. A window keeps the edges from showing as frequencies.
    """
    height, width = images.shape[-2:]
    grey = images.mean(1).double()
    rows, columns = (torch.hann_window(size, False, dtype=grey.dtype) for size in (height, width))
    window = (rows[:, None] * columns).to(grey)
    power = torch.fft.rfft2((grey - grey.mean((1, 2), keepdim=True)) * window).abs().square()
    vertical, horizontal = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    octave = (torch.log2(0.5 / (vertical**2 + horizontal**2).sqrt().clamp_min(1e-9))).floor().to(images.device)
    bands = [octave == number for number in reversed(range(OCTAVES))]
    mean_power = torch.stack([(power * band).sum((1, 2)) / band.sum().clamp_min(1) for band in bands], 1)
    logarithms = mean_power.clamp_min(1e-12).log()
    return logarithms - logarithms.mean(1, keepdim=True)


def spectral_distance(power: Tensor, natural: Tensor) -> Tensor:
    """How far the spectrum of each image is from those of natural images, in their own standard deviations, (images,).

    power: (images, OCTAVES), and natural: (at least 2 images, OCTAVES), both `radial_power` at one size of image. The
    root mean square over octaves of (log power - mean) / deviation: about 1 for a natural image. Natural images
    follow a power law (Field, 1987, https://doi.org/10.1364/JOSAA.4.002379), which the high frequencies of naive
    ascents break.
    """
    deviation = natural.std(0).clamp_min(1e-6)
    return ((power - natural.mean(0)) / deviation).square().mean(1).sqrt()


def agreement(one: Tensor, twins: Tensor, units: Tensor, others: Tensor, other_units: Tensor) -> Tensor:
    """Whether two images of a unit are more alike than images of different units, (images,), 1 always and 0 never.

    one, twins: (images, channels), activations of a layer on an image of each of `units`, (images,), from one seed
    and from another. For each image, the share of the `others`, (others, channels), images of `other_units`, that are
    less like it than its twin is, equal ones counting half; not a number where all are of its own unit.
    """
    rows = torch.arange(len(one))
    own = likeness(one, twins, units, units)[rows, rows][:, None]
    cosines = likeness(one, others, units, other_units)
    rival = units[:, None] != other_units
    less = ((cosines < own).double() + (cosines == own).double() / 2) * rival
    return less.sum(1) / rival.sum(1)


def likeness(one: Tensor, other: Tensor, units: Tensor, other_units: Tensor) -> Tensor:
    """Cosine of every pair of images, over all channels but the two that they were grown for: (images, others).

    These are high because they were asked to be, and so tell nothing.
    """
    one, other = one.double(), other.double()
    same = units[:, None] == other_units
    left, left_there = one.gather(1, units[:, None]), other[:, units].T  # the first image's channel in each of a pair
    right, right_here = other.gather(1, other_units[:, None]).T, one[:, other_units].masked_fill(same, 0)
    dot = one @ other.T - left * left_there - right_here * right
    first = one.square().sum(1, keepdim=True) - left.square() - right_here.square()
    second = other.square().sum(1) - left_there.square() - right.square().expand_as(same).masked_fill(same, 0)
    cosines: Tensor = dot / (first.clamp_min(0) * second.clamp_min(0)).sqrt().clamp_min(1e-12)
    return cosines
