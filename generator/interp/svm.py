"""The multiclass support vector machine: its loss, the loss's gradient, and its training.

After the notes of Stanford's CS231n, https://cs231n.github.io/linear-classify/; the loss is that of
Weston and Watkins, 1999.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import torch
from torch import Tensor

MARGIN = 1.0  # by how much the true class must win; the penalty on weights sets what a unit of score is worth


def hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """Sum over the wrong classes of max(0, score - true score + 1).

    scores: (batch, classes); labels: (batch,) indices. Returns (batch,), in units of score.
    """
    true = scores.gather(1, labels[:, None])  # (batch, 1)
    return (scores - true + MARGIN).clamp_min(0).sum(1) - MARGIN  # the true class itself counted one margin


def hinge_gradient(scores: Tensor, labels: Tensor) -> Tensor:
    """Gradient of `hinge`: 1 for each class within the margin, minus their number for the true class."""
    true = scores.gather(1, labels[:, None])
    within = (scores - true + MARGIN > 0).to(scores.dtype).scatter(1, labels[:, None], 0)
    return within.scatter(1, labels[:, None], -within.sum(1, keepdim=True))


def train(
    features: Tensor,
    labels: Tensor,
    classes: int,
    *,
    penalty: Tensor,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    keep: Collection[int] = (),
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Minimise the mean hinge loss + sum of penalty × weight², by stochastic gradient descent from zero.

    features: (examples, features), best of mean 0 and deviation 1; penalty: (features,). Gives the step, the
    weight (classes, features) and the bias (classes,), which has no penalty, at the steps of `keep` and at the
    last. The rate falls linearly to zero, and the answer is the mean of the second half of the iterates (Polyak
    and Juditsky, 1992, https://doi.org/10.1137/0330046); before that half, the iterate itself. `seed` chooses the
    order of the examples.
    """
    generator = torch.Generator().manual_seed(seed)
    batch = min(batch, len(features))
    weight, bias = features.new_zeros(classes, features.shape[1]), features.new_zeros(classes)
    mean_weight, mean_bias = torch.zeros_like(weight), torch.zeros_like(bias)
    order, position, averaged = torch.randperm(len(features), generator=generator), 0, 0
    for step in range(steps):
        if position + batch > len(order):
            order, position = torch.randperm(len(features), generator=generator), 0
        chosen = order[position : position + batch]
        position += batch
        examples = features[chosen]  # (batch, features)
        gradient = hinge_gradient(examples @ weight.T + bias, labels[chosen]) / batch  # (batch, classes)
        now = rate * (1 - step / steps)
        # The penalty's step is taken implicitly: it is stable however stiff the penalty of a feature is.
        weight = (weight - now * gradient.T @ examples) / (1 + 2 * now * penalty)
        bias = bias - now * gradient.sum(0)
        if 2 * step >= steps - 1:
            averaged += 1
            mean_weight += (weight - mean_weight) / averaged
            mean_bias += (bias - mean_bias) / averaged
        if (step + 1) % 50 == 0 or step + 1 == steps:
            report(step + 1, steps)
        if step + 1 in keep or step + 1 == steps:
            yield step + 1, *((mean_weight, mean_bias) if averaged else (weight, bias))
