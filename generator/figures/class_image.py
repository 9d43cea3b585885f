"""What a network thinks a class looks like: a picture grown from noise until the class scores high.

The picture is an argument about the network, not a photograph: the measures beside it say how sure the network
is of the very pixels that the reader sees, after their rounding to eight bits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.channels import Layer, Progress
from generator.deferred import Deferred
from generator.evidence import Evidence, Twins, gather, of_channels
from generator.inputs import Inputs
from generator.model import Model
from generator.natural import natural, natural_pixels
from generator.readouts import class_numbers
from generator.seeing import as_input, image_of
from generator.spec import UnitOptions

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
classes: [a, c]
steps: 3
caption: What two classes look like to a network that has seen nothing yet.
"""

RATES = {"fourier": 0.01, "maco": 0.3}  # step sizes where the author names none


class Options(UnitOptions):
    model: str = Field(description="a model of site.toml that classifies images")
    classes: tuple[str, ...] = Field(
        min_length=1,
        max_length=24,
        description="the model's names of classes, in order of display; one named again gets another picture",
    )
    size: int | None = Field(None, ge=16, le=1024, description="pixels on a side; the model's input size if not given")
    steps: int = Field(160, ge=1, le=5000, description="steps of ascent")
    basis: Literal["fourier", "maco"] = Field(
        "fourier",
        description="what a picture is made of: any waves, or, with maco, waves as strong as in `dataset`",
    )
    transparency: bool = Field(
        False, description="with maco: show what mattered to the ascent opaque, and all else transparent"
    )
    rate: float | None = Field(
        None, gt=0, le=2, description="step size of Adam; 0.01 for fourier, 0.3 for maco if not given"
    )
    decay: float = Field(
        1.5, ge=0, le=3, description="coefficients are scaled by 1 / frequency ** decay; higher is smoother"
    )
    saturation: float = Field(
        1.3, gt=0, le=10, description="how readily a step changes hue; 1 is as photographs have it"
    )
    rotation: float = Field(10.0, ge=0, le=180, description="random turns at each step, degrees either way")
    zoom: tuple[float, float] = Field((0.8, 1.15), description="random magnification at each step, from and to")
    shift: float = Field(0.08, ge=0, le=0.5, description="random shifts at each step, as a share of the size")
    noise: float = Field(
        0.1, ge=0, le=1, description="random noise at each step; more of it leaves larger, plainer forms"
    )

    @model_validator(mode="after")
    def _a_spectrum_of_something(self) -> Self:
        if self.basis == "maco" and self.dataset is None:
            raise ValueError("basis maco takes its spectrum from natural images; name a `dataset`")
        if self.transparency and self.basis != "maco":
            raise ValueError("transparency is for basis maco, whose pictures are full to their edges")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """All classes at once; no picture depends on the others."""
    model = inputs.model
    targets = class_numbers(model, options.classes)

    arrays: dict[str, NDArray[Any]] = {}
    measures: dict[str, float] = {}
    pictures = []
    shown: list[str] = []
    grown, opacity, evidence, count = grown_twice(options, inputs, targets)
    for label, target, pixels, opaque, beside in zip(options.classes, targets, grown, opacity, evidence, strict=True):
        opinion = judge(model, pixels, target)
        name = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or f"class-{target}"
        name = f"{name}-{target}" if name in arrays and label not in shown else name
        shown.append(label)
        name = f"{name}-{shown.count(label)}" if shown.count(label) > 1 else name
        arrays[name] = np.concatenate([pixels, opaque[..., None]], 2) if options.transparency else pixels
        pictures.append(
            {"array": name, "label": label, **opinion, "evidence": beside.measures, "warnings": beside.warnings}
        )
        measures |= {f"{name}.{measure}": opinion[measure] for measure in ("probability", "logit", "rank")}
        measures |= {f"{name}.{measure}": value for measure, value in beside.measures.items()}
    measures["natural"] = count
    measures["probability.least"] = min(picture["probability"] for picture in pictures)
    data = {
        "pictures": pictures,
        "classes": len(model.classes),
        "natural": count,
        "transparent": options.transparency,
        "steps": options.steps,
        "seed": options.seed,
    }
    return Artifact(arrays, data, measures)


