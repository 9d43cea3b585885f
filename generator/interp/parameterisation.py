"""What a synthetic picture is made of: the numbers that an ascent changes, and the image that they stand for.

A parameterisation has `values`, leaf tensors whose first dimension is the image, and `images()`, which is
(batch, channels, height, width) in [0, 1]. Each image starts from a seed of its own, or from a given image, so
what it becomes does not depend on its neighbours in the batch; `part` is some of them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Protocol, Self

import torch
from torch import Tensor
from torch.nn import functional as F

# How the colours of ImageNet's pixels vary together: the square root of their covariance, in RGB rows and
# decorrelated columns, as measured for lucid (tensorflow/lucid, lucid/optvis/param/color.py).
COLOUR_CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
GREY_EDGE = 0.01  # how near to 0 and 1 a starting image may come: there the sigmoid's inverse has no end


class Parameterisation(Protocol):
    """What an ascent needs of one."""

    values: list[Tensor]

    def images(self) -> Tensor:
        """(images, channels, height, width) in [0, 1], differentiable in the values."""

    def part(self, start: int, stop: int) -> Self:
        """Images `start` to `stop`, less the last, with values of their own."""


class Held:
    """Values that an ascent changes, and a part of them."""

    def __init__(self, values: Tensor, device: torch.device | str) -> None:
        self.values = [values.detach().to(device).requires_grad_()]

    def part(self, start: int, stop: int) -> Self:
        """Images `start` to `stop`, less the last, with values of their own."""
        chosen = copy.copy(self)
        chosen.values = [value[start:stop].detach().clone().requires_grad_() for value in self.values]
        return chosen


class Fourier(Held):
    """Coefficients of a Fourier transform, scaled by 1 / frequency ** decay as those of natural images are.

    Three channels are held decorrelated, so that a step changes brightness and hue independently. An ascent
    in this basis has no preference for high frequencies, and steps equally far in every direction. It starts
    from noise of this `deviation`, or from `start`, (images, channels, height, width) in [0, 1].
    Olah, Mordvintsev and Schubert, 2017, https://distill.pub/2017/feature-visualization.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        height: int,
        width: int,
        *,
        channels: int = 3,
        decay: float = 1.0,
        saturation: float = 1.0,
        deviation: float = 0.01,
        start: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.size = (height, width)
        frequency = frequencies(height, width)
        # The constant has frequency 0; it is scaled like the longest wave that fits.
        scale = frequency.clamp(min=1 / max(height, width)) ** -decay * (height * width) ** 0.5
        colours = colour_transform(saturation) if channels == 3 else None
        if start is None:
            values = deviation * noise(seeds, channels, *frequency.shape, 2)  # real and imaginary part
        else:
            waves = torch.fft.rfft2(before_sigmoid(start.cpu(), colours)) * 4
            values = torch.view_as_real(waves) / scale[..., None]
        self.scale = scale[..., None].to(device)  # (height, width // 2 + 1, 1)
        self.colours = None if colours is None else colours.to(device)
        super().__init__(values, device)

    def images(self) -> Tensor:
        spectrum = torch.view_as_complex(self.values[0] * self.scale)
        picture: Tensor = torch.fft.irfft2(spectrum, s=self.size) / 4  # / 4: as in lucid, so that its rates are ours
        return coloured(picture, self.colours)


class Maco(Held):
    """Phases only: the magnitude of every frequency stays that of natural images, so no other can be painted.

    spectrum: (channels, height, width // 2 + 1), from `magnitudes`. Fel et al., 2023,
    https://arxiv.org/abs/2306.06805, equation 3.
    """

    def __init__(
        self, seeds: Sequence[int], height: int, width: int, spectrum: Tensor, *, device: torch.device | str = "cpu"
    ) -> None:
        if spectrum.shape[1:] != (height, width // 2 + 1):
            raise ValueError(f"the spectrum {tuple(spectrum.shape)} is not that of images of {height} × {width}")
        self.size = (height, width)
        self.spectrum = spectrum.to(device)
        self.colours = colour_transform().to(device) if len(spectrum) == 3 else None
        super().__init__(torch.pi * noise(seeds, *spectrum.shape), device)

    def images(self) -> Tensor:
        waves = torch.polar(self.spectrum.expand_as(self.values[0]), self.values[0])
        return coloured(torch.fft.irfft2(waves, s=self.size), self.colours)


class Pixels(Held):
    """Every pixel a number of its own. The plain basis, in which an ascent likes to paint high frequencies."""

    def __init__(
        self,
        seeds: Sequence[int],
        height: int,
        width: int,
        *,
        channels: int = 3,
        deviation: float = 0.01,
        start: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        values = deviation * noise(seeds, channels, height, width) if start is None else before_sigmoid(start)
        super().__init__(values, device)

    def images(self) -> Tensor:
        return self.values[0].sigmoid()


def magnitudes(images: Tensor, height: int, width: int) -> Tensor:
    """The mean magnitude spectrum of natural images at this size, for `Maco`: (channels, height, width // 2 + 1).

    images: (images, channels, any height, any width) in [0, 1]; resized first. Taken before the sigmoid and in
    decorrelated colours, where `Maco` works, and through a window: the edges of a photograph are no part of it, but
    without one they are its strongest horizontal and vertical waves.
    """
    sized = F.interpolate(images, (height, width), mode="bilinear", antialias=True, align_corners=False)
    picture = before_sigmoid(sized, colour_transform() if images.shape[1] == 3 else None)
    mean = picture.mean((2, 3), keepdim=True)
    window = torch.hann_window(height, False)[:, None] * torch.hann_window(width, False)
    window = window / window.square().mean().sqrt()  # the power stays what it was
    spectrum: Tensor = torch.fft.rfft2((picture - mean) * window).abs().mean(0)
    spectrum[:, 0, 0] = mean.abs().mean((0, 2, 3)) * height * width
    return spectrum


def colour_transform(saturation: float = 1.0) -> Tensor:
    """(3, 3): decorrelated colours to red, green, blue; the column of brightness has length 1.

    The columns of hue are shorter, 0.28 and 0.14: as photographs have it, but then a few dozen steps hardly
    leave grey. `saturation` makes them longer.
    """
    matrix = torch.tensor(COLOUR_CORRELATION)
    columns: Tensor = matrix / matrix[:, 0].norm() * torch.tensor([1.0, saturation, saturation])
    return columns


def frequencies(height: int, width: int) -> Tensor:
    """(height, width // 2 + 1): cycles per pixel of each coefficient of a real image's Fourier transform."""
    vertical, horizontal = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    frequency: Tensor = (vertical.square() + horizontal.square()).sqrt()
    return frequency


def noise(seeds: Sequence[int], *shape: int) -> Tensor:
    """Standard normal noise, (len(seeds), *shape), each image from its seed."""
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def coloured(picture: Tensor, colours: Tensor | None) -> Tensor:
    """Any numbers, in decorrelated colours where there are three, to images in [0, 1]."""
    if colours is not None:
        picture = torch.einsum("rc,bchw->brhw", colours, picture)
    return picture.sigmoid()


def before_sigmoid(images: Tensor, colours: Tensor | None = None) -> Tensor:
    """The inverse of `coloured`, but for pixels nearer to black or white than GREY_EDGE."""
    picture = images.clamp(GREY_EDGE, 1 - GREY_EDGE).logit()
    return picture if colours is None else torch.einsum("cr,brhw->bchw", torch.linalg.inv(colours), picture)
