"""Character-level recurrent networks: the network, its loss, its states.

Tensors in, tensors out: text is already a sequence of indices here. After Karpathy, Johnson and
Fei-Fei, "Visualizing and understanding recurrent networks", 2015, https://arxiv.org/abs/1506.02078.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .reading import Clamp, Reading, Tokens

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}

State = Tensor | tuple[Tensor, Tensor] | None


class CharRNN(nn.Module):
    """Embedding, recurrent layers and a linear read-out: indices (batch, time) to logits (batch, time, symbols)."""

    def __init__(self, symbols: int, cell: str = "lstm", layers: int = 1, width: int = 384, embedding: int = 64):
        super().__init__()
        self.embedding = nn.Embedding(symbols, embedding)
        self.rnn = CELLS[cell](embedding, width, layers, batch_first=True)
        self.head = nn.Linear(width, symbols)
        if cell == "lstm":
            # A forget gate that starts open lets gradients through from the first step
            # (Jozefowicz et al., 2015, http://proceedings.mlr.press/v37/jozefowicz15.html).
            for layer in range(layers):
                getattr(self.rnn, f"bias_ih_l{layer}").data[width : 2 * width] = 1.0

    def forward(self, indices: Tensor, state: State = None) -> tuple[Tensor, State]:
        hidden, state = self.rnn(self.embedding(indices), state)
        return self.head(hidden), state


def detached(state: State) -> State:
    """The same state, without the history that led to it."""
    if state is None:
        return None
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()  # type: ignore[return-value]


@torch.inference_mode()
def cross_entropy(network: CharRNN, text: Tensor, *, streams: int = 64, window: int = 256) -> float:
    """Mean next-character cross-entropy in nats, over `text` (characters,) read as contiguous streams.

    text: of any integer type, two characters at least.
    """
    streams = max(1, min(streams, len(text) // (window + 1)))
    length = len(text) // streams
    rows = text[: length * streams].view(streams, length)
    state: State = None
    total, count = 0.0, 0
    for start in range(0, length - 1, window):
        chunk = rows[:, start : start + window + 1].long()
        logits, state = network(chunk[:, :-1], state)
        total += float(F.cross_entropy(logits.flatten(0, 1), chunk[:, 1:].flatten(), reduction="sum"))
        count += chunk[:, 1:].numel()
    return total / count


class Recurrent:
    """A character network as a reader: groups `hidden` and, of an LSTM, `cell`; of the second layer `hidden 1`.

    The equations are written out, because torch's own layers keep the cell state to themselves (Hochreiter and
    Schmidhuber, 1997, in the form of https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html). A GRU and a
    plain RNN have no cell state. symbols: the characters by index, the first standing for all unknown ones.
    """

    causal = True
    context = None
    special = frozenset([0])

    def __init__(self, network: CharRNN, symbols: str) -> None:
        self.network, self.symbols = network, symbols
        self.index = {symbol: number for number, symbol in enumerate(symbols)}
        kinds = ("hidden", "cell") if isinstance(network.rnn, nn.LSTM) else ("hidden",)
        self.groups = {
            kind if layer == 0 else f"{kind} {layer}": network.rnn.hidden_size
            for layer in range(network.rnn.num_layers)
            for kind in kinds
        }

    def tokens(self, text: str) -> Tokens:
        """One for each character."""
        ids = torch.tensor([self.index.get(character, 0) for character in text], dtype=torch.long)
        starts = torch.arange(len(text))
        return Tokens(ids, torch.stack([starts, starts + 1], 1))

    def token(self, number: int) -> str:
        return self.symbols[number]

    def text(self, ids: Sequence[int]) -> str:
        return "".join(self.symbols[number] for number in ids)

    def read(
        self,
        ids: Tensor,
        groups: Sequence[str],
        state: Any = None,
        *,
        lengths: Tensor | None = None,
        clamps: Sequence[Clamp] = (),
        logits: bool = False,
    ) -> Reading:
        """Reads on from `state`; what fills a row up comes after its end, and changes nothing before."""
        rnn, (batch, time) = self.network.rnn, ids.shape
        inputs = self.network.embedding(ids)  # (batch, time, embedding)
        found: dict[str, Tensor] = {}
        states = []
        for layer in range(rnn.num_layers):
            name = {kind: kind if layer == 0 else f"{kind} {layer}" for kind in ("hidden", "cell")}
            held = {kind: [one for one in clamps if one.group == name[kind]] for kind in name}
            inward, recurrent, bias_in, bias_rec = (
                getattr(rnn, f"{part}_l{layer}") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            zero = inputs.new_zeros(batch, rnn.hidden_size)
            hidden, cell = (zero, zero) if state is None else state[layer]
            # One piece of memory each, written once.
            hiddens = inputs.new_empty(batch, time, rnn.hidden_size)
            cells = torch.empty_like(hiddens) if name["cell"] in groups else None
            entering = inputs @ inward.T + bias_in  # (batch, time, gates * width), all characters at once
            for now in range(time):
                hidden, cell = step(rnn, entering[:, now], hidden @ recurrent.T + bias_rec, hidden, cell, held["cell"])
                hidden = clamped(hidden, held["hidden"])
                hiddens[:, now] = hidden
                if cells is not None:
                    cells[:, now] = cell
            found[name["hidden"]] = hiddens
            if cells is not None:
                found[name["cell"]] = cells
            states.append((hidden, cell))
            inputs = hiddens
        return Reading(
            torch.cat([found[group] for group in groups], 2) if groups else inputs[:, :, :0],
            self.network.head(inputs) if logits else None,
            states,
        )


def clamped(states: Tensor, clamps: Sequence[Clamp]) -> Tensor:
    for clamp in clamps:
        states = states.index_copy(1, clamp.numbers, clamp.values.to(states).expand(len(states), -1))
    return states


def step(
    rnn: nn.RNNBase, inward: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor, clamps: Sequence[Clamp] = ()
) -> tuple[Tensor, Tensor]:
    """The state after one character. inward, recurrent: (batch, gates * width), biases included. clamps: of cells."""
    if isinstance(rnn, nn.LSTM):
        enter, forget, candidate, output = (inward + recurrent).chunk(4, dim=1)
        cell = clamped(forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh(), clamps)
        return output.sigmoid() * cell.tanh(), cell
    if isinstance(rnn, nn.GRU):
        (reset, update, new), (reset_r, update_r, new_r) = inward.chunk(3, dim=1), recurrent.chunk(3, dim=1)
        update = (update + update_r).sigmoid()
        return (1 - update) * (new + (reset + reset_r).sigmoid() * new_r).tanh() + update * hidden, cell
    return (inward + recurrent).tanh(), cell
