"""What is ascended: from the outputs of layers to one score per image, (batch,). Larger is better; nothing is negated.

The unit is given per image, so that one batch can hold the pictures of several units. Objectives add up, and
are weighted by multiplying: `channel("conv2", [3, 4]) + 0.1 * diversity("conv2", 2)`.

A layer's output is (batch, channels, height, width) of a convolution, (batch, tokens, channels) of a transformer,
or (batch, channels); the layer `hooks.OUTPUT` is what the whole network returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from .hooks import OUTPUT, positions

FLOOR = 0.1  # of a cosine: at 0 an image that begins on the far side would have no slope to climb

Score = Callable[[Mapping[str, Tensor], Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """`score(outputs by layer, rows)` is (batch,); `rows`, (batch,), says which of the `images` images are looked at.

    Images of one group of `group` neighbours depend on each other, so they are always looked at together.
    """

    layers: tuple[str, ...]
    images: int
    score: Score
    group: int = 1

    def __add__(self, other: Objective) -> Objective:
        if self.images != other.images:
            raise ValueError(f"objectives of {self.images} and of {other.images} images cannot be added")
        if self.group != other.group and 1 not in (self.group, other.group):
            raise ValueError(f"groups of {self.group} and of {other.group} images do not fit each other")
        layers = tuple(dict.fromkeys((*self.layers, *other.layers)))
        group = max(self.group, other.group)
        return Objective(
            layers, self.images, lambda found, rows: self.score(found, rows) + other.score(found, rows), group
        )

    def __mul__(self, weight: float) -> Objective:
        return replace(self, score=lambda found, rows: weight * self.score(found, rows))

    __rmul__ = __mul__


def channel(layer: str, channels: Sequence[int]) -> Objective:
    """Mean over all positions of channel `channels[i]` in image i."""
    chosen = torch.as_tensor(channels)

    def score(found: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        return own(positions(found[layer]), chosen, rows).mean(1)

    return Objective((layer,), len(chosen), score)


def neuron(layer: str, channels: Sequence[int], position: tuple[int, int] | None = None) -> Objective:
    """Channel `channels[i]` in image i at one position, (row, column); at the centre if not given.

    Of a transformer's layer the position is (token, 0), and there is no centre: give one.
    """
    chosen = torch.as_tensor(channels)

    def score(found: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        activation = found[layer]
        if activation.ndim == 4:
            row, column = position or (activation.shape[2] // 2, activation.shape[3] // 2)
            activation = activation[:, :, row, column]
        elif activation.ndim == 3:
            if position is None:
                raise ValueError(f"layer {layer} gives tokens, which have no centre; name a position")
            activation = activation[:, position[0]]
        return own(activation.unsqueeze(2), chosen, rows).squeeze(1)

    return Objective((layer,), len(chosen), score)


def logit(classes: Sequence[int], layer: str = OUTPUT) -> Objective:
    """The score of class `classes[i]` before the softmax in image i.

    Not the probability, which can also be raised by making all other classes less likely
    (Simonyan, Vedaldi and Zisserman, 2013, https://arxiv.org/abs/1312.6034).
    """
    return channel(layer, classes)


def direction(layer: str, directions: Tensor, power: float = 0.0) -> Objective:
    """Mean over positions of dot × max(cosine, FLOOR) ** power with direction i, (images, channels), in image i.

    The cosine keeps an ascent on the direction itself, where the dot product alone would also take a long vector
    that is nearly orthogonal to it (Carter et al., 2019, https://distill.pub/2019/activation-atlas).
    """

    def score(found: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        activation = positions(found[layer])
        wanted = directions.to(activation)[rows.to(activation.device)].unsqueeze(2)
        return aligned(activation, wanted, power).mean(1)

    return Objective((layer,), len(directions), score)


def caricature(layer: str, targets: Tensor, power: float = 1.0) -> Objective:
    """Like `direction`, but at each position towards what the layer gave there for another image.

    targets: the layer's output, (images, ...), of the images to exaggerate
    (Olah et al., 2018, https://distill.pub/2018/building-blocks; Cammarata et al., 2020).
    """
    wanted = positions(targets)

    def score(found: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        activation = positions(found[layer])
        return aligned(activation, wanted.to(activation)[rows.to(wanted.device)], power).mean(1)

    return Objective((layer,), len(targets), score)


def energy(layer: str, images: int) -> Objective:
    """Mean square of all that a layer says: whatever it sees, let it see more of it (Mordvintsev et al., 2015)."""
    return Objective((layer,), images, lambda found, rows: found[layer].float().flatten(1).square().mean(1))


def nearness(layer: str, targets: Tensor) -> Objective:
    """One minus the squared distance of the layer's output to `targets`, over their squared length: 1 where equal.

    Added to a unit's objective it holds an accentuated image near the real one, position by position, so the image
    should not be moved meanwhile (Hamblin et al., 2024, https://arxiv.org/abs/2402.10039).
    """
    length = targets.flatten(1).square().sum(1).clamp_min(1e-12)

    def score(found: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        rows = rows.to(targets.device)
        distance = (found[layer].float() - targets[rows].to(found[layer].device)).flatten(1).square().sum(1)
        return 1 - distance / length[rows].to(distance)

    return Objective((layer,), len(targets), score)


def diversity(layer: str, images: int, group: int | None = None) -> Objective:
    """How unlike the images of each group are: one minus the mean cosine of their Gram matrices.

    It is added to a unit's objective, so that several images of one unit show its several sides
    (Olah, Mordvintsev and Schubert, 2017, https://distill.pub/2017/feature-visualization).
    """
    group = group or images
    if group < 2 or images % group:
        raise ValueError(f"{images} images are not groups of {group}")

    def score(found: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        activation = positions(found[layer]).float()  # (batch, channels, positions)
        gram = F.normalize((activation @ activation.transpose(1, 2)).flatten(1), dim=1)
        gram = gram.view(-1, group, gram.shape[1])  # (groups, group, channels ** 2)
        # Of each image with all of its group, less with itself: (groups, group).
        others: Tensor = (gram @ gram.transpose(1, 2)).sum(2) - 1
        return 1 - (others / (group - 1)).flatten()

    return Objective((layer,), images, score, group)


def own(activation: Tensor, chosen: Tensor, rows: Tensor) -> Tensor:
    """Of each image its own channel: (batch, channels, positions) to (batch, positions), float32."""
    index = chosen.to(activation.device)[rows.to(activation.device)]
    return activation[torch.arange(len(activation), device=activation.device), index].float()


def aligned(activation: Tensor, wanted: Tensor, power: float) -> Tensor:
    """dot × max(cosine, FLOOR) ** power over channels; (batch, channels, positions) twice to (batch, positions)."""
    activation, wanted = activation.float(), wanted.float()
    dot = (activation * wanted).sum(1)
    if not power:
        return dot
    return dot * F.cosine_similarity(activation, wanted, dim=1).clamp_min(FLOOR) ** power
