"""What a network thinks a class looks like: a picture grown from noise until the class scores high.

The picture is an argument about the network, not a photograph: the measures beside it say how sure the network
is of the very pixels that the reader sees, after their rounding to eight bits.
"""

from __future__ import annotations

import re

import numpy as np
from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.inputs import Inputs
from generator.spec import BuildError, FigureOptions, nearest

EXAMPLE = """\
model: tiny-vision
classes: [a, c]
steps: 4
caption: What two classes look like to a network that has seen nothing yet.
"""


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that classifies images")
    classes: tuple[str, ...] = Field(min_length=1, max_length=24, description="names of the model's classes, in order of display")
    size: int | None = Field(None, ge=16, le=1024, description="pixels on a side; the model's own input size if not given")
    steps: int = Field(110, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.05, gt=0, le=1, description="step size of Adam")
    decay: float = Field(1.0, ge=0, le=3, description="coefficients are scaled by 1 / frequency ** decay; higher is smoother")
    rotation: float = Field(10.0, ge=0, le=180, description="random turns at each step, degrees either way")
    zoom: tuple[float, float] = Field((0.95, 1.1), description="random magnification at each step, from and to")
    shift: float = Field(0.05, ge=0, le=0.5, description="random shifts at each step, as a share of the size")
    noise: float = Field(0.05, ge=0, le=1, description="random noise at each step, its standard deviation")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """One class after the other: a batch would be no faster on a CPU, and each picture is then its own."""
    model = inputs.model
    if model.image is None or not model.classes:
        raise BuildError(f"model {model.name} does not classify images, so it has no class images")
    for name in options.classes:
        if name not in model.classes:
            raise BuildError(f"model {model.name} has no class {name!r}{nearest(name, model.classes)}")
    height, width = (options.size, options.size) if options.size else (model.image.height, model.image.width)

    arrays, pictures, measures = {}, [], {}
    for number, label in enumerate(options.classes):
        target = model.classes.index(label)
        seeds = [options.seed * 100_003 + target]
        picture = interp.parameterisation.Fourier(
            seeds, height, width, channels=model.image.channels, decay=options.decay, device=interp.hooks.device(model.network)
        )
        sources = interp.transforms.generators(seeds)
        ascended = interp.ascent.ascend(
            picture,
            lambda images, target=target: interp.objectives.logit(model.network(model.normalise(images)), [target]),
            steps=options.steps,
            rate=options.rate,
            transform=lambda images, sources=sources: interp.transforms.noise(
                interp.transforms.wobble(
                    images, sources, rotation=options.rotation, zoom=options.zoom, shift=options.shift * height
                ),
                sources,
                options.noise,
            ),
            progress=lambda done, total, number=number: inputs.progress(number * total + done, len(options.classes) * total),
            name=f"the logit of {label!r}",
        )
        pixels = interp.ascent.eight_bit(ascended.images)[0]
    raise NotImplementedError
