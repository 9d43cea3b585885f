"""What a layer sees in all of a data set: an activation atlas, a map of pictures on which like stands beside like.

Of each image the activations at one place are a point; the points are laid out in the plane, and each cell of a grid
shows a picture grown from noise towards the mean activations of its points
(Carter, Armstrong, Schubert, Johnson and Olah, 2019, https://distill.pub/2019/activation-atlas).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.channels import grow, layer_of
from generator.data import Images
from generator.deferred import Deferred
from generator.evidence import Evidence, gather, of_objective, together
from generator.images import sprite
from generator.inputs import Inputs
from generator.layouts import Layout, laid_out, missing
from generator.natural import spread
from generator.seeing import all_resized, image_of, prepared
from generator.spec import BuildError, SyntheticOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
dataset: digits
layer: conv2
images: 40
layout: pca
grid: 4
size: 16
steps: 2
caption: What one layer sees in handwritten digits.
"""

BATCH = 16  # images at once: more would hardly be faster on a processor
JUDGED = 600  # of the data set's images that pictures are held against
SHUFFLES = 200  # of the labels, for the agreement that chance gives
SMALLEST = 0.5  # the side of the picture of the fewest points, over that of the most


class Options(SyntheticOptions):
    model: str = Field(description="a model of site.toml that takes images")
    dataset: str = Field(description="a data set of site.toml")
    split: str = Field("test", description="the split of the data set")
    layer: str = Field(description="the layer whose activations are laid out")
    images: int = Field(600, ge=10, le=20_000, description="images drawn from the split, each one point")
    layout: Layout = Field(
        "tsne", description="how the points are laid out; umap needs whatfires[atlas], pca nothing, but is cruder"
    )
    grid: int = Field(12, ge=1, le=40, description="cells on a side")
    least: int = Field(3, ge=1, description="points that a cell needs to be shown")
    whiten: bool = Field(True, description="let what all activations have in common count for less")
    size: int = Field(80, ge=16, le=256, description="pixels on a side of each cell's picture")
    steps: int = Field(64, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.04, gt=0, le=1, description="step size of Adam")
    decay: float = Field(
        1.3, ge=0, le=3, description="coefficients are scaled by 1 / frequency ** decay; higher is smoother"
    )
    saturation: float = Field(
        1.3, gt=0, le=10, description="how readily a step changes hue; 1 is as photographs have it"
    )
    rotation: float = Field(5.0, ge=0, le=180, description="random turns at each step, degrees either way")
    zoom: tuple[float, float] = Field((0.95, 1.1), description="random magnification at each step, from and to")
    shift: float = Field(0.05, ge=0, le=0.5, description="random shifts at each step, as a share of the size")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """A cell is called by the output that its points support most where outputs are classes, else by their labels.

    The measure `agreement` is the share of points with the most frequent label of their cell, among those shown;
    `agreement.shuffled` the same where the labels are dealt out anew.
    """
    model = inputs.model
    image_of(model)
    if reason := missing(options.layout):
        raise BuildError(reason)
    images, labels = drawn(options, inputs.images(options.dataset, options.split))
    found = points(options, inputs, images)
    plane = laid_out(found.vectors.numpy(), options.layout, options.seed)
    cell = interp.atlas.cells(torch.from_numpy(plane), options.grid)
    counts = torch.bincount(cell, minlength=options.grid**2)
    shown = torch.nonzero(counts >= options.least).flatten().tolist()
    if not shown:
        raise BuildError(
            f"no cell of {options.grid} × {options.grid} has {options.least} of {options.images} points; "
            "take more images, or a smaller grid"
        )
    directions = torch.stack([found.vectors[cell == number].mean(0) for number in shown])
    whitened = interp.atlas.whitened(directions, found.moment) if options.whiten else directions
    raised, evidence = pictures(options, inputs, images, whitened, shown)
    named = bool(model.classes) and found.support.shape[1:] == (len(model.classes),)
    columns = int(np.ceil(len(shown) ** 0.5))  # of the sheet
    cells: list[dict[str, Any]] = []
    for place, number in enumerate(shown):
        inside = cell == number
        label, share = majority(labels[inside], images.classes)
        support = found.support[inside].mean(0)
        cells.append(
            {
                "row": number // options.grid,
                "column": number % options.grid,
                "left": place % columns * options.size,
                "top": place // columns * options.size,
                "side": round(SMALLEST + (1 - SMALLEST) * float((counts[number] / counts.max()).sqrt()), 2),
                "points": int(counts[number]),
                "name": model.classes[int(support.argmax())] if named else label,
                "label": label,
                "share": share,
                "evidence": evidence[place].measures,
                "warnings": evidence[place].warnings,
            }
        )
    among = torch.isin(cell, torch.tensor(shown))
    measures = {"cells": float(len(shown)), "shown": float(among.float().mean())}
    measures |= agreements(labels[among], cell[among], options.seed)
    for one in cells:
        where = f"cell-{one['row'] + 1}-{one['column'] + 1}"
        measures |= {f"{where}.{name}": value for name, value in one["evidence"].items()}
    data = {
        "cells": cells,
        "warnings": together(evidence),
        "natural": min(JUDGED, options.images),
        "named": named,
        "positions": found.positions,
        **{
            key: getattr(options, key)
            for key in ("layer", "images", "layout", "grid", "least", "whiten", "size", "seed")
        },
    }
    return Artifact({"sheet": sprite(raised, columns)}, data, measures)


