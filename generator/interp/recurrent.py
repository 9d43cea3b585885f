"""Character-level recurrent networks: the network, its loss, its states.

Tensors in, tensors out: text is already a sequence of indices here. After Karpathy, Johnson and
Fei-Fei, "Visualizing and understanding recurrent networks", 2015, https://arxiv.org/abs/1506.02078.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .reading import Clamp, Reading, Tokens
from .tokenising import characters

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
KINDS = ("hidden", "cell")  # of states

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
        """Logits of the next character at each, and the state after them, as torch's own layers give it."""
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


def group(kind: str, layer: int) -> str:
    """What the units of one kind of state are called: `hidden` in the first layer, `hidden 1` in the second."""
    return kind if layer == 0 else f"{kind} {layer}"


class Recurrent:
    """A character network as a reader: groups `hidden` and, of an LSTM, `cell`; of the second layer `hidden 1`.

    A GRU and a plain RNN have no cell state. symbols: the characters by index, the first standing for all unknown ones.
    """

    causal = True
    context = None

    def __init__(self, network: CharRNN, symbols: str) -> None:
        self.network, self.symbols = network, symbols
        self.tokenizer = characters(symbols)
        self.special = self.tokenizer.special
        kinds = KINDS if isinstance(network.rnn, nn.LSTM) else ("hidden",)
        layers = range(network.rnn.num_layers)
        self.groups = {group(kind, layer): network.rnn.hidden_size for layer in layers for kind in kinds}

    def tokens(self, text: str) -> Tokens:
        """One for each character."""
        return self.tokenizer.tokens(text)

    def token(self, number: int) -> str:
        """The character of this number."""
        return self.tokenizer.decode([number])

    def text(self, ids: Sequence[int]) -> str:
        """The characters of these numbers."""
        return self.tokenizer.decode(ids)

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
        for number in range(rnn.num_layers):
            layer, names = Layer.of(rnn, number), {kind: group(kind, number) for kind in KINDS}
            held = {kind: [one for one in clamps if one.group == name] for kind, name in names.items()}
            passed_on = logits or number + 1 < rnn.num_layers
            # One piece of memory each, written once.
            kept = {
                kind: ids.new_empty(batch, time, layer.width, dtype=torch.float)
                for kind, name in names.items()
                if name in groups or (kind == "hidden" and passed_on)
            }
            inputs: Iterable[Tensor]
            if below is None:  # what enters depends on the character alone: (symbols, gates * width) tell all
                table = layer.enter(self.network.embedding.weight)
                inputs = (table.index_select(0, column) for column in ids.T)
            else:
                inputs = layer.enter(below.transpose(0, 1))  # (time, batch, gates * width)
            zero = layer.recurrent.new_zeros(batch, layer.width)
            states.append(layer.run(inputs, (zero, zero) if state is None else state[number], held, kept))
            found |= {names[kind]: values for kind, values in kept.items()}
            below = kept.get("hidden")
        nothing = ids.new_empty(batch, time, 0, dtype=torch.float)
        return Reading(
            found[groups[0]] if len(groups) == 1 else torch.cat([nothing, *(found[name] for name in groups)], 2),
            self.network.head(below) if logits else None,
            states,
        )


@dataclass(frozen=True)
class Layer:
    """One layer of a recurrent network, its equations written out: torch's own keeps the cell state to itself.

    Hochreiter and Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735, and Cho et al., 2014,
    https://arxiv.org/abs/1406.1078, both in the form and the order of gates of
    https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers.

    weight: (gates * width, inputs), of what enters. recurrent: (width, gates * width), of the hidden state before.
    bias, recurrent_bias: (gates * width,).
    """

    kind: type[nn.RNNBase]
    width: int
    weight: Tensor
    recurrent: Tensor
    bias: Tensor
    recurrent_bias: Tensor

    @classmethod
    def of(cls, rnn: nn.RNNBase, number: int) -> Self:
        """The layer of this number, from 0, of torch's own network."""
        names = (f"{part}_l{number}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        weight, recurrent, bias, recurrent_bias = (getattr(rnn, name) for name in names)
        return cls(type(rnn), rnn.hidden_size, weight, recurrent.T, bias, recurrent_bias)

    def enter(self, inputs: Tensor) -> Tensor:
        """What inputs bring in, (…, inputs) to (…, gates * width), biases included; but a GRU shuts out one of them."""
        return F.linear(inputs, self.weight, self.bias if self.kind is nn.GRU else self.bias + self.recurrent_bias)

    def run(
        self,
        inputs: Iterable[Tensor],
        state: tuple[Tensor, Tensor],
        held: Mapping[str, Sequence[Clamp]],
        kept: Mapping[str, Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Read characters one after another, and return the state after them: hidden and cell, (batch, width) each.

        inputs: (batch, gates * width) at each character, of `enter`, written over. held: by kind of state. kept:
        (batch, time, width) by kind of state, where the states at each character are written to.
        """
        hidden, cell = state
        for now, entering in enumerate(inputs):
            hidden, cell = self.step(entering, hidden, cell, held["cell"])
            hidden = clamped(hidden, held["hidden"])
            for kind, states in kept.items():
                states[:, now] = hidden if kind == "hidden" else cell
        return hidden, cell

    def step(
        self, entering: Tensor, hidden: Tensor, cell: Tensor, clamps: Sequence[Clamp] = ()
    ) -> tuple[Tensor, Tensor]:
        """Hidden and cell state after one more character. entering: written over. clamps: of cells."""
        if self.kind is nn.LSTM:
            width = self.width
            gates = entering.addmm_(hidden, self.recurrent)
            gates[:, : 2 * width].sigmoid_()
            hyperbolic_(gates[:, 2 * width : 3 * width])
            gates[:, 3 * width :].sigmoid_()
            enter, forget, candidate, output = gates.chunk(4, dim=1)
            cell = clamped((forget * cell).addcmul_(enter, candidate), clamps)
            return hyperbolic_(cell.clone()).mul_(output), cell
        if self.kind is nn.GRU:
            back = torch.addmm(self.recurrent_bias, hidden, self.recurrent)
            (reset, update, new), (reset_r, update_r, new_r) = entering.chunk(3, dim=1), back.chunk(3, dim=1)
            update = update.add_(update_r).sigmoid_()
            new = new.addcmul_(reset.add_(reset_r).sigmoid_(), new_r).tanh_()
            return torch.lerp(new, hidden, update), cell
        return entering.addmm_(hidden, self.recurrent).tanh_(), cell


def clamped(states: Tensor, clamps: Sequence[Clamp]) -> Tensor:
    """States, (batch, width), with the held units at their values."""
    for clamp in clamps:
        states = states.index_copy(1, clamp.numbers, clamp.values.to(states).expand(len(states), -1))
    return states


def hyperbolic_(values: Tensor) -> Tensor:
    """The hyperbolic tangent in place, as 2σ(2x) − 1, to a rounding of float32; torch's own takes thrice as long."""
    return values.mul_(2).sigmoid_().mul_(2).sub_(1)
