"""A layer at a glance: what excites each of its units, as icons, by number, by strength, or by likeness.

Beside each icon stands how its activation compares with the best natural image's, where a data set is given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.channels import SILENT, Layer, Progress, grow, layer_of, seed_of
from generator.deferred import Deferred
from generator.evidence import Evidence, Twins, gather, of_channels, together
from generator.images import sprite
from generator.inputs import Inputs
from generator.model import Model
from generator.natural import Natural, natural
from generator.readouts import alike
from generator.seeing import resized
from generator.spec import BuildError, UnitOptions

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
layer: conv2
count: 5
dataset: digits
images: 20
sort: activation
steps: 3
caption: Some channels of a small network that has seen nothing yet.
"""

MOST = 2048  # units of a grid: a sprite of more is larger than WebP can be
COLUMNS = 16  # of the sprite


class Options(UnitOptions):
    model: str = Field(description="a model of site.toml that takes images")
    layer: str = Field(description="a layer of the model")
    units: tuple[int | str, ...] | None = Field(
        None, min_length=1, description='numbers, ranges such as "0:16", names of classes; all if not given'
    )
    count: int | None = Field(None, ge=1, le=MOST, description="only so many, spread evenly over these")
    sort: Literal["number", "activation", "similarity"] = Field(
        "number",
        description="activation: by how far the best natural image is surpassed; similarity: units whose weights, or "
        "else their activations on the data set, point the same way stand side by side",
    )
    images: int = Field(1000, ge=2, le=100_000, description="how many natural images are looked at, at most")
    icon: int = Field(80, ge=16, le=256, description="pixels on a side of an icon")
    size: int | None = Field(
        None, ge=8, le=512, description="pixels on a side of the image that it shows; 96, or the network's own if less"
    )
    steps: int = Field(64, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.05, gt=0, le=1, description="step size of Adam")
    twins: bool = Field(
        False,
        description="grow each picture again from another seed, in half the steps, to see whether the two agree; off, "
        "since it takes half as long again",
    )

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        if self.sort == "activation" and self.dataset is None:
            raise ValueError("sort: activation needs a dataset, to compare it with that on natural images")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """All units in one call of the engine; none depends on which others are asked for."""
    model = inputs.model
    layer = layer_of(model, options.layer, options.size)
    units = chosen(options, layer)

    record = None
    if options.dataset is not None:
        record = natural(inputs, layer, options.dataset, options.split, options.images, inputs.part(0, 2), skip=True)
    pixels, evidence = grown(options, inputs, layer, units, record, inputs.part(1, 2))
    measures: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    judged: list[Evidence] = []
    silent: list[int] = []
    icons: dict[int, NDArray[np.uint8]] = {}
    for unit, picture, found in zip(units, pixels, evidence, strict=True):
        proof = found.measures
        if max(abs(proof["activation"]), abs(proof.get("natural.best", 0.0))) < SILENT:
            silent.append(unit)
            continue
        rows.append({"unit": unit, "label": layer.label(unit), "evidence": proof, "warnings": found.warnings})
        judged.append(found)
        measures |= {f"unit-{unit}.{name}": value for name, value in proof.items()}
        icons[unit] = resized(picture, options.icon, options.icon)
    if options.sort == "activation":
        rows.sort(key=lambda row: -row["evidence"].get("natural.times", math.inf))
    if options.sort == "similarity":
        order = alike(likeness(model, layer, [row["unit"] for row in rows], record))
        rows = [rows[number] for number in order]
    columns = min(COLUMNS, max(1, len(rows)))
    for number, row in enumerate(rows):
        row |= {"x": options.icon * (number % columns), "y": options.icon * (number // columns)}
    weaker = sum("natural" in one.failures for one in judged)
    data = {
        "layer": layer.name,
        "units": rows,
        "silent": silent,
        "width": layer.channels,
        "icon": options.icon,
        "sort": options.sort,
        "natural": 0 if record is None else len(record.means),
        "skipped": [] if record is None else list(record.skipped),
        "warnings": together(judged),
        "steps": options.steps,
        "seed": options.seed,
    }
    measures |= {"units": float(len(rows)), "silent": float(len(silent)), "weaker": float(weaker)}
    sheet = {"sprite": sprite(np.stack([icons[row["unit"]] for row in rows]), columns)} if rows else {}
    return Artifact(sheet, data, measures)


def grown(
    options: Options,
    inputs: Inputs,
    layer: Layer,
    units: list[int],
    record: Natural | None,
    progress: Progress,
) -> tuple[NDArray[np.uint8], list[Evidence]]:
    """A picture of each unit, (units, height, width, 3), and its evidence, all judged together."""
    objective = interp.objectives.channel(layer.name, units)
    seeds = [seed_of(options.seed, unit) for unit in units]
    found = grow(inputs, layer, objective, seeds, options.steps, options.rate, progress)
    pixels, twins = interp.pictures.to_pixels(found.images), None
    if options.twins:
        steps, seeds = max(1, options.steps // 2), [seed_of(options.seed + 1, unit) for unit in units]
        second = grow(inputs, layer, objective, seeds, steps, options.rate)
        twins = Twins(interp.pictures.to_pixels(second.images), units)
    usual = None if record is None else of_channels(record, units)
    return pixels, gather(inputs, objective, pixels, found.before.tolist(), usual, twins)


def chosen(options: Options, layer: Layer) -> list[int]:
    """The units of the grid, in order of their numbers."""
    units = sorted(layer.numbers([":"] if options.units is None else options.units))
    if options.count is not None and options.count < len(units):
        units = [units[number * len(units) // options.count] for number in range(options.count)]
    if len(units) > MOST:
        raise BuildError(f"layer {layer.name} of model {layer.model} has {len(units)} units; a grid holds {MOST}")
    return units


def likeness(model: Model, layer: Layer, units: list[int], record: Natural | None) -> list[list[float]]:
    """Cosines between units, (units, units): of their weights, or where the layer has none of their activations."""
    weight = getattr(model.network.get_submodule(layer.name), "weight", None)
    if weight is not None and weight.ndim > 1 and len(weight) == layer.channels:
        rows = weight.detach().cpu().float()[units].flatten(1)
    elif record is not None:
        means = record.means[:, units].T  # (units, images)
        rows = torch.from_numpy(means - means.mean(1, keepdims=True))
    else:
        raise BuildError(
            f"layer {layer.name} of model {model.name} has no weights of its own, one row for each unit; to sort it by "
            "similarity give a dataset, on which its activations can be compared"
        )
    cosines: list[list[float]] = interp.linear.cosines(rows).tolist()
    return cosines
