"""A reader of any network: its units are found in what enters its modules, and in what they give.

A group of units lies at a site. What a network of a known family holds where is told by `transformers`; of any other
network, every module that gives (batch, time, width) is a site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .hooks import device, first_tensor, shapes
from .reading import Clamp, Reading, Tokens
from .tokenising import Tokenizer

TRIAL = 8  # tokens of a text on which it is tried what a network depends on


class Units(Protocol):
    """What is read from a vector, and written into it."""

    @property
    def count(self) -> int:
        """How many units there are."""

    def read(self, values: Tensor) -> Tensor:
        """(batch, time, width) to (batch, time, units)."""

    def hold(self, values: Tensor, clamp: Clamp) -> Tensor:
        """The same vectors, changed so that some units have the values of the clamp."""


@dataclass(frozen=True)
class Directions:
    """Each number of the vector is a unit: neurons, or directions of a residual stream."""

    count: int

    def read(self, values: Tensor) -> Tensor:
        return values

    def hold(self, values: Tensor, clamp: Clamp) -> Tensor:
        numbers = clamp.numbers.to(values.device)
        return values.index_copy(-1, numbers, clamp.values.to(values).expand(*values.shape[:-1], -1))


class Heads:
    """Heads of attention: the length of the vector that each adds to the residual stream at a token.

    That vector is what the head gathers, a part of what enters the output projection, times its rows of that
    projection. Its length says how much the head does, which its weights do not (Kobayashi et al., 2020,
    https://arxiv.org/abs/2004.10102). A head is held at a length by scaling its vector; at 0 it does nothing.
    """

    def __init__(self, projection: Tensor, count: int) -> None:
        """projection: (heads * width of a head, width of the stream)."""
        self.count = count
        rows = projection.reshape(count, -1, projection.shape[1])  # (heads, width of a head, stream)
        self.products = rows @ rows.transpose(1, 2)  # of rows with each other, so that no vector need be formed

    def read(self, values: Tensor) -> Tensor:
        gathered = self.parts(values)  # (batch, time, heads, width of a head)
        squares: Tensor = torch.einsum("bthi,hij,bthj->bth", gathered, self.products, gathered)
        return squares.clamp_min(0).sqrt()

    def hold(self, values: Tensor, clamp: Clamp) -> Tensor:
        numbers = clamp.numbers.to(values.device)
        lengths = self.read(values)
        factors = torch.ones_like(lengths)
        factors[..., numbers] = clamp.values.to(values) / lengths[..., numbers].clamp_min(1e-12)
        return (self.parts(values) * factors[..., None]).flatten(-2)

    def parts(self, values: Tensor) -> Tensor:
        """What each head gathers: (batch, time, heads, width of a head)."""
        return values.reshape(*values.shape[:-1], self.count, -1)


@dataclass(frozen=True)
class Site:
    """Where the units of a group are: in what enters a module, else in what it gives."""

    module: nn.Module
    entering: bool
    units: Units


@contextmanager
def changed(site: Site, change: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Call `change` on the vectors at a site as the network runs; what it returns, if anything, takes their place."""

    def before(module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if args:
            other = change(args[0])
            return None if other is None else ((other, *args[1:]), named)
        other = change(named["hidden_states"])
        return None if other is None else (args, {**named, "hidden_states": other})

    def after(module: nn.Module, args: Any, output: Any) -> Any:
        other = change(first_tensor(output))
        return (other, *output[1:]) if other is not None and isinstance(output, tuple) else other

    if site.entering:
        handle = site.module.register_forward_pre_hook(before, with_kwargs=True)
    else:
        handle = site.module.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


def given(network: nn.Module, context: int = TRIAL) -> dict[str, Site]:
    """A group for each module whose output is (batch, time, width), under the module's name.

    Tried on a text of no more than `context` tokens, which is what the network reads at once.
    """
    trial = torch.zeros(2, min(TRIAL, context), dtype=torch.long, device=device(network))
    modules = dict(network.named_modules())
    return {
        name: Site(modules[name], False, Directions(shape[2]))
        for name, shape in shapes(network, trial).items()
        if len(shape) == 3 and shape[:2] == trial.shape
    }


@dataclass(frozen=True)
class Hooked:
    """Any network as a reader, which sees `context` tokens at once; what comes of them is found by hooks.

    run: ids, which of them are no filling, both (batch, time), and a state or None; to logits, (batch, time, tokens of
    the vocabulary), None where the network has none, and to the state after them, such as keys and values of all
    tokens so far, None where it keeps none. After a state no token is filling. masked: whether it heeds which are.
    attention: ids, (time,), to the weights of its heads, (layers, heads, time, time). unembed: a residual stream,
    (…, width), to logits. Both None where it has no such.
    """

    network: nn.Module
    sites: Mapping[str, Site]
    tokenizer: Tokenizer
    context: int
    run: Callable[[Tensor, Tensor, Any], tuple[Tensor | None, Any]]
    masked: bool = True
    attention: Callable[[Tensor], Tensor] | None = None
    unembed: Callable[[Tensor], Tensor] | None = None

    @cached_property
    def groups(self) -> Mapping[str, int]:
        """How many units are in each."""
        return {name: site.units.count for name, site in self.sites.items()}

    @cached_property
    def causal(self) -> bool:
        """Whether another last token changes nothing before it: tried, not believed."""
        ids = torch.zeros(2, min(TRIAL, self.context), dtype=torch.long)
        ids[1, -1] = 1
        read = self.observed(ids, torch.ones_like(ids, dtype=torch.bool), tuple(self.groups), (), True)
        found = [read.activations] + ([read.logits] if read.logits is not None else [])
        return all(torch.allclose(one[0, :-1], one[1, :-1], rtol=1e-3, atol=1e-5) for one in found)

    @property
    def special(self) -> frozenset[int]:
        """Tokens that stand for no text."""
        return self.tokenizer.special

    def tokens(self, text: str) -> Tokens:
        """The text as the network reads it."""
        return self.tokenizer.tokens(text)

    def token(self, number: int) -> str:
        """What a token of the vocabulary stands for."""
        return self.tokenizer.decode([number])

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say, one after another."""
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
        """Reads on from `state` if there is one; gives one if all rows are whole, so that all end at one place.

        A network that heeds no mask reads texts of several lengths one by one.
        """
        ends = torch.full((len(ids),), ids.shape[1]) if lengths is None else lengths
        there = torch.arange(ids.shape[1]) < ends[:, None]  # (batch, time)
        if self.masked or bool(there.all()) or self.causal:
            return self.observed(ids, there, groups, clamps, logits, state)
        alone = [
            self.observed(row[None, :end], mask[None, :end], groups, clamps, logits)
            for row, mask, end in zip(ids, there, ends.tolist(), strict=True)
        ]
        return Reading(
            filled([one.activations[0] for one in alone], ids.shape[1]),
            filled([one.logits[0] for one in alone if one.logits is not None], ids.shape[1]),
            None,
        )

    @torch.inference_mode()
    def observed(
        self,
        ids: Tensor,
        there: Tensor,
        groups: Sequence[str],
        clamps: Sequence[Clamp],
        logits: bool,
        state: Any = None,
    ) -> Reading:
        """One pass of the network; a unit that is held is read as it is held."""
        found: dict[str, Tensor] = {}

        def look(group: str) -> Callable[[Tensor], None]:
            return lambda values: found.__setitem__(group, self.sites[group].units.read(values).cpu())

        def hold(clamp: Clamp) -> Callable[[Tensor], Tensor]:
            return lambda values: self.sites[clamp.group].units.hold(values, clamp)

        place = device(self.network)
        with ExitStack() as hooks:
            for clamp in clamps:
                hooks.enter_context(changed(self.sites[clamp.group], hold(clamp)))
            for group in groups:
                hooks.enter_context(changed(self.sites[group], look(group)))
            scores, state = self.run(ids.to(place), there.to(place), state)
        joined = torch.cat([found[group].float() for group in groups], 2) if groups else torch.zeros(*ids.shape, 0)
        return Reading(
            joined,
            scores.float().cpu() if logits and scores is not None else None,
            state if bool(there.all()) else None,
        )


def filled(rows: Sequence[Tensor], time: int) -> Any:
    """Rows of several lengths as one tensor, (batch, time, …), zeros after their ends; None of no rows."""
    if not rows:
        return None
    joined = rows[0].new_zeros(len(rows), time, *rows[0].shape[1:])
    for whole, row in zip(joined, rows, strict=True):
        whole[: len(row)] = row
    return joined
