"""What layers see in an image: DeepDream changes it so that each layer says more of what it already says.

Low layers answer with strokes and textures, high layers with parts of objects that they believe to see.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.evidence import gather, of_objective
from generator.inputs import Inputs
from generator.natural import natural_pixels
from generator.readouts import layer_part
from generator.seeing import as_input, image_name, image_of
from generator.spec import ImageChoice, SyntheticOptions

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
image: {sample: chelsea}
layers: [conv1, conv2]
size: 32
octaves: 2
steps: 2
caption: A cat, as two layers see it.
"""


class Options(SyntheticOptions):
    model: str = Field(description="a model of site.toml that takes images")
    image: ImageChoice = Field(description="the image to start from")
    layers: tuple[str, ...] = Field(min_length=1, max_length=8, description="from low to high; one dream of each")
    size: int = Field(320, ge=16, le=1024, description="pixels of the longer side; a smaller image is not enlarged")
    octaves: int = Field(4, ge=1, le=10, description="sizes at which the image is enhanced")
    zoom: float = Field(1.4, gt=1, le=3, description="size of an octave over that of the one before it")
    steps: int = Field(10, ge=1, le=500, description="steps in each octave")
    rate: float = Field(0.01, gt=0, le=1, description="mean change of a pixel in a step, of its range from 0 to 1")
    jitter: int = Field(16, ge=0, le=128, description="random shifts at each step, up to so many pixels")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The measure `enhancement` is the layer's energy on the dream, over its energy on the original image."""
    model, image = inputs.model, image_of(inputs.model)
    picture, label = inputs.labelled_picture(options.image)
    original = interp.pictures.fit(as_input(model, picture[None]), options.size)

    def score(layer: str, images: Any) -> Any:
        found = interp.hooks.activations(model.network, model.normalise(images), layer)
        return interp.objectives.energy(layer, len(images)).score(found, torch.arange(len(images)))

    arrays = {"original": interp.pictures.to_pixels(original)[0]}
    natural = None
    if options.dataset is not None:
        natural = natural_pixels(inputs, options.dataset, options.split, *original.shape[2:])
    pictures = []
    measures: dict[str, float] = {}
    for number, layer in enumerate(options.layers):
        dreamt = interp.dream.dream(
            original[0],
            partial(score, layer),
            octaves=options.octaves,
            zoom=options.zoom,
            steps=options.steps,
            rate=options.rate,
            jitter=options.jitter,
            seed=options.seed,
            smallest=min(image.height, image.width) // 4,
            progress=inputs.part(number, len(options.layers)),
        ).unsqueeze(0)
        name = layer_part(layer)
        arrays[name] = interp.pictures.to_pixels(dreamt)[0]
        before, after = float(score(layer, original)), float(score(layer, dreamt.detach()))
        change = float((dreamt - original).abs().mean())
        objective = interp.objectives.energy(layer, 1)
        usual = None if natural is None else of_objective(inputs, objective, natural)
        (proof,) = gather(inputs, objective, arrays[name][None], [before], usual)
        row = {"array": name, "layer": layer, "energy": after, "energy_before": before, "change": change}
        pictures.append(row | {"evidence": proof.measures, "warnings": proof.warnings})
        measures |= {f"{name}.enhancement": after / max(before, 1e-12), f"{name}.change": change}
        measures |= {f"{name}.{measure}": value for measure, value in proof.measures.items()}
    data = {
        "pictures": pictures,
        "image": image_name(options.image, label),
        "natural": 0 if natural is None else len(natural),
        "seed": options.seed,
    }
    return Artifact(arrays, data, measures)