def grown_twice(
    options: Options, inputs: Inputs, targets: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[Evidence], int]:
    """The pictures, (classes, height, width, 3), how opaque they are, (classes, height, width), their evidence, and
    how many natural images it was taken from.
    """
    several = options.twins and len(set(targets)) > 1
    height, width = size_of(options, inputs)
    usual = None
    if options.dataset:
        layer = Layer(
            inputs.model.name, interp.hooks.OUTPUT, len(inputs.model.classes), (), height, width, options.size
        )
        usual = of_channels(natural(inputs, layer, options.dataset, options.split), targets)
    first = grow(
        options,
        inputs,
        targets,
        options.steps,
        options.seed,
        lambda done, total: inputs.progress(2 * done, (3 if several else 2) * total),
    )
    grown = interp.pictures.to_pixels(first.images)
    twins = None
    if several:
        second = grow(
            options,
            inputs,
            targets,
            max(1, options.steps // 2),
            options.seed + 1,
            lambda done, total: inputs.progress(4 * total + 2 * done, 6 * total),
        )
        twins = Twins(interp.pictures.to_pixels(second.images), targets)
    objective = interp.objectives.logit(targets)
    evidence = gather(inputs, objective, grown, first.before.tolist(), usual, twins)
    opacity = (interp.pictures.opacity(first.slopes) * 255).round().to(torch.uint8).numpy()
    return grown, opacity, evidence, 0 if usual is None else len(usual.spectra)


def size_of(options: Options, inputs: Inputs) -> tuple[int, int]:
    """Height and width of the pictures."""
    image = image_of(inputs.model)
    return (options.size, options.size) if options.size else (image.height, image.width)


def grow(
    options: Options,
    inputs: Inputs,
    targets: Sequence[int],
    steps: int,
    seed: int,
    progress: Progress,
) -> interp.visualise.Visualised:
    """The pictures of classes; each from a seed that is the figure's, its class's, and its own where that recurs."""
    model, image, (height, width) = inputs.model, image_of(inputs.model), size_of(options, inputs)
    device = interp.hooks.device(model.network)
    seeds = [
        seed * 100_003 + target + 1_000_003 * targets[:number].count(target) for number, target in enumerate(targets)
    ]
    objective = interp.objectives.logit(targets)
    picture: interp.parameterisation.Parameterisation
    if options.basis == "maco":
        pixels = natural_pixels(inputs, str(options.dataset), options.split, height, width)
        images = interp.pictures.from_pixels(pixels, image.channels)
        spectrum = interp.parameterisation.magnitudes(images, height, width)
        picture = interp.parameterisation.Maco(seeds, height, width, spectrum, device=device)
    else:
        picture = interp.parameterisation.Fourier(
            seeds,
            height,
            width,
            channels=image.channels,
            decay=options.decay,
            saturation=options.saturation,
            device=device,
        )
    return interp.visualise.visualise(
        model.network,
        objective,
        picture,
        normalise=model.normalise,
        transform=interp.transforms.Wobble(options.rotation, options.zoom, options.shift, options.noise),
        seeds=seeds,
        steps=steps,
        rate=options.rate or RATES[options.basis],
        flat=0.0,  # the last steps gain little, and take off the grain
        pace=inputs.pace(objective.layers, height, width),
        progress=progress,
        name=f"the logit of {' or '.join(map(repr, options.classes))}",
    )


def judge(model: Model, pixels: NDArray[np.uint8], target: int) -> dict[str, Any]:
    """What the network says of the finished picture: its class's probability, logit and rank, and the best rival."""
    images = model.normalise(as_input(model, pixels[None]))
    logits = interp.hooks.first_tensor(model.network(images))[0].detach().double()
    order = logits.argsort(descending=True).tolist()
    probabilities = logits.softmax(0).tolist()
    rival = next(other for other in order if other != target) if len(order) > 1 else target
    return {
        "probability": probabilities[target],
        "logit": float(logits[target]),
        "rank": order.index(target) + 1,
        "rival": model.classes[rival],
        "rival_probability": probabilities[rival],
    }
