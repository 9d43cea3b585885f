"""Training of character networks, a step at a time, so that it can be stopped anywhere and gone on with.

What a training holds besides its plan are tensors: put back, they lead to the very weights that the training would
have had, had it never been stopped.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .recurrent import CharRNN, State, detached

MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # what AdamW keeps of each parameter
TRIAL_WINDOW = 16  # characters of a stream that a trial of the pace reads in a step
TRIALS = 3  # steps, of which the fastest counts


@dataclass(frozen=True)
class Plan:
    """steps of `batch` streams × `window` characters. rate: at its height, after the share `warm` of the steps.

    clip: the largest norm of the gradient. decay: of weights, per step and rate (Loshchilov and Hutter, 2019,
    https://arxiv.org/abs/1711.05101). seed: where in the text the streams begin. half: products in bfloat16.
    threads: that share out the streams. sparsity: the price, in nats, of hidden units that are all at full activity, an
    L1 penalty (Glorot, Bordes and Bengio, 2011, https://proceedings.mlr.press/v15/glorot11a.html). steadiness: that of
    their mean squared change from one character to the next (Merity, McCann and Socher, 2017,
    https://arxiv.org/abs/1708.01009, equation 3). Neither is part of the losses.
    """

    steps: int
    batch: int
    window: int
    rate: float
    seed: int = 0
    clip: float = 1.0
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warm: float = 0.02
    decay: float = 0.01
    half: bool = False
    threads: int = 1
    sparsity: float = 0.0
    steadiness: float = 0.0

    def rate_at(self, step: int) -> float:
        """Of the step with this number, from 0: it rises in a line, then falls to zero, or stays."""
        warm = max(1, int(self.steps * self.warm))
        if step < warm:
            return self.rate * ((step + 1) / warm)
        left = max(0.0, (self.steps - step) / max(1, self.steps - warm))  # 1 at the height, 0 after the last step
        if self.schedule == "linear":
            return self.rate * left
        if self.schedule == "cosine":
            return self.rate * ((1 - math.cos(math.pi * left)) / 2)
        return self.rate


class Training:
    """Minimise next-character cross-entropy by truncated backpropagation through time with carried state.

    text: (characters,) indices, of any integer type. It is cut into `batch` contiguous streams; each step reads the
    next `window` characters of every stream, and the state flows on without its gradient. ValueError where the text
    is too short for that.

    Threads read streams of their own and meet once a step, when their gradients are added up. Torch's own threads
    would meet at every character, and in a small network wait for each other more than they work.

    Its `plan` is not `half` where this machine has no such products.
    """

    def __init__(self, network: CharRNN, text: Tensor, plan: Plan) -> None:
        length = len(text) // plan.batch
        self.windows = (length - 1) // plan.window
        if self.windows < 1:
            raise ValueError(
                f"{len(text)} characters are too few for {plan.batch} streams of {plan.window + 1}: "
                f"give a longer text, or a smaller batch or window"
            )
        generator = torch.Generator().manual_seed(plan.seed)
        offset = int(torch.randint(len(text), (), generator=generator))
        self.streams = text.roll(-offset)[: length * plan.batch].view(plan.batch, length)
        self.network, self.plan = network, replace(plan, half=plan.half and halves_run())
        self.parameters = list(network.parameters())
        self.parts = min(plan.threads, plan.batch)
        self.each = map if self.parts == 1 else ThreadPoolExecutor(self.parts).map
        self.optimiser = torch.optim.AdamW(self.parameters, lr=plan.rate, weight_decay=plan.decay, fused=True)
        self.done = 0  # steps
        self.carried: State = None

    def step(self) -> float:
        """The loss of one step more, in nats per character.

        FloatingPointError where it, or its gradient, is not a number; then the weights are those of the step before.
        """
        plan, position = self.plan, self.done % self.windows
        chunk = self.streams[:, position * plan.window : (position + 1) * plan.window + 1].long()
        carried = split(self.carried if position else None, self.parts)
        found = list(self.each(self.gradients, chunk.tensor_split(self.parts), carried))
        value = math.fsum(loss for loss, _, _ in found)
        for number, parameter in enumerate(self.parameters):
            parameter.grad = torch.stack([gradients[number] for _, gradients, _ in found]).sum(0)
        norm = nn.utils.clip_grad_norm_(self.parameters, plan.clip)
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise FloatingPointError(f"in step {self.done + 1} the loss or its gradient is no number")
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(self.done)
        self.optimiser.step()
        self.carried = joined([state for _, _, state in found])
        self.done += 1
        return value

    def gradients(self, chunk: Tensor, carried: State) -> tuple[float, tuple[Tensor, ...], State]:
        """What some of the streams, (streams, window + 1), add to the loss and to its gradients; their state after."""
        # Entered anew at each step: autocast keeps its copies of the weights until it is left.
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.half):
            hidden, state = self.network.rnn(self.network.embedding(chunk[:, :-1]), carried)
            logits = self.network.head(hidden)
        total = F.cross_entropy(logits.flatten(0, 1).float(), chunk[:, 1:].flatten(), reduction="sum")
        loss = total / (self.plan.batch * self.plan.window)
        # Means over units and characters, of which these streams have a share.
        hidden, share = hidden.float(), len(chunk) / self.plan.batch
        activity, change = hidden.abs().mean(), hidden.diff(dim=1).square().mean()
        price = share * (self.plan.sparsity * activity + self.plan.steadiness * change)
        gradients = torch.autograd.grad(loss + price, self.parameters)
        return float(loss.detach()), gradients, detached(state)

    def state(self) -> dict[str, Tensor]:
        """All that the next steps depend on besides network, text and plan; a copy, in float32."""
        found = {"done": torch.tensor(self.done)}
        for number, parameter in enumerate(self.parameters):
            found[f"weight.{number}"] = parameter.detach()
            found |= {f"{name}.{number}": self.optimiser.state[parameter][name] for name in MOMENTS if self.done}
        carried = self.carried if isinstance(self.carried, tuple) else [self.carried]
        found |= {f"carried.{number}": part.float() for number, part in enumerate(carried) if part is not None}
        return {name: tensor.clone() for name, tensor in found.items()}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a `state` of a training of the same network, text and plan."""
        self.done = int(state["done"])
        for number, parameter in enumerate(self.parameters):
            parameter.copy_(state[f"weight.{number}"])
            self.optimiser.state[parameter] = {name: state[f"{name}.{number}"].clone() for name in MOMENTS if self.done}
        carried = tuple(state[f"carried.{number}"].clone() for number in range(2) if f"carried.{number}" in state)
        self.carried = None if not carried else carried if len(carried) == 2 else carried[0]


@cache
def halves_run() -> bool:
    """Whether recurrent networks run in bfloat16 here: oneDNN has no such LSTM for processors without AVX-512."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(8, 8)(torch.zeros(1, 1, 8))
    except RuntimeError:
        return False
    return True


def split(state: State, parts: int) -> Sequence[State]:
    """By streams; each tensor is (layers, streams, width)."""
    if state is None:
        return [None] * parts
    if isinstance(state, Tensor):
        return state.tensor_split(parts, 1)
    hidden, cell = (one.tensor_split(parts, 1) for one in state)
    return list(zip(hidden, cell, strict=True))


def joined(states: Sequence[State]) -> State:
    """What `split` took apart."""
    if isinstance(states[0], tuple):
        hidden, cell = zip(*states, strict=True)
        return torch.cat(hidden, 1), torch.cat(cell, 1)
    return torch.cat(states, 1)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Pace:
    """How a training runs fastest on a machine."""

    threads: int
    half: bool


def doublings() -> list[int]:
    """Numbers of threads worth a trial: 1, 2, 4, … up to the number of cores."""
    return [2**power for power in range((os.cpu_count() or 1).bit_length())]


def measured(network: CharRNN, plan: Plan, threads: Sequence[int], halves: Sequence[bool] = (False, True)) -> Pace:
    """The pace of the fastest steps, tried on a copy of the network, for each of `halves`.

    `threads` rise, and are tried as long as more of them help.
    """
    trial = Plan(TRIALS, plan.batch, TRIAL_WINDOW, plan.rate)
    text = torch.randint(network.embedding.num_embeddings, (plan.batch * (TRIALS * TRIAL_WINDOW + 2),))
    best, fastest = Pace(threads[0], halves[0]), math.inf
    for half in halves:
        before = math.inf
        for count in threads:
            tried = Training(copy.deepcopy(network), text, replace(trial, half=half, threads=count))
            with one_core_each():
                spent = quickest(tried, before)
            if spent < fastest:
                best, fastest = Pace(count, tried.plan.half), spent
            if spent >= before:
                break
            before = spent
    return best


def quickest(training: Training, enough: float) -> float:
    """Seconds of the fastest of a few steps; the first of them warms up, and is the last where it is hopeless."""
    spent = []
    while training.done < TRIALS:
        start = time.perf_counter()
        training.step()
        spent.append(time.perf_counter() - start)
        if spent[0] > 3 * enough:
            break
    return min(spent)


@contextmanager
def one_core_each() -> Iterator[None]:
    """Torch's own operations do not share their work among threads: a training does. Afterwards they do as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
