"""What a layer keeps of an image: others, grown from noise, in which it sees at each place what it saw in this one.

Beside them, if asked for, the image itself, changed until one unit fires more, while a layer holds it near what it
was. A caricature is an argument about a layer: what it does not see is not in it, and what it does is exaggerated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator import interp
from generator.aims import Aim, Unit, aimed, known, output
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.evidence import Evidence, gather, of_objective
from generator.inputs import Inputs
from generator.natural import natural_pixels
from generator.readouts import safe_name
from generator.seeing import as_input, image_name, image_of, resized
from generator.spec import ImageChoice, SyntheticOptions

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
image: {sample: chelsea}
layers: [conv1, conv2]
accentuate: b
size: 32
steps: 4
caption: What two layers keep of a cat, and the cat with more of class b.
"""


class Options(SyntheticOptions):
    model: str = Field(description="a model of site.toml that takes images")
    image: ImageChoice = Field(description="the image; of one that is not square, the middle")
    layers: tuple[str, ...] = Field(min_length=1, max_length=8, description="from low to high; one caricature of each")
    accentuate: Unit | None = Field(
        None, description="a class, or {layer, unit}: raise it in the image itself, which stays near what it was"
    )
    near: str | None = Field(
        None, description="the layer that holds the accentuated image near; the first of `layers` if not given"
    )
    hold: float = Field(100.0, ge=0, le=1000, description="how firmly it is held; 0 lets it go")
    size: int = Field(160, ge=16, le=1024, description="pixels on a side")
    power: float = Field(
        1.0,
        ge=0,
        le=8,
        description="power of the cosine by which the product of activations is weighed; higher exaggerates less",
    )
    steps: int = Field(120, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.03, gt=0, le=1, description="step size of Adam")
    decay: float = Field(
        1.3, ge=0, le=3, description="coefficients are scaled by 1 / frequency ** decay; higher is smoother"
    )
    saturation: float = Field(
        1.3, gt=0, le=10, description="how readily a step changes hue; 1 is as photographs have it"
    )
    shift: float = Field(
        0.02,
        ge=0,
        le=0.5,
        description="random shifts of caricatures at each step, as a share of the size; places must still match",
    )


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Cosines are means over positions, of what the finished pixels give with what the original gives."""
    model = inputs.model
    image_of(model)
    for layer in (*options.layers, *([options.near] if options.near else [])):
        known(model, layer)
    picture, label = inputs.labelled_picture(options.image)
    pixels = resized(middle(picture), options.size, options.size)
    original = as_input(model, pixels[None])
    aim = None if options.accentuate is None else aimed(model, options.accentuate, original)

    natural = None
    if options.dataset is not None:
        natural = natural_pixels(inputs, options.dataset, options.split, options.size, options.size)
    arrays = {"original": interp.pictures.to_pixels(original)[0]}
    measures: dict[str, float] = {}
    pictures = []
    runs = len(options.layers) + (aim is not None)
    for number, layer in enumerate(options.layers):
        name = safe_name(layer)
        arrays[name], row = caricatured(options, inputs, layer, original, natural, number, runs)
        pictures.append({"array": name, "layer": layer, **row})
        numbers = {measure: row[measure] for measure in ("cosine", "before", "change")} | row["evidence"]
        measures |= {f"{name}.{measure}": value for measure, value in numbers.items()}
    data: dict[str, Any] = {
        "image": image_name(options.image, label),
        "pictures": pictures,
        "accentuated": None,
        "natural": 0 if natural is None else len(natural),
        "steps": options.steps,
        "seed": options.seed,
    }
    if aim is not None:
        arrays["accentuated"], data["accentuated"] = accentuated(options, inputs, aim, original, natural, runs)
        found_of = data["accentuated"] | data["accentuated"]["evidence"]
        measures |= {f"accentuated.{measure}": value for measure, value in found_of.items() if isinstance(value, float)}
    return Artifact(arrays, data, measures)


def caricatured(
    options: Options,
    inputs: Inputs,
    layer: str,
    original: Tensor,
    natural: NDArray[np.uint8] | None,
    number: int,
    runs: int,
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The caricature of a layer, (size, size, 3), and what became of it; the run of this number, of so many."""
    model, target = inputs.model, output(inputs.model, layer, original)
    noise = interp.parameterisation.Fourier(
        [options.seed * 100_003 + number],
        options.size,
        options.size,
        channels=original.shape[1],
        decay=options.decay,
        saturation=options.saturation,
        device=original.device,
    )
    objective = interp.objectives.caricature(layer, target, options.power)
    found, before = grow(options, inputs, objective, noise, options.shift, number, runs)
    finished = as_input(model, found[None])
    proof = judge(inputs, objective, found, before, natural)
    return found, {
        "cosine": likeness(output(model, layer, finished), target),
        "before": likeness(output(model, layer, noise.images().detach()), target),
        "change": float((finished - original).abs().mean()),
        "evidence": proof.measures,
        "warnings": proof.warnings,
    }


