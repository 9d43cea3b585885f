"""The loop that makes a picture: from noise, step by step, up the gradient of a score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .parameterisation import Parameterisation

Progress = Callable[[int, int], None]  # steps done, steps in all
EVERY = 16  # steps between two looks at how far the ascent has come


@dataclass(frozen=True)
class Ascended:
    """images: (batch, channels, height, width), in [0, 1]; steps: (batch,), after which each image stood still.

    slopes: (batch, height, width), |d score / d pixel|, the sum over channels and all steps.
    """

    images: Tensor
    steps: Tensor
    slopes: Tensor


class Adam:
    """Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980, upwards, each image at a rate of its own.

    Ours, because the first torch.optim of a process imports the compiler, some 800 modules.
    """

    def __init__(self, values: Sequence[Tensor], betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8):
        self.values, self.betas, self.epsilon = values, betas, epsilon
        self.means = [torch.zeros_like(value) for value in values]
        self.squares = [torch.zeros_like(value) for value in values]
        self.steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rates: Tensor) -> None:
        """rates: (batch,)."""
        self.steps += 1
        first, second = self.betas
        for value, gradient, mean, square in zip(self.values, gradients, self.means, self.squares, strict=True):
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            root = (square / (1 - second**self.steps)).sqrt_().add_(self.epsilon)
            each = (rates / (1 - first**self.steps)).view(-1, *[1] * (value.ndim - 1))
            value.add_((mean / root).mul_(each))


def ascend(
    picture: Parameterisation,
    score: Callable[[Tensor], Tensor],
    *,
    steps: int,
    rate: float,
    transform: Callable[[Tensor, int], Tensor] = lambda images, step: images,
    look: Callable[[Tensor], Tensor] | None = None,
    flat: float = 0.0,
    progress: Progress = lambda done, total: None,
    name: str = "the score",
) -> Ascended:
    """Raise score(transform(images, step)) by Adam for up to `steps` steps, the rate falling over the second half.

    The fall takes off the grain that random transforms leave: a step is an answer to one motion, the mean of
    many to none in particular. An image whose `look`, its score without transforms, gained less in the last 32
    steps than the share `flat` of all that it gained has arrived: its fall begins there, and is as long as its
    climb was.

    score: (batch, channels, height, width) to (batch,). Each image climbs its own score: Adam goes by
    element, and the sum has no terms in common. `name` says what is ascended where it stops being a number.
    """
    adam = Adam(picture.values)
    device = picture.values[0].device
    turns = torch.full((len(picture.values[0]),), steps / 2)  # the step at which each image's rate begins to fall
    looks: list[Tensor] = []
    bad = torch.full((2,), -1.0, device=device)  # the first step that gave no number, and what it gave
    with torch.no_grad():
        slopes = torch.zeros_like(picture.images()[:, 0])
    step = 0
    while step < steps:
        if step % EVERY == 0:
            _complain(bad, steps, name)
            if look is not None and flat:
                with torch.no_grad():
                    looks.append(look(picture.images()).float().cpu())
                turns = torch.where(_arrived(looks, flat) & (turns > step), float(step), turns)
        rates = rate * (2 - step / turns).clamp(0, 1)  # (batch,)
        if not bool(rates.any()):
            break
        images = picture.images()
        each = score(transform(images, step))  # (batch,)
        slope, *gradients = torch.autograd.grad(each.sum(), [images, *picture.values])
        slopes += slope.abs().sum(1)
        adam.step(gradients, rates.to(device))
        step += 1
        # Noted on the device and told at the next look: asking at each step would wait for a GPU each time.
        total = each.detach().sum()
        bad = torch.where((bad[0] < 0) & ~total.isfinite(), torch.stack([total.new_tensor(float(step)), total]), bad)
        progress(step, steps)
    _complain(bad, steps, name)
    if step < steps:
        progress(steps, steps)
    with torch.no_grad():
        return Ascended(picture.images(), (2 * turns).clamp(max=step).long(), slopes)


def _arrived(looks: Sequence[Tensor], flat: float) -> Tensor:
    """Of which images the last two looks brought nearly nothing, (batch,)."""
    if len(looks) < 3:
        return torch.zeros_like(looks[0], dtype=torch.bool)
    best = torch.stack(list(looks[:-2])).amax(0)
    return looks[-1] - best <= flat * (looks[-1] - looks[0]).abs()


def _complain(bad: Tensor, steps: int, name: str) -> None:
    first, value = bad.tolist()
    if first >= 0:
        raise ValueError(f"{name} is {value} at step {first:.0f} of {steps}; is a weight not a number?")
