"""Feature visualisation whole: what excites units, many at once, as fast as the network runs on this machine.

    found = visualise(network, channel("layer3", range(16)), Fourier(range(16), 128, 128), normalise=normalise)

No more of the network runs than the objective looks at; its weights are frozen, its batch norms folded. A seed
gives the same image on the same machine, whatever other units are asked for with it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .ascent import Ascended, Progress, ascend
from .hooks import activations
from .objectives import Objective
from .pace import Pace, measured, outputs, prepared
from .parameterisation import Parameterisation
from .transforms import Crops, Motions, Wobble

Normalise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Visualised:
    """images: (images, channels, height, width), in [0, 1], on the CPU. steps: (images,), that each one took.

    activations, before: (images,), the objective on the finished images, encoded in eight bits and read back, and
    on those from which the ascent began; by the network as it was given, in float32. slopes: (images, height, width),
    how strongly the objective depended on each pixel, summed over the ascent.
    """

    images: Tensor
    activations: Tensor
    before: Tensor
    steps: Tensor
    slopes: Tensor


def visualise(
    network: nn.Module,
    objective: Objective,
    picture: Parameterisation,
    *,
    normalise: Normalise = lambda images: images,
    transform: Wobble | Crops | None = None,
    seeds: Sequence[int] | None = None,
    steps: int = 160,
    rate: float = 0.03,
    flat: float = 0.02,
    pace: Pace | None = None,
    progress: Progress = lambda done, total: None,
    name: str = "the objective",
) -> Visualised:
    """Raise the objective on each image of `picture`.

    transform: what the images must survive; None for a Wobble's defaults. seeds: of their motions, one of each
    image; their numbers if not given. flat: the share of all gain below which the last 32 steps end an image's
    climb; 0 takes all `steps`. pace: how to run; measured if not given. `name` says what is ascended where it stops
    being a number (ValueError).
    """
    with torch.no_grad():
        example = picture.part(0, 1).images()
    height, width = example.shape[-2:]
    transform = Wobble() if transform is None else transform
    if isinstance(transform, Crops) and objective.group > 1:
        raise ValueError("images that depend on each other cannot be looked at in crops")
    seeds = range(objective.images) if seeds is None else seeds
    if not len(picture.values[0]) == objective.images == len(seeds):
        raise ValueError(
            f"{len(picture.values[0])} images and {len(seeds)} seeds for an objective of {objective.images}"
        )
    if pace is None:
        pace = measured(
            network, objective.layers, normalise(transform.motions([0], 1, height, width).apply(example, 0)[:1])
        )
    quick = prepared(network, objective.layers, pace)
    exact = copy.deepcopy(network).eval()  # whatever mode the network was left in
    finished, before, taken, slopes = [], [], [], []
    size = max(1, pace.batch // objective.group) * objective.group  # whole groups, and at least one
    chunks = [(start, min(start + size, objective.images)) for start in range(0, objective.images, size)]
    for number, (start, stop) in enumerate(chunks):
        rows, piece = torch.arange(start, stop), picture.part(start, stop)
        if not pace.alike:
            rows, piece = filled_up(rows, piece, objective.group, size)
        motions = transform.motions([seeds[row] for row in rows.tolist()], steps, height, width)

        def done(step: int, total: int, number: int = number) -> None:
            progress(number * total + step, len(chunks) * total)

        with torch.no_grad():
            before.append(evaluated(exact, objective, piece.images(), normalise, rows)[: stop - start])
        climbed = climb(quick, objective, piece, rows, motions, normalise, steps, rate, flat, pace, done, name)
        finished.append(climbed.images[: stop - start])
        taken.append(climbed.steps[: stop - start])
        slopes.append(climbed.slopes[: stop - start].cpu())
    images = torch.cat(finished)
    encoded = (images * 255).round() / 255
    reached = [
        evaluated(exact, objective, encoded[start:stop], normalise, torch.arange(start, stop)) for start, stop in chunks
    ]
    return Visualised(images.cpu(), torch.cat(reached), torch.cat(before), torch.cat(taken), torch.cat(slopes))


def filled_up(rows: Tensor, piece: Parameterisation, group: int, size: int) -> tuple[Tensor, Parameterisation]:
    """A batch of `size` images: copies of the first group stand for those that it lacks.

    So no rounding depends on what else is asked for, where a network rounds otherwise in a smaller batch.
    """
    copies = (size - len(rows)) // group
    if copies:
        rows = torch.cat([rows, rows[:group].repeat(copies)])
        values = [torch.cat([value, *[value[:group]] * copies]) for value in piece.values]
        piece.values = [value.detach().requires_grad_() for value in values]
    return rows, piece


def climb(
    network: nn.Module,
    objective: Objective,
    piece: Parameterisation,
    rows: Tensor,
    motions: Motions,
    normalise: Normalise,
    steps: int,
    rate: float,
    flat: float,
    pace: Pace,
    progress: Progress,
    name: str,
) -> Ascended:
    """One batch."""
    device = piece.values[0].device
    motions, rows = motions.to(device), rows.to(device)
    looked_at = rows.repeat_interleave(motions.copies)

    def score(images: Tensor) -> Tensor:
        found = objective.score(outputs(network, normalise(images), objective.layers, pace), looked_at)
        return found.view(-1, motions.copies).mean(1)

    def look(images: Tensor) -> Tensor:
        return objective.score(outputs(network, normalise(images), objective.layers, pace), rows)

    return ascend(
        piece,
        score,
        steps=steps,
        rate=rate,
        transform=motions.apply,
        look=look,
        flat=flat,
        progress=progress,
        name=name,
    )


@torch.no_grad()
def evaluated(network: nn.Module, objective: Objective, images: Tensor, normalise: Normalise, rows: Tensor) -> Tensor:
    """The objective on images as they are, in float32, (images,), on the CPU."""
    found = activations(network, normalise(images.float()), *objective.layers)
    return objective.score(found, rows.to(images.device)).float().cpu()