def accentuated(
    options: Options,
    inputs: Inputs,
    aim: Aim,
    original: Tensor,
    natural: NDArray[np.uint8] | None,
    runs: int,
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The image itself with more of a unit, and what became of it: its unit, how near it stayed, its pixels.

    Hamblin et al., 2024, https://arxiv.org/abs/2402.10039.
    """
    model, near = inputs.model, options.near or options.layers[0]
    held = interp.objectives.nearness(near, output(model, near, original))
    unit = interp.objectives.channel(aim.layer, [aim.unit])
    start = interp.parameterisation.Fourier(
        [options.seed],
        options.size,
        options.size,
        channels=original.shape[1],
        decay=options.decay,
        saturation=options.saturation,
        start=original,
        device=original.device,
    )
    both = unit * (1 / aim.scale) + held * options.hold
    found, _ = grow(options, inputs, both, start, 0.0, runs - 1, runs)  # moved, it would not be near
    finished, row = as_input(model, found[None]), torch.zeros(1, dtype=torch.long)
    before, after = (
        float(unit.score({aim.layer: output(model, aim.layer, image)}, row)) for image in (original, finished)
    )
    proof = judge(inputs, unit, found, before, natural)
    return found, {
        "evidence": proof.measures,
        "warnings": proof.warnings,
        "label": aim.label,
        "near": near,
        "activation": after,
        "before": before,
        "nearness": float(held.score({near: output(model, near, finished)}, row)),
        "change": float((finished - original).abs().mean()),
    }


def grow(
    options: Options, inputs: Inputs, objective: Any, start: Any, shift: float, number: int, runs: int
) -> tuple[NDArray[np.uint8], float]:
    """One picture, (size, size, 3), that only shifts move: what is seen must stay where it was seen.

    With it, the objective on what it began as.
    """
    model = inputs.model
    found = interp.visualise.visualise(
        model.network,
        objective,
        start,
        normalise=model.normalise,
        transform=interp.transforms.Wobble(rotation=0.0, zoom=(1.0, 1.0), shift=shift),
        seeds=[options.seed * 100_003 + number],
        steps=options.steps,
        rate=options.rate,
        pace=inputs.pace(objective.layers, options.size, options.size),
        progress=inputs.part(number, runs),
        name=f"the objective on {' and '.join(layer or 'the output' for layer in objective.layers)}",
    )
    return interp.pictures.to_pixels(found.images)[0], float(found.before[0])


def judge(
    inputs: Inputs,
    objective: interp.objectives.Objective,
    pixels: NDArray[np.uint8],
    before: float,
    natural: NDArray[np.uint8] | None,
) -> Evidence:
    """Evidence of one picture. It has no twin: there are no other units to tell it from."""
    usual = None if natural is None else of_objective(inputs, objective, natural)
    (found,) = gather(inputs, objective, pixels[None], [before], usual)
    return found


def likeness(found: Tensor, target: Tensor) -> float:
    """Mean over positions of the cosine of two outputs of a layer."""
    one, other = interp.hooks.positions(found).float(), interp.hooks.positions(target).float()
    return float(torch.nn.functional.cosine_similarity(one, other, dim=1).mean())


def middle(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest square about the centre: many networks take no other images."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]
