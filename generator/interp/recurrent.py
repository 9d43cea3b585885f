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
        """Reads on from `state`; what fills a row up comes after its end, and changes nothing before.

        Gradients do not flow: all is written in place, which makes it as fast as torch's own layers.
        """
        rnn, (batch, time) = self.network.rnn, ids.shape
        found: dict[str, Tensor] = {}
        states = []
        below: Tensor | None = None  # the hidden states of the layer below, (batch, time, width)
        for layer in range(rnn.num_layers):
            name = {kind: kind if layer == 0 else f"{kind} {layer}" for kind in ("hidden", "cell")}
            held = {kind: [one for one in clamps if one.group == name[kind]] for kind in name}
            passed_on = logits or layer + 1 < rnn.num_layers
            # One piece of memory each, written once.
            kept = {
                kind: ids.new_empty(batch, time, rnn.hidden_size, dtype=torch.float)
                for kind in name
                if name[kind] in groups or (kind == "hidden" and passed_on)
            }
            # In the first layer what comes in depends on the character alone: (symbols, gates * width) tell all.
            entering = incoming(rnn, layer, self.network.embedding.weight if below is None else below.transpose(0, 1))
            recurrent, bias = getattr(rnn, f"weight_hh_l{layer}").T, getattr(rnn, f"bias_hh_l{layer}")
            zero = entering.new_zeros(batch, rnn.hidden_size)
            hidden, cell = (zero, zero) if state is None else state[layer]
            for now in range(time):
                inward = entering.index_select(0, ids[:, now]) if below is None else entering[now]
                hidden, cell = step(rnn, inward, recurrent, bias, hidden, cell, held["cell"])
                hidden = clamped(hidden, held["hidden"])
                for kind, values in kept.items():
                    values[:, now] = hidden if kind == "hidden" else cell
            found |= {name[kind]: values for kind, values in kept.items()}
            states.append((hidden, cell))
            below = kept.get("hidden")
        nothing = ids.new_empty(batch, time, 0, dtype=torch.float)
        return Reading(
            found[groups[0]] if len(groups) == 1 else torch.cat([nothing, *(found[group] for group in groups)], 2),
            self.network.head(below) if logits else None,
            states,
        )


def incoming(rnn: nn.RNNBase, layer: int, inputs: Tensor) -> Tensor:
    """What inputs bring into a layer, (…, gates * width), biases included; but a GRU's own gate may shut one out."""
    weight, bias, recurrent_bias = (getattr(rnn, f"{part}_l{layer}") for part in ("weight_ih", "bias_ih", "bias_hh"))
    return F.linear(inputs, weight, bias if isinstance(rnn, nn.GRU) else bias + recurrent_bias)


def clamped(states: Tensor, clamps: Sequence[Clamp]) -> Tensor:
    for clamp in clamps:
        states = states.index_copy(1, clamp.numbers, clamp.values.to(states).expand(len(states), -1))
    return states


def step(
    rnn: nn.RNNBase,
    inward: Tensor,
    recurrent: Tensor,
    bias: Tensor,
    hidden: Tensor,
    cell: Tensor,
    clamps: Sequence[Clamp] = (),
) -> tuple[Tensor, Tensor]:
    """The state after one character. inward: (batch, gates * width), of `incoming`, written over. clamps: of cells.

    recurrent: (width, gates * width). bias: (gates * width,), the recurrent one, which only a GRU still needs.
    """
    if isinstance(rnn, nn.LSTM):
        width = rnn.hidden_size
        gates = inward.addmm_(hidden, recurrent)
        gates[:, : 2 * width].sigmoid_()
        hyperbolic_(gates[:, 2 * width : 3 * width])
        gates[:, 3 * width :].sigmoid_()
        enter, forget, candidate, output = gates.chunk(4, dim=1)
        cell = clamped((forget * cell).addcmul_(enter, candidate), clamps)
        return hyperbolic_(cell.clone()).mul_(output), cell
    if isinstance(rnn, nn.GRU):
        back = torch.addmm(bias, hidden, recurrent)
        (reset, update, new), (reset_r, update_r, new_r) = inward.chunk(3, dim=1), back.chunk(3, dim=1)
        update = update.add_(update_r).sigmoid_()
        new = new.addcmul_(reset.add_(reset_r).sigmoid_(), new_r).tanh_()
        return torch.lerp(new, hidden, update), cell
    return inward.addmm_(hidden, recurrent).tanh_(), cell


def hyperbolic_(values: Tensor) -> Tensor:
    """The hyperbolic tangent in place, as 2σ(2x) − 1, to a rounding of float32; torch's own takes thrice as long."""
    return values.mul_(2).sigmoid_().mul_(2).sub_(1)