def drawn(options: Options, images: Images) -> tuple[Images, Tensor]:
    """As many images as asked for, by the seed, and their labels, (images,)."""
    if len(images.labels) < options.images:
        raise BuildError(
            f"data set {options.dataset} has {len(images.labels)} {'image' if len(images.labels) == 1 else 'images'} "
            f"in split {options.split}, "
            f"and the atlas asks for {options.images}; set `images` to what there is"
        )
    chosen = np.random.default_rng(options.seed).permutation(len(images.labels))[: options.images]
    return Images(images.pixels[chosen], images.labels[chosen], images.classes), torch.from_numpy(images.labels[chosen])


def points(options: Options, inputs: Inputs, images: Images) -> interp.atlas.Sampled:
    """The layer's activations at one place of each image, at the network's own input size."""
    model = inputs.model

    def batches() -> Iterator[Tensor]:
        for number, batch in enumerate(prepared(model, images.pixels, BATCH)):
            yield batch
            inputs.progress(number * BATCH, 2 * options.images)  # growing is the other half

    places = torch.rand(options.images, generator=torch.Generator().manual_seed(options.seed))
    try:
        found = interp.atlas.sampled(model.network, options.layer, batches(), places)
    except ValueError as error:
        raise BuildError(f"layer {options.layer} of model {model.name}: {error}") from error
    if not bool(found.vectors.isfinite().all()):
        raise BuildError(f"layer {options.layer} of model {model.name} gives activations that are not numbers")
    return found


def pictures(
    options: Options, inputs: Inputs, images: Images, directions: Tensor, shown: list[int]
) -> tuple[NDArray[np.uint8], list[Evidence]]:
    """One picture for each direction, (directions, size, size, 3), of its cell's seed, and its evidence.

    It has no twin: other cells are meant to be like it, the nearer the more.
    """
    layer = layer_of(inputs.model, options.layer, options.size)
    objective = interp.objectives.direction(layer.name, directions.to(interp.hooks.device(inputs.model.network)), 2.0)
    found = grow(
        inputs,
        layer,
        objective,
        [options.seed * 100_003 + number for number in shown],
        options.steps,
        options.rate,
        inputs.part(1, 2),
        decay=options.decay,
        saturation=options.saturation,
        transform=interp.transforms.Wobble(options.rotation, options.zoom, options.shift),
    )
    raised = interp.pictures.to_pixels(found.images)
    natural = images.pixels[spread(len(images.pixels), JUDGED)]
    usual = of_objective(inputs, objective, all_resized(natural, options.size, options.size))
    return raised, gather(inputs, objective, raised, found.before.tolist(), usual)


def agreements(labels: Tensor, cells: Tensor, seed: int) -> dict[str, float]:
    """How far the points of a cell have one label, (points,) each, and how far where the labels are dealt out anew."""
    source = torch.Generator().manual_seed(seed)
    shuffled = [
        interp.atlas.agreement(labels[torch.randperm(len(labels), generator=source)], cells) for _ in range(SHUFFLES)
    ]
    return {"agreement": interp.atlas.agreement(labels, cells), "agreement.shuffled": float(np.mean(shuffled))}


def majority(labels: Tensor, classes: tuple[str, ...]) -> tuple[str, float]:
    """The most frequent label, the first of several, and its share."""
    counts = torch.bincount(labels, minlength=len(classes))
    return classes[int(counts.argmax())], float(counts.max() / len(labels))
