"""The loss that both sides of a training are judged by: on text that follows what they learnt from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Network = Callable[[Tensor, Any], tuple[Tensor, Any]]  # indices (batch, time) and a state to logits and a state


@torch.inference_mode()
def held_out(network: Network, text: Tensor, streams: int = 32, window: int = 256) -> float:
    """Nats per character of `text`, (characters,), read as contiguous streams with carried state."""
    rows = text[: len(text) // streams * streams].view(streams, -1)
    total, count, state = 0.0, 0, None
    for start in range(0, rows.shape[1] - 1, window):
        chunk = rows[:, start : start + window + 1]
        logits, state = network(chunk[:, :-1], state)
        total += float(nn.functional.cross_entropy(logits.flatten(0, 1), chunk[:, 1:].flatten(), reduction="sum"))
        count += chunk[:, 1:].numel()
    return total / count
