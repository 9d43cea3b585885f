"""Gates of recurrent networks: how open each is, character by character, and how often it is all but shut or open.

Karpathy, Johnson and Fei-Fei, "Visualizing and understanding recurrent networks", 2015,
https://arxiv.org/abs/1506.02078, call a gate left-saturated below 0.1 and right-saturated above 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .reading import Progress, batches, shortened, windows
from .recurrent import Layer, Recurrent, group

SHUT, OPEN = 0.1, 0.9
GATES = {nn.LSTM: ("input", "forget", None, "output"), nn.GRU: ("reset", "update", None)}  # as torch stacks them


@dataclass(frozen=True)
class Saturation:
    """One gate of one layer. left, right: (units,), the share of characters at which it is shut, or open."""

    gate: str
    layer: int
    left: Tensor
    right: Tensor


def gates(reader: Recurrent, ids: Tensor, state: Any = None) -> tuple[dict[tuple[str, int], Tensor], Any]:
    """(gate, layer) -> (batch, time, units), each from 0 to 1, and the state to read on from.

    ids: (batch, time). ValueError for a plain RNN, which has no gates. A gate depends on what came in and on the
    hidden state before, so that all characters are done at once when the states are known.
    """
    rnn = reader.network.rnn
    names = GATES.get(type(rnn))
    if names is None:
        raise ValueError("a plain RNN has no gates")
    read = reader.read(ids, [group("hidden", number) for number in range(rnn.num_layers)], state)
    found = {}
    inputs = reader.network.embedding(ids)
    for number, hiddens in enumerate(read.activations.chunk(rnn.num_layers, 2)):
        layer = Layer.of(rnn, number)
        start = torch.zeros_like(hiddens[:, 0]) if state is None else state[number][0]
        before = torch.cat([start[:, None], hiddens[:, :-1]], 1)  # (batch, time, units)
        by_gate = zip(
            names,
            layer.weight.chunk(len(names)),
            layer.recurrent.chunk(len(names), 1),
            layer.bias.chunk(len(names)),
            layer.recurrent_bias.chunk(len(names)),
            strict=True,
        )
        for name, weight, recurrent, bias, recurrent_bias in by_gate:
            if name is not None:
                net = inputs @ weight.T + before @ recurrent + bias + recurrent_bias
                found[name, number] = net.sigmoid_()
        inputs = hiddens
    return found, read.state


@torch.inference_mode()
def saturation(
    reader: Recurrent,
    documents: Sequence[Tensor],
    *,
    batch: int = 64,
    window: int = 256,
    progress: Progress = lambda done, total: None,
) -> list[Saturation]:
    """Of every gate, over all characters of the documents; in memory that does not grow.

    documents: the ids of each, (characters,), of any integer type; together one character at least. ValueError where a
    gate is not a number, since such a one is neither shut nor open.
    """
    total, done = sum(map(len, documents)), 0
    counts: dict[tuple[str, int], list[Tensor]] = {}
    for _, filled, lengths in batches(documents, batch):
        state = None
        for one in windows(filled.shape[1], window, reader.context):
            alive = int((lengths > one.start).sum())
            found, state = gates(reader, filled[:alive, one.start : one.end], shortened(state, alive))
            there = torch.arange(one.start, one.end) < lengths[:alive, None]  # (alive, time)
            for key, values in found.items():
                held = values[there]  # (characters, units)
                if not bool(held.isfinite().all()):
                    raise ValueError("some gates are not numbers (NaN or infinite)")
                shut, opened = (held < SHUT).sum(0), (held > OPEN).sum(0)
                before = counts.get(key)
                counts[key] = [shut, opened] if before is None else [before[0] + shut, before[1] + opened]
            progress(done := done + int(there.sum()), total)
    return [Saturation(*key, left / total, right / total) for key, (left, right) in counts.items()]
