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
    model, image = inputs.model, image_of(inputs.model)
    device = interp.hooks.device(model.network)

    def outputs(images: Tensor) -> dict[str, Tensor]:
        with torch.inference_mode():
            return interp.hooks.activations(model.network, model.normalise(images), *objective.layers)

    def tensor(some: NDArray[np.uint8]) -> Tensor:
        return interp.pictures.from_pixels(some, image.channels, device)

    rows = torch.arange(len(pixels))
    images = tensor(pixels)
    activations = objective.score(outputs(images), rows).double().cpu()
    rest = torch.tensor(before, dtype=torch.float64)
    measures: list[dict[str, float]] = [{"activation": value} for value in activations.tolist()]

    if natural is not None:
        found = []
        for start in range(0, len(natural), BATCH):
            output = outputs(tensor(natural[start : start + BATCH]))
            count = len(next(iter(output.values())))
            found.append(torch.stack([objective.score(output, row.expand(count)) for row in rows]).double().cpu())
        usual = torch.cat(found, 1)  # (images, natural)
        rest = usual.median(1).values
        best = usual.max(1).values
        spectrum = interp.evidence.spectral_distance(images.cpu(), tensor(natural).cpu())
        for number, one in enumerate(measures):
            one["natural.best"] = float(best[number])
            # From the median up, since an activation has no zero of its own.
            one["natural.times"] = float((activations - rest)[number] / (best - rest)[number].clamp_min(1e-12))
            one["natural.percentile"] = float(
                interp.evidence.percentile(activations[number : number + 1], usual[number])[0]
            )
            one["spectrum"] = float(spectrum[number])

    kept = interp.evidence.retained(
        lambda changed: objective.score(outputs(changed), rows).double().cpu(), images, rest
    )
    for kind, shares in kept.items():
        for one, share in zip(measures, shares.tolist(), strict=True):
            one[f"kept.{kind}"] = share

    if twins is not None and len(pixels) > 1:
        layer = objective.layers[0]
        features = [interp.objectives.positions(outputs(tensor(some))[layer]).mean(2) for some in (pixels, twins)]
        others = [number for number in range(features[0].shape[1]) if number not in set(units)]
        if others:
            agree = interp.evidence.agreement(*[one[:, others] for one in features])
            for one, share in zip(measures, agree.tolist(), strict=True):
                one["agreement"] = share
    return [Evidence(one, warnings(one, len(natural) if natural is not None else 0)) for one in measures]


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
    if measures.get("agreement", 1.0) < AGREES:
        found.append("from another seed it looks more like other units")
    return found
