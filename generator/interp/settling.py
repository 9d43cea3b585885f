"""Batch norms of a network with random weights, brought to where the first step of training has them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle(network: nn.Module, images: Tensor) -> None:
    """Give every batch norm the mean and variance of its own inputs, on these images; all else stays as it is.

    A fresh batch norm in eval mode does nothing, and in a deep network of random weights the signal dies out
    within a few layers: a comparison with it would say nothing about the architecture, which was made to be normalised.
    Networks without batch norms are not run. Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167.
    """
    norms = [one for one in network.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    norms = [one for one in norms if one.track_running_stats and not one.training]
    momenta = [one.momentum for one in norms]
    try:
        for norm in norms:
            norm.train().momentum = 1.0  # the running statistics become those of these images
        if norms:
            network(images)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.eval().momentum = momentum


def noise(channels: int, height: int, width: int, count: int = 8) -> Tensor:
    """Images of noise whose spectrum falls as that of photographs does, in [0, 1]; always the same ones.

    Returns (count, channels, height, width). Field, 1987, https://doi.org/10.1364/JOSAA.4.002379.
    """
    white = torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(0))
    vertical, horizontal = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None]
    frequency = (vertical**2 + horizontal**2).sqrt().clamp_min(1 / max(height, width))
    images: Tensor = torch.fft.ifft2(torch.fft.fft2(white) / frequency).real
    return (0.5 + 0.25 * images / images.std()).clamp(0, 1)  # about the contrast of a photograph
