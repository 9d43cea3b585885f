"""A layer at a glance: what excites each of its units, as icons, by number, by strength, or by likeness.

Beside each icon stands how its activation compares with the best natural image's, where a data set is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.channels import SILENT, Layer, Natural, grow, layer_of, natural
from generator.deferred import Deferred
from generator.images import sprite
from generator.inputs import Inputs
from generator.model import Model
from generator.readouts import alike, resized
from generator.spec import BuildError, FigureOptions

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


class Options(FigureOptions):
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
    dataset: str | None = Field(None, description="a data set of natural images to hold the activations against")
    split: str = Field("train", description="its split")
    images: int = Field(1000, ge=2, le=100_000, description="how many natural images are looked at, at most")
    icon: int = Field(80, ge=16, le=256, description="pixels on a side of an icon")
    size: int | None = Field(
        None, ge=8, le=512, description="pixels on a side of the image that it shows; 96, or the network's own if less"
    )
    steps: int = Field(64, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.05, gt=0, le=1, description="step size of Adam")

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

    def part(number: int) -> interp.ascent.Progress:
        return lambda done, total: inputs.progress(number * total + done, 2 * total)

    record = None
    if options.dataset is not None:
        record = natural(inputs, layer, options.dataset, options.split, options.images, part(0))
    seeds = [options.seed * 100_003 + 100 * unit for unit in units]  # as a unit card's
    objective = interp.objectives.channel(layer.name, units)
    found = grow(inputs, layer, objective, seeds, options.steps, options.rate, part(1))
    pixels = interp.pictures.to_pixels(found.images)
    measures: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    silent: list[int] = []
    icons: dict[int, NDArray[np.uint8]] = {}
    for unit, picture, activation in zip(units, pixels, found.activations.tolist(), strict=True):
        usual = None if record is None else record.means[:, unit].astype(np.float64)
        best = None if usual is None else float(usual.max())
        if max(abs(activation), abs(best or 0.0)) < SILENT:
            silent.append(unit)
            continue
        row: dict[str, Any] = {"unit": unit, "label": layer.label(unit), "activation": activation}
        measures[f"unit-{unit}.activation"] = activation
        if usual is not None and best is not None:
            rest = float(np.median(usual))  # from the median up, since an activation has no zero of its own
            row |= {"best": best, "times": (activation - rest) / max(best - rest, 1e-12)}
            measures |= {f"unit-{unit}.natural.best": best, f"unit-{unit}.natural.times": row["times"]}
        icons[unit] = resized(picture, options.icon, options.icon)
        rows.append(row)
    if options.sort == "activation":
        rows.sort(key=lambda row: -row["times"])
    if options.sort == "similarity":
        order = alike(likeness(model, layer, [row["unit"] for row in rows], record))
        rows = [rows[number] for number in order]
    columns = min(COLUMNS, max(1, len(rows)))
    for number, row in enumerate(rows):
        row |= {"x": options.icon * (number % columns), "y": options.icon * (number // columns)}
    weaker = sum(row.get("times", 1.0) < 1 for row in rows)
    data = {
        "layer": layer.name,
        "units": rows,
        "silent": silent,
        "width": layer.channels,
        "icon": options.icon,
        "sort": options.sort,
        "natural": 0 if record is None else len(record.means),
        "skipped": [] if record is None else list(record.skipped),
        "weaker": weaker,
        "steps": options.steps,
        "seed": options.seed,
    }
    measures |= {"units": float(len(rows)), "silent": float(len(silent)), "weaker": float(weaker)}
    sheet = {"sprite": sprite(np.stack([icons[row["unit"]] for row in rows]), columns)} if rows else {}
    return Artifact(sheet, data, measures)


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
