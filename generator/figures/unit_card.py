"""One unit: synthetic images that excite it most and least, and natural images from its top to its bottom.

Its activation is the mean over all positions, which is also what the synthetic images raise. Of a natural image only
that part is shown which the unit sees where it is most active, and beside the top and the bottom stand images
between them, because the best alone make every unit look as if it knew one thing (Bolukbasi et al., 2021,
https://arxiv.org/abs/2104.07143).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.channels import SILENT, Layer, Progress, grow, layer_of, others, seed_of
from generator.deferred import Deferred
from generator.evidence import Twins, gather, of_channels
from generator.histogram import histogram
from generator.inputs import Inputs
from generator.natural import Natural, cut, field, natural
from generator.spec import UnitOptions

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
layer: conv2
unit: 3
dataset: digits
images: 40
steps: 3
diverse: 2
caption: One channel of a small network that has seen nothing yet.
"""

TWIN = 50  # added to a unit's seed: far from those of its diverse images


class Options(UnitOptions):
    model: str = Field(description="a model of site.toml that takes images")
    layer: str = Field(description="a layer of the model")
    unit: int | str = Field(description="number of the channel, from 0; of the logits also the name of a class")
    dataset: str | None = Field(None, description="a data set of natural images; without, only synthetic ones")
    images: int = Field(1000, ge=1, le=100_000, description="how many natural images are looked at, at most")
    top: int = Field(6, ge=1, le=24, description="natural images that excite the unit most")
    bottom: int = Field(3, ge=0, le=24, description="natural images that excite it least")
    quantiles: tuple[float, ...] = Field(
        (90, 75, 50, 25, 10), max_length=24, description="those between: at which per cent of the activations"
    )
    diverse: int = Field(4, ge=0, le=12, description="more synthetic images, each unlike the others")
    diversity: float = Field(
        0.5, ge=0, le=100, description="what that counts for, as a share of the unit's own activation"
    )
    size: int | None = Field(
        None, ge=8, le=512, description="pixels on a side; 96, or the network's own size if that is less"
    )
    steps: int = Field(64, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.05, gt=0, le=1, description="step size of Adam")
    twins: bool = Field(
        True, description="grow the picture again from another seed, to see whether the two agree more than other units"
    )

    @model_validator(mode="after")
    def _between(self) -> Self:
        if self.diverse == 1:
            raise ValueError("diverse: one image cannot be unlike the others; give 0 or at least 2")
        if not all(0 <= quantile <= 100 for quantile in self.quantiles):
            raise ValueError("quantiles: each is a per cent of the activations, from 0 to 100")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """What the layer's units have in common is computed by the first of them, so the others cost little more than
    their synthetic images.
    """
    layer = layer_of(inputs.model, options.layer, options.size)
    unit = layer.number(options.unit)
    parts = 3 if options.diverse else 2
    record = usual = None
    if options.dataset is not None:
        record = natural(
            inputs, layer, options.dataset, options.split, options.images, inputs.part(0, parts), skip=True
        )
        usual = record.means[:, unit].astype(np.float64)
    pixels, synthetic = extremes(inputs, layer, unit, options, inputs.part(1, parts))
    most, least = (one["activation"] for one in synthetic)
    # It makes no difference where a unit does nothing: no image of it, and no natural one, is more than noise.
    silent = max(abs(most), abs(least), 0.0 if usual is None else float(np.abs(usual).max())) < SILENT
    data: dict[str, Any] = {
        "layer": layer.name,
        "unit": unit,
        "label": layer.label(unit),
        "silent": silent,
        "synthetic": [],
        "diverse": [],
        "natural": 0 if usual is None else len(usual),
        "examples": [],
        "labels": [],
        "histogram": None,
        "skipped": [] if record is None else list(record.skipped),
        "split": options.split,
        "steps": options.steps,
        "seed": options.seed,
    }
    if silent:
        return Artifact({}, data, {"activation": most, "least": least, "silent": 1.0})
    measures = {"activation": most, "least": least, "silent": 0.0}
    if abs(least - synthetic[1]["before"]) < SILENT:
        synthetic = synthetic[:1]  # as after a ReLU: it was at rest already on the noise it began from
    data["synthetic"] = synthetic
    arrays = {row["array"]: one for row, one in zip(synthetic, pixels, strict=False)}
    twins = None
    if options.twins:
        rivals = others(inputs, layer, max(1, options.steps // 2), options.rate, options.seed)
        twins = Twins(pixels[2:], [unit], rivals)
    judge(inputs, layer, unit, record, synthetic[:1], pixels[:1], twins)
    judge(inputs, layer, unit, record, synthetic[1:], pixels[1 : len(synthetic)], way="less")
    measures |= synthetic[0]["evidence"]
    if options.diverse:
        more = several(inputs, layer, unit, most, options, inputs.part(2, parts))
        data["diverse"] = [
            {"array": f"diverse-{number}", "before": synthetic[0]["before"]} for number in range(len(more))
        ]
        arrays |= {row["array"]: one for row, one in zip(data["diverse"], more, strict=True)}
        judge(inputs, layer, unit, record, data["diverse"], more)
    for row in (*synthetic[1:], *data["diverse"]):
        row["activation"] = row["evidence"]["activation"]
        measures |= {f"{row['array']}.{name}": value for name, value in row["evidence"].items()}
    if record is not None and usual is not None:
        shown, data["examples"] = examples(inputs, layer, unit, record, options)
        arrays |= shown
        data["histogram"] = histogram(usual, [one["activation"] for one in synthetic])
        data["labels"] = labels(data["examples"][0]["pictures"])
        measures |= {"natural.images": float(len(usual)), "natural.skipped": float(len(record.skipped))}
        measures["natural.least"] = float(usual.min())
    return Artifact(arrays, data, measures)


def extremes(
    inputs: Inputs, layer: Layer, unit: int, options: Options, progress: Progress
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """The image that excites the unit most, and the one that does least: an objective and its negative at once.

    With twins a third, which excites it most from another seed. What is told of them is of the first two.
    """
    signs = [1.0, -1.0, 1.0] if options.twins else [1.0, -1.0]
    directions = torch.zeros(len(signs), layer.channels)
    directions[:, unit] = torch.tensor(signs)
    seed = seed_of(options.seed, unit)
    seeds = [seed, seed, seed + TWIN][: len(signs)]
    objective = interp.objectives.direction(layer.name, directions)
    found = grow(inputs, layer, objective, seeds, options.steps, options.rate, progress)
    rows = [
        {
            "array": name,
            "activation": sign * float(found.activations[number]),
            "before": sign * float(found.before[number]),
        }
        for number, (name, sign) in enumerate((("most", 1.0), ("least", -1.0)))
    ]
    return interp.pictures.to_pixels(found.images), rows


def several(
    inputs: Inputs, layer: Layer, unit: int, most: float, options: Options, progress: Progress
) -> NDArray[np.uint8]:
    """Images of the unit that are unlike each other. The weight is in proportion to what the unit itself can reach."""
    count = options.diverse
    unlike = interp.objectives.diversity(layer.name, count)
    alone = interp.objectives.channel(layer.name, [unit] * count)
    objective = alone + options.diversity * abs(most) * unlike
    first = seed_of(options.seed, unit) + 1
    found = grow(inputs, layer, objective, range(first, first + count), options.steps, options.rate, progress)
    return interp.pictures.to_pixels(found.images)


def judge(
    inputs: Inputs,
    layer: Layer,
    unit: int,
    record: Natural | None,
    rows: list[dict[str, Any]],
    pixels: NDArray[np.uint8],
    twins: Twins | None = None,
    way: Literal["more", "less"] = "more",
) -> None:
    """Put the evidence of pictures of the unit into their rows."""
    if not rows:
        return
    units = [unit] * len(rows)
    usual = None if record is None else of_channels(record, units)
    objective = interp.objectives.channel(layer.name, units)
    found = gather(inputs, objective, pixels, [row["before"] for row in rows], usual, twins, way)
    for row, one in zip(rows, found, strict=True):
        row |= {"evidence": one.measures, "warnings": one.warnings}


def examples(
    inputs: Inputs, layer: Layer, unit: int, record: Natural, options: Options
) -> tuple[dict[str, NDArray[np.uint8]], list[dict[str, Any]]]:
    """Natural images by height of activation, cut to what the unit sees where it is most active; none twice."""
    images = inputs.images(str(options.dataset), options.split, skip=True)
    seen = field(inputs, layer)
    order = np.argsort(-record.means[:, unit], kind="stable").tolist()
    last = len(order) - 1
    top, rest = order[: options.top], order[options.top :]
    bottom = rest[max(0, len(rest) - options.bottom) :]
    free = set(rest) - set(bottom)
    groups: list[tuple[str, float | None, list[int]]] = [("most", None, top)]
    for quantile in sorted(options.quantiles, reverse=True):
        place = order[round((1 - quantile / 100) * last)]
        groups.append((f"quantile-{quantile:g}", quantile, [place] if place in free else []))
        free.discard(place)
    groups.append(("least", None, bottom))
    arrays: dict[str, NDArray[np.uint8]] = {}
    rows: list[dict[str, Any]] = []
    for name, at, members in groups:
        pictures = []
        for number, member in enumerate(members):
            row, column = record.positions[member, unit].tolist()
            array, image = f"natural-{name}-{number}", record.numbers[member]
            arrays[array] = cut(images.pixels[image], seen.box(row, column, record.size))
            activation, label = float(record.means[member, unit]), images.classes[images.labels[image]]
            pictures.append({"array": array, "activation": activation, "label": label})
        if pictures:
            rows.append({"name": name, "quantile": at, "pictures": pictures})
    return arrays, rows


def labels(pictures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How often each label is among pictures, the most frequent first."""
    counts = Counter(one["label"] for one in pictures)
    return [{"label": label, "count": count} for label, count in counts.most_common()]
