"""The loop that makes a picture: from noise, step by step, up the gradient of a score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Progress = Callable[[int, int], None]  # steps done, steps in all


class Parameterisation(Protocol):
    """What a picture is made of: leaf tensors, and the images (batch, channels, height, width) that they stand for."""

    values: list[Tensor]

    def images(self) -> Tensor: ...


@dataclass(frozen=True)
class Ascended:
    """images: (batch, channels, height, width), in [0, 1]; scores: (steps, batch), of the transformed images."""

    images: Tensor
    scores: Tensor


class Adam:
    """Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980, upwards.

    Ours, because the first torch.optim of a process imports the compiler, some 800 modules.
    """

    def __init__(
        self, values: Sequence[Tensor], rate: float, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ):
        self.values, self.rate, self.betas, self.epsilon = values, rate, betas, epsilon
        self.means = [torch.zeros_like(value) for value in values]
        self.squares = [torch.zeros_like(value) for value in values]
        self.steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        self.steps += 1
        first, second = self.betas
        for value, gradient, mean, square in zip(self.values, gradients, self.means, self.squares, strict=True):
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            root = (square / (1 - second**self.steps)).sqrt_().add_(self.epsilon)
            value.addcdiv_(mean, root, value=self.rate / (1 - first**self.steps))


def ascend(
    picture: Parameterisation,
    score: Callable[[Tensor], Tensor],
    *,
    steps: int,
    rate: float,
    transform: Callable[[Tensor], Tensor] = lambda images: images,
    progress: Progress = lambda done, total: None,
    name: str = "the score",
) -> Ascended:
    """Raise score(transform(images)) for `steps` steps of Adam, the rate falling to zero over the second half.

    The fall takes off the grain that random transforms leave: a step is an answer to one motion, the mean of
    many to none in particular.

    score: (batch, channels, height, width) to (batch,). Each image climbs its own score: Adam goes by
    element, and the sum has no terms in common. `name` says what is ascended where it stops being a number.
    """
    adam = Adam(picture.values, rate)
    scores = []
    for step in range(steps):
        each = score(transform(picture.images()))  # (batch,)
        if not bool(each.isfinite().all()):
            raise ValueError(f"{name} is {_first_bad(each)} at step {step + 1} of {steps}; is a weight not a number?")
        adam.rate = rate * min(1.0, 2 * (steps - step) / steps)
        adam.step(torch.autograd.grad(each.sum(), picture.values))
        scores.append(each.detach())
        progress(step + 1, steps)
    with torch.no_grad():
        return Ascended(picture.images(), torch.stack(scores).cpu())


def _first_bad(scores: Tensor) -> float:
    return float(scores.detach()[~scores.isfinite()][0])
