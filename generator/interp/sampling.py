"""Text that a network writes, token by token, from what it expects to come next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .reading import Reader


@torch.inference_mode()
def sample(
    reader: Reader,
    start: Tensor,
    length: int,
    temperatures: Sequence[float],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """`length` further ids after those of `start`, (tokens,), each drawn from softmax(logits / temperature).

    Returns (temperatures, length). Every temperature draws by the same seed. Tokens that stand for no text are never
    drawn. A reader that keeps no state, or is full, reads the last tokens that it can hold anew for each. ValueError
    where the reader does not foretell, or there is no token to start from.
    """
    if not len(start):
        raise ValueError("there is no token to start from")
    generators = [torch.Generator().manual_seed(seed) for _ in temperatures]
    special = torch.tensor(sorted(reader.special), dtype=torch.long)
    ids = start.repeat(len(temperatures), 1)
    state, unread = None, ids if reader.context is None else ids[:, -reader.context :]
    for step in range(length):
        read = reader.read(unread, (), state, logits=True)
        if read.logits is None or not reader.causal:
            raise ValueError("it does not foretell the next token")
        scaled = read.logits[:, -1] / torch.tensor(temperatures)[:, None]  # (temperatures, tokens of the vocabulary)
        scaled[:, special] = -math.inf
        shares = scaled.softmax(1)
        drawn = [torch.multinomial(row, 1, generator=one) for row, one in zip(shares, generators, strict=True)]
        ids = torch.cat([ids, torch.stack(drawn)], 1)
        full = reader.context is not None and ids.shape[1] > reader.context
        state = None if full else read.state
        unread = ids[:, -(reader.context or 0) :] if state is None else ids[:, -1:]
        progress(step + 1, length)
    return ids[:, len(start) :]
