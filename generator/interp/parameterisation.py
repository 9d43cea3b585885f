"""What a synthetic picture is made of: the numbers that an ascent changes, and the image that they stand for.

A parameterisation has `values`, leaf tensors whose first dimension is the image, and `images()`, which is
(batch, channels, height, width) in [0, 1]. Each image starts from a seed of its own, so what it becomes does
not depend on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# How the colours of ImageNet's pixels vary together: the square root of their covariance, in RGB rows and
# decorrelated columns, as measured for lucid (tensorflow/lucid, lucid/optvis/param/color.py).
COLOUR_CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


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


class Fourier:
    """Coefficients of a Fourier transform, scaled by 1 / frequency ** decay as those of natural images are.

    Three channels are held decorrelated, so that a step changes brightness and hue independently. An ascent
    in this basis has no preference for high frequencies, and steps equally far in every direction.
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
        device: torch.device | str = "cpu",
    ) -> None:
        self.size = (height, width)
        frequency = frequencies(height, width)
        # The constant has frequency 0; it is scaled like the longest wave that fits.
        scale = frequency.clamp(min=1 / max(height, width)) ** -decay * (height * width) ** 0.5
        self.scale = scale[..., None].to(device)  # (height, width // 2 + 1, 1)
        self.colours = colour_transform(saturation).to(device) if channels == 3 else None
        start = deviation * noise(seeds, channels, *frequency.shape, 2)  # real and imaginary part
        self.values = [start.to(device).requires_grad_()]

    def images(self) -> Tensor:
        spectrum = torch.view_as_complex(self.values[0] * self.scale)
        picture: Tensor = torch.fft.irfft2(spectrum, s=self.size) / 4  # / 4: as in lucid, so that its rates are ours
        if self.colours is not None:
            picture = torch.einsum("rc,bchw->brhw", self.colours, picture)
        return picture.sigmoid()


class Pixels:
    """Every pixel a number of its own. The plain basis, in which an ascent likes to paint high frequencies."""

    def __init__(
        self,
        seeds: Sequence[int],
        height: int,
        width: int,
        *,
        channels: int = 3,
        deviation: float = 0.01,
        device: torch.device | str = "cpu",
    ) -> None:
        start = deviation * noise(seeds, channels, height, width)
        self.values = [start.to(device).requires_grad_()]

    def images(self) -> Tensor:
        return self.values[0].sigmoid()
