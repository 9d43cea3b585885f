"""DeepDream: an image, changed so that a layer says more of what it already says.

Mordvintsev, Olah and Tyka, "Inceptionism", 2015,
https://research.google/blog/inceptionism-going-deeper-into-neural-networks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def dream(
    image: Tensor,
    score: Callable[[Tensor], Tensor],
    *,
    octaves: int,
    zoom: float,
    steps: int,
    rate: float,
    jitter: int,
    seed: int,
    smallest: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Enhance `image`, (channels, height, width) in [0, 1], from its smallest octave to its own size.

    Each octave is `zoom` times larger than the one before it, and starts with the details found there; none
    is smaller than `smallest` pixels. A step adds `rate` times the gradient over its mean size, after moving
    the image by up to `jitter` pixels, so that no grid of the network's strides shows. The result is of the
    same shape, in [0, 1].
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = image.shape[-2:]
    sizes = [(round(height / zoom**octave), round(width / zoom**octave)) for octave in range(octaves)][::-1]
    sizes = [size for size in sizes if min(size) >= smallest] or [(height, width)]
    detail = torch.zeros_like(image)
    for octave, size in enumerate(sizes):
        base = resize(image, size)
        current = base + resize(detail, size)
        for step in range(steps):
            down, right = (int(torch.randint(-jitter, jitter + 1, (), generator=generator)) for _ in range(2))
            moved = current.roll((down, right), dims=(-2, -1)).requires_grad_()
            value = score(moved.unsqueeze(0)).sum()
            if not bool(value.isfinite()):
                raise ValueError(
                    f"the score is {value.item()} at step {step + 1} of octave {octave + 1}; is a weight not a number?"
                )
            (gradient,) = torch.autograd.grad(value, moved)
            gradient = gradient.roll((-down, -right), dims=(-2, -1))
            size_of_gradient = gradient.abs().mean().clamp(min=1e-12)  # 0 where the layer is silent
            current = (current.detach() + rate * gradient / size_of_gradient).clamp(0, 1)
            progress(octave * steps + step + 1, len(sizes) * steps)
        detail = current - base
    return current


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """(channels, height, width) to (channels, *size); antialiased where it shrinks."""
    if tuple(image.shape[-2:]) == size:
        return image
    return F.interpolate(image.unsqueeze(0), size, mode="bilinear", antialias=True, align_corners=False).squeeze(0)
