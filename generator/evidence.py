"""What stands beside every synthetic image: how it does against natural ones, small changes and another seed.

The numbers are of the pixels that the reader sees, read back from eight bits, by the network in float32. Where
one is worse than its threshold, a sentence warns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.model import Model
from generator.natural import Natural
from generator.seeing import as_input

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")

BATCH = 32  # images at once

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

# What is said of many pictures together, by the check that they fail.
TOGETHER = {
    "natural": "no better than the best natural image",
    "fragile": "fragile under small changes",
    "spectrum": "unlike natural images in their frequencies",
    "earlier": "not what the checkpoint before this one looked for",
    "agreement": "not much like a twin from another seed",
}


@dataclass(frozen=True)
class Usual:
    """What natural images do to the objective of each picture: scores, (pictures, natural), float64.

    spectra: (natural, octaves). earlier: scores in the checkpoint before the newest, None where there is none.
    """

    scores: Tensor
    spectra: Tensor
    earlier: Tensor | None


@dataclass(frozen=True)
class Twins:
    """The same units grown from other seeds, (pictures, height, width, 3), and which unit each picture is of.

    others: pictures of other units, to be less like than the twin; if not given, the twins of the other pictures.
    """

    pixels: NDArray[np.uint8]
    units: Sequence[int]
    others: tuple[NDArray[np.uint8], Sequence[int]] | None = None


@dataclass(frozen=True)
class Evidence:
    """Of one synthetic image: numbers by name, and a sentence for every check that it fails, by the check's name."""

    measures: dict[str, float]
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        return list(self.failures.values())


