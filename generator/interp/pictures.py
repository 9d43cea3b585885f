"""Between a network's tensors and the eight-bit pictures that a reader sees."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """(batch, channels, height, width) in [0, 1] to (batch, height, width, 3) in 0 to 255; grey becomes RGB."""
    rounded = images.detach().clamp(0, 1).mul(255).round().to(torch.uint8).cpu()
    return rounded.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()


def from_pixels(pixels: NDArray[np.uint8], channels: int = 3, device: torch.device | str = "cpu") -> Tensor:
    """(batch, height, width, 3) in 0 to 255 to (batch, channels, height, width) in [0, 1]; one channel is the mean."""
    images = torch.tensor(pixels, device=device).permute(0, 3, 1, 2).float() / 255
    return images.mean(1, keepdim=True) if channels == 1 else images


def fit(image: Tensor, side: int) -> Tensor:
    """(batch, channels, height, width), made smaller until its longer side is `side` pixels; never larger."""
    height, width = image.shape[-2:]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def opacity(slopes: Tensor, share: float = 0.8) -> Tensor:
    """How opaque each pixel is shown, (images, height, width) in [0, 1]: wholly from that share of the slopes on.

    slopes: (images, height, width), how strongly the objective depended on each pixel, summed over the ascent. A
    picture of fixed magnitudes is full to its edges, whether or not all of it matters
    (Fel et al., 2023, https://arxiv.org/abs/2306.06805, section 4).
    """
    full = torch.quantile(slopes.flatten(1), share, dim=1)[:, None, None]
    return (slopes / full.clamp_min(1e-30)).clamp(0, 1)
