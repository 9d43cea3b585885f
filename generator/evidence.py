"""What stands beside every synthetic image: how it does against natural ones, small changes and another seed.

The numbers are of the pixels that the reader sees, read back from eight bits, by the network in float32. Where
one is worse than its threshold, a sentence warns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.model import Model
from generator.readouts import image_of, resized

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")

BATCH = 32  # natural images at once
MOST = 600  # natural images that are looked at

# A picture that claims to show what a unit wants most must beat what it was given: by the meaning of a maximum.
BEST = 1.0  # activation over the best natural image's
# The rest are our choice. Half: a picture should keep more than it loses when it moves by a twentieth.
KEPT = 0.5
# Three standard deviations: where one natural image in several hundred lies.
SPECTRUM = 3.0
# Of the other units, how many must be less like a picture's twin from another seed; chance is one half.
AGREES = 0.75
# In the checkpoint before this one: how many natural images the picture must beat to show what lasted.
TRANSFERS = 0.9


@dataclass(frozen=True)
class Evidence:
    """Of one synthetic image: numbers by name, and sentences where one fails."""

    measures: dict[str, float]
    warnings: list[str] = field(default_factory=list)


def natural_images(inputs: Inputs, dataset: str, split: str, height: int, width: int) -> NDArray[np.uint8]:
    """Up to MOST images spread over a data set, at the size of the synthetic ones: (images, height, width, 3)."""
    pixels = inputs.images(dataset, split).pixels
    chosen = np.unique(np.linspace(0, len(pixels) - 1, min(MOST, len(pixels))).round().astype(int))
    found = pixels[chosen]
    found = found.repeat(3, axis=3) if found.shape[3] == 1 else found
    return np.stack([resized(one, width, height) for one in found])


def gather(
    inputs: Inputs,
    objective: interp.objectives.Objective,
    pixels: NDArray[np.uint8],
    before: Sequence[float],
    natural: NDArray[np.uint8] | None = None,
    twins: NDArray[np.uint8] | None = None,
    units: Sequence[int] = (),
) -> list[Evidence]:
    """Evidence of each synthetic image, (images, height, width, 3), whose objective this is.

    before: the objective on the noise that each began as, its rest where there are no natural images. twins: the
    same units grown from other seeds. units: numbers of the units in the objective's layer, which do not count
    when twins are compared: they are high in both because they were asked to be.
    """
    model, rows = inputs.model, torch.arange(len(pixels))
    images = tensor(model, pixels)
    activations = scores(model, objective, images, rows)
    rest = torch.tensor(before, dtype=torch.float64)
    measures: list[dict[str, float]] = [{"activation": value} for value in activations.tolist()]

    def note(name: str, values: Tensor) -> None:
        for one, value in zip(measures, values.tolist(), strict=True):
            one[name] = value

    if natural is not None:
        usual = natural_scores(model, objective, natural)  # (images, natural)
        rest, best = usual.median(1).values, usual.max(1).values
        note("natural.best", best)
        # From the median up, since an activation has no zero of its own.
        note("natural.times", (activations - rest) / (best - rest).clamp_min(1e-12))
        note("natural.percentile", percentiles(activations, usual))
        note("spectrum", interp.evidence.spectral_distance(images.cpu(), tensor(model, natural).cpu()))
        earlier = inputs.earlier
        if earlier is not None:
            there = scores(earlier, objective, images, rows)
            note("earlier.percentile", percentiles(there, natural_scores(earlier, objective, natural)))
    kept = interp.evidence.retained(lambda changed: scores(model, objective, changed, rows), images, rest)
    for kind, shares in kept.items():
        note(f"kept.{kind}", shares)
    if twins is not None and len(pixels) > 1:
        layer = objective.layers[0]
        features = [
            interp.objectives.positions(outputs(model, objective, tensor(model, some))[layer]).mean(2)
            for some in (pixels, twins)
        ]
        others = [number for number in range(features[0].shape[1]) if number not in set(units)]
        if others:
            note("agreement", interp.evidence.agreement(*[one[:, others] for one in features]))
    return [Evidence(one, warnings(one, len(natural) if natural is not None else 0)) for one in measures]


def tensor(model: Model, pixels: NDArray[np.uint8]) -> Tensor:
    return interp.pictures.from_pixels(pixels, image_of(model).channels, interp.hooks.device(model.network))


def outputs(model: Model, objective: interp.objectives.Objective, images: Tensor) -> dict[str, Tensor]:
    """What the objective's layers give for images in [0, 1]."""
    with torch.inference_mode():
        return interp.hooks.activations(model.network, model.normalise(images), *objective.layers)


def scores(model: Model, objective: interp.objectives.Objective, images: Tensor, rows: Tensor) -> Tensor:
    """The objective of image `rows[i]` on image i, (images,), float64."""
    return objective.score(outputs(model, objective, images), rows).double().cpu()


def natural_scores(model: Model, objective: interp.objectives.Objective, natural: NDArray[np.uint8]) -> Tensor:
    """The objective of every synthetic image on every natural one, (images, natural), float64."""
    found = []
    for start in range(0, len(natural), BATCH):
        output = outputs(model, objective, tensor(model, natural[start : start + BATCH]))
        count = len(next(iter(output.values())))
        rows = [torch.tensor(number).expand(count) for number in range(objective.images)]
        found.append(torch.stack([objective.score(output, row) for row in rows]).double().cpu())
    return torch.cat(found, 1)


def percentiles(values: Tensor, usual: Tensor) -> Tensor:
    """Of each value, (images,), the share of its own row of natural ones, (images, natural), that lies below it."""
    rows = [interp.evidence.percentile(value[None], row) for value, row in zip(values, usual, strict=True)]
    return torch.cat(rows)


def warnings(measures: dict[str, float], natural: int) -> list[str]:
    """A sentence for everything that fails."""
    found = []
    if measures.get("natural.times", BEST) < BEST:
        found.append(f"the best of {natural} natural images excites it more")
    worst, kept = min(((kind, measures[f"kept.{kind}"]) for kind in ("shift", "scale", "jpeg")), key=lambda one: one[1])
    if kept < KEPT:
        change = {"shift": "moved by a twentieth", "scale": "a tenth larger or smaller", "jpeg": "compressed as JPEG"}
        found.append(f"fragile: it keeps {max(0.0, kept):.0%} of its effect when {change[worst]}")
    if measures.get("spectrum", 0.0) > SPECTRUM:
        found.append(f"its frequencies are unlike natural ones by {measures['spectrum']:.1f} standard deviations")
    if measures.get("earlier.percentile", 1.0) < TRANSFERS:
        share = 1 - measures["earlier.percentile"]
        found.append(f"in the checkpoint before this one, {share:.0%} of natural images excite it more")
    if measures.get("agreement", 1.0) < AGREES:
        found.append("from another seed it looks more like other units")
    return found