def of_channels(record: Natural, units: Sequence[int]) -> Usual:
    """What recorded natural images do to channels of a layer."""

    def chosen(means: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(means[:, list(units)].T.astype(np.float64))

    earlier = None if record.earlier is None else chosen(record.earlier)
    return Usual(chosen(record.means), torch.from_numpy(record.spectra), earlier)


def of_objective(inputs: Inputs, objective: interp.objectives.Objective, natural: NDArray[np.uint8]) -> Usual:
    """What natural images, (natural, height, width, 3), do to any objective."""
    model, earlier = inputs.model, inputs.earlier
    images = as_input(model, natural)
    return Usual(
        natural_scores(model, objective, images),
        interp.evidence.radial_power(images.cpu()),
        None if earlier is None else natural_scores(earlier, objective, images),
    )


def gather(
    inputs: Inputs,
    objective: interp.objectives.Objective,
    pixels: NDArray[np.uint8],
    before: Sequence[float],
    usual: Usual | None = None,
    twins: Twins | None = None,
    way: Literal["more", "less"] = "more",
) -> list[Evidence]:
    """Evidence of each synthetic image, (images, height, width, 3), whose objective this is.

    before: the objective on the noise that each began as, its rest where there are no natural images. way: `less` of
    pictures that press the objective down.
    """
    model, rows = inputs.model, torch.arange(len(pixels))
    images, sign = as_input(model, pixels), 1 if way == "more" else -1
    activations = sign * scores(model, objective, images, rows)
    rest = sign * torch.tensor(before, dtype=torch.float64)
    measures: list[dict[str, float]] = [{} for _ in pixels]

    def note(name: str, values: Tensor) -> None:
        for one, value in zip(measures, values.tolist(), strict=True):
            one[name] = value

    note("activation", activations)
    if usual is not None:
        natural = sign * usual.scores
        rest, best = natural.median(1).values, natural.max(1).values
        note("natural.best", best)
        # From the median up, since an activation has no zero of its own; where all natural images do the same, such as
        # nothing, no number of times is the right one.
        for one, gain, most in zip(measures, (activations - rest).tolist(), (best - rest).tolist(), strict=True):
            if most > 0:
                one["natural.times"] = gain / most
        note("natural.percentile", percentiles(activations, natural))
        if len(usual.spectra) > 1:
            power = interp.evidence.radial_power(images.cpu())
            note("spectrum", interp.evidence.spectral_distance(power, usual.spectra))
        if usual.earlier is not None and inputs.earlier is not None:
            there = sign * scores(inputs.earlier, objective, images, rows)
            note("earlier.percentile", percentiles(there, sign * usual.earlier))
    kept = [
        interp.evidence.retained(
            lambda changed, part=part: sign * scores(model, objective, changed, part),  # type: ignore[misc]
            images[part],
            rest[part],
        )
        for part in torch.split(rows, BATCH)
    ]
    for kind in kept[0]:
        note(f"kept.{kind}", torch.cat([one[kind] for one in kept]))
    if twins is not None:
        for one, share in zip(measures, agreements(model, objective.layers[0], pixels, twins).tolist(), strict=True):
            if not np.isnan(share):  # as where there are no other units
                one["agreement"] = share
    count = 0 if usual is None else usual.scores.shape[1]
    found = [Evidence(one, failures(one, count, way)) for one in measures]
    for one in measures if way == "less" else []:
        one |= {name: -one[name] for name in ("activation", "natural.best") if name in one}
        one |= {name: 1 - one[name] for name in ("natural.percentile", "earlier.percentile") if name in one}
    return found


def outputs(model: Model, images: Tensor, *layers: str) -> dict[str, Tensor]:
    """What layers give for images in [0, 1]."""
    with torch.inference_mode():
        return interp.hooks.activations(model.network, model.normalise(images), *layers)


def scores(model: Model, objective: interp.objectives.Objective, images: Tensor, rows: Tensor) -> Tensor:
    """The objective of image `rows[i]` on image i, (images,), float64."""
    parts = zip(torch.split(images, BATCH), torch.split(rows, BATCH), strict=True)
    found = [objective.score(outputs(model, some, *objective.layers), part).double().cpu() for some, part in parts]
    return torch.cat(found)


def natural_scores(model: Model, objective: interp.objectives.Objective, images: Tensor) -> Tensor:
    """The objective of every synthetic image on every natural one, (synthetic, natural), float64."""
    found = []
    for some in torch.split(images, BATCH):
        output = outputs(model, some, *objective.layers)
        rows = [torch.tensor(number).expand(len(some)) for number in range(objective.images)]
        found.append(torch.stack([objective.score(output, row) for row in rows]).double().cpu())
    return torch.cat(found, 1)


def percentiles(values: Tensor, usual: Tensor) -> Tensor:
    """Of each value, (images,), the share of its own row of natural ones, (images, natural), that lies below it."""
    rows = [interp.evidence.percentile(value[None], row) for value, row in zip(values, usual, strict=True)]
    return torch.cat(rows)


def agreements(model: Model, layer: str, pixels: NDArray[np.uint8], twins: Twins) -> Tensor:
    """How much more each picture is like its twin than like pictures of other units, (pictures,)."""

    def means(some: NDArray[np.uint8]) -> Tensor:
        parts = torch.split(as_input(model, some), BATCH)
        return torch.cat([interp.hooks.positions(outputs(model, part, layer)[layer]).mean(2).cpu() for part in parts])

    units, twin_means = torch.tensor(twins.units), means(twins.pixels)
    if twins.others is None:
        others, other_units = twin_means, units
    elif not len(twins.others[0]):
        return torch.full((len(pixels),), torch.nan)
    else:
        others, other_units = means(twins.others[0]), torch.tensor(twins.others[1])
    return interp.evidence.agreement(means(pixels), twin_means, units, others, other_units)


def failures(measures: dict[str, float], natural: int, way: Literal["more", "less"] = "more") -> dict[str, str]:
    """A sentence for every check that fails, by the name of the check."""
    found = {}
    if measures.get("natural.times", BEST) < BEST:
        found["natural"] = f"{'the best' if way == 'more' else 'one'} of {natural} natural images excites it {way}"
    worst, kept = min(((kind, measures[f"kept.{kind}"]) for kind in ("shift", "scale", "jpeg")), key=lambda one: one[1])
    if kept < KEPT:
        change = {"shift": "moved by a twentieth", "scale": "a tenth larger or smaller", "jpeg": "compressed as JPEG"}
        found["fragile"] = f"fragile: it keeps {max(0.0, kept):.0%} of its effect when {change[worst]}"
    if measures.get("spectrum", 0.0) > SPECTRUM:
        distance = measures["spectrum"]
        found["spectrum"] = f"its frequencies are unlike natural ones by {distance:.1f} standard deviations"
    if measures.get("earlier.percentile", 1.0) < TRANSFERS:
        share = 1 - measures["earlier.percentile"]
        found["earlier"] = f"in the checkpoint before this one, {share:.0%} of natural images excite it {way}"
    if measures.get("agreement", 1.0) < AGREES:
        found["agreement"] = "from another seed it looks more like other units"
    return found


def together(found: Sequence[Evidence]) -> list[str]:
    """What is wrong with many pictures, a sentence for every check that one of them fails."""
    counts = Counter(check for one in found for check in one.failures)
    return [
        f"{counts[check]} of {len(found)} pictures {'is' if counts[check] == 1 else 'are'} {text}"
        for check, text in TOGETHER.items()
        if counts[check]
    ]
