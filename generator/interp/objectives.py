"""What is ascended: from activations to one score per image, (batch,). Larger is better; nothing is negated.

The unit is given per image, so that one batch can hold the pictures of several units.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def channel(activation: Tensor, channels: Sequence[int]) -> Tensor:
    """Mean over all positions of channel `channels[i]` in image i.

    activation: (batch, channels, height, width), or (batch, units) where there are no positions.
    """
    rows = torch.arange(len(activation), device=activation.device)
    chosen = activation[rows, torch.as_tensor(channels, device=activation.device)]  # (batch, height, width) or (batch,)
    return chosen.flatten(1).mean(1) if chosen.ndim > 1 else chosen


def logit(logits: Tensor, classes: Sequence[int]) -> Tensor:
    """The score of class `classes[i]` before the softmax in image i; logits: (batch, classes).

    Not the probability, which can also be raised by making all other classes less likely
    (Simonyan, Vedaldi and Zisserman, 2013, https://arxiv.org/abs/1312.6034).
    """
    return logits.gather(1, torch.as_tensor(classes, device=logits.device).unsqueeze(1)).squeeze(1)


def energy(activation: Tensor) -> Tensor:
    """Mean square of all that a layer says: whatever it sees, let it see more of it (Mordvintsev et al., 2015)."""
    return activation.flatten(1).square().mean(1)
