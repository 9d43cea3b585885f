"""What single channels look for, from a network's first layers to its last: edges, textures, parts, objects.

Each picture is grown from noise until one channel of one layer is as active as it gets, so a row shows what a
layer tells apart, and the rows together how it builds up. A channel that nothing excites is left out of the
pictures and named beside them.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.channels import SILENT, Layer, Progress, grow, layer_of
from generator.evidence import Twins, gather, of_channels
from generator.inputs import Inputs
from generator.model import Model
from generator.natural import natural
from generator.readouts import layer_part
from generator.seeing import image_of
from generator.spec import UnitOptions, nearest

EXAMPLE = """\
model: tiny-vision
layers: [conv1, conv2, head]
channels: {conv1: [3, 1]}
count: 2
size: 32
smallest: 16
steps: 3
caption: What single channels look for, from the first layer to the last.
"""

NOISE = 8  # pictures of noise that say how active a channel is anyway
NOISE_DEVIATION = 0.3  # of their coefficients: about the contrast of a photograph


class Options(UnitOptions):
    model: str = Field(description="a model of site.toml that takes images")
    layers: tuple[str, ...] = Field(min_length=1, max_length=12, description="from low to high")
    channels: dict[str, tuple[int, ...]] = Field(
        default_factory=dict, description="by layer, which channels; those drawn by the seed if not given"
    )
    count: int = Field(5, ge=1, le=24, description="channels of each layer")
    size: int = Field(144, ge=16, le=512, description="pixels on a side in the last layer")
    smallest: int = Field(
        64, ge=16, le=512, description="pixels on a side in the first layer; those between grow evenly"
    )
    steps: int = Field(80, ge=1, le=5000, description="steps of ascent")
    rate: float = Field(0.03, gt=0, le=1, description="step size of Adam")
    decay: float = Field(
        1.3, ge=0, le=3, description="coefficients are scaled by 1 / frequency ** decay; higher is smoother"
    )
    saturation: float = Field(
        1.3, gt=0, le=10, description="how readily a step changes hue; 1 is as photographs have it"
    )
    rotation: float = Field(5.0, ge=0, le=180, description="random turns at each step, degrees either way")
    zoom: tuple[float, float] = Field((0.95, 1.1), description="random magnification at each step, from and to")
    shift: float = Field(0.05, ge=0, le=0.5, description="random shifts at each step, as a share of the size")

    @model_validator(mode="after")
    def _channels_of_layers(self) -> Self:
        for layer in self.channels:
            if layer not in self.layers:
                raise ValueError(f"channels: {layer!r} is not one of `layers`{nearest(layer, self.layers)}")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The forward pass ends at the layer that is shown, so low layers cost little."""
    image_of(inputs.model)
    arrays: dict[str, NDArray[np.uint8]] = {}
    measures: dict[str, float] = {}
    rungs = []
    for number, layer in enumerate(options.layers):
        rung = climb(inputs, layer, size_of(options, number), options, inputs.part(number, len(options.layers)))
        for unit in rung["units"]:
            name = f"{layer_part(layer)}.channel-{unit['channel']}"
            arrays[name] = unit.pop("pixels")
            unit["array"] = name
            measures |= {f"{name}.noise": unit["noise"]}
            measures |= {f"{name}.{measure}": value for measure, value in unit["evidence"].items()}
        rungs.append(rung)
    measures["silent"] = float(sum(len(rung["silent"]) for rung in rungs))
    return Artifact(arrays, {"rungs": rungs, "steps": options.steps, "seed": options.seed}, measures)


def size_of(options: Options, number: int) -> int:
    """Pixels on a side in the rung of that number: higher layers see more of a picture at once."""
    last = len(options.layers) - 1
    low = min(options.smallest, options.size)
    return options.size if last == 0 else round(low + (options.size - low) * number / last)


def climb(inputs: Inputs, layer: str, size: int, options: Options, progress: Progress) -> dict[str, Any]:
    """One layer: pictures of channels that respond, and the numbers of those tried that do not.

    Channels that the author names are all tried, and no others; else as many as it takes to show `count`.
    """
    here = layer_of(inputs.model, layer, size)
    on_noise = rest(inputs.model, here, options.seed)
    drawn = np.random.default_rng(options.seed).permutation(here.channels).tolist()
    waiting = [here.number(channel) for channel in options.channels.get(layer, drawn)]
    wanted = len(waiting) if layer in options.channels else options.count
    record = natural(inputs, here, options.dataset, options.split) if options.dataset else None
    wobble = interp.transforms.Wobble(options.rotation, options.zoom, options.shift)

    def grown(channels: list[int], steps: int, seed: int, progress: Progress) -> interp.visualise.Visualised:
        return grow(
            inputs,
            here,
            interp.objectives.channel(layer, channels),
            [seed * 100_003 + channel for channel in channels],
            steps,
            options.rate,
            progress,
            decay=options.decay,
            saturation=options.saturation,
            transform=wobble,
        )

    units: list[dict[str, Any]] = []
    silent: list[int] = []
    while waiting and len(units) < wanted:
        tried, waiting = waiting[: wanted - len(units)], waiting[wanted - len(units) :]
        found = grown(tried, options.steps, options.seed, progress)
        pixels, twins = interp.pictures.to_pixels(found.images), None
        if options.twins and len(tried) > 1:
            steps = max(1, options.steps // 2)
            second = grown(tried, steps, options.seed + 1, lambda done, total: None)
            twins = Twins(interp.pictures.to_pixels(second.images), tried)
        objective = interp.objectives.channel(layer, tried)
        usual = None if record is None else of_channels(record, tried)
        evidence = gather(inputs, objective, pixels, found.before.tolist(), usual, twins)
        for channel, picture, beside in zip(tried, pixels, evidence, strict=True):
            activation = beside.measures["activation"]
            if abs(activation) < SILENT:
                silent.append(channel)
                continue
            units.append(
                {
                    "channel": channel,
                    "label": here.label(channel),
                    "activation": activation,
                    "noise": on_noise[channel],
                    "pixels": picture,
                    "evidence": beside.measures,
                    "warnings": beside.warnings,
                }
            )
    seen = 0 if record is None else len(record.means)
    return {"layer": layer, "width": here.channels, "size": size, "units": units, "silent": silent, "natural": seen}


def rest(model: Model, layer: Layer, seed: int) -> list[float]:
    """The mean activation of each channel on pictures of noise."""
    noise = interp.parameterisation.Fourier(
        range(seed, seed + NOISE),
        layer.height,
        layer.width,
        channels=image_of(model).channels,
        deviation=NOISE_DEVIATION,
        device=interp.hooks.device(model.network),
    )
    (found,) = interp.hooks.activations(model.network, model.normalise(noise.images().detach()), layer.name).values()
    means: list[float] = interp.hooks.positions(found).mean((0, 2)).tolist()
    return means
