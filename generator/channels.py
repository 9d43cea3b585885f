"""The channels of a layer of a network that sees: how many there are, what they are called, and what excites them.

What all channels of a layer have in common is computed once, whichever of their figures comes first, and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.key import code_digest, versions
from generator.model import Model, advice
from generator.readouts import layer_gives_logits
from generator.seeing import image_of
from generator.spec import BuildError, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")

USUAL = 96  # pixels on a side of a synthetic image where the author names none; a larger one costs in proportion
OTHERS = 8  # units of a layer whose pictures one unit's are compared with
SILENT = 1e-6  # an activation below it is none: after a ReLU, dead, or without a gradient to start climbing

SPAN = re.compile(r"(\d*):(\d*)")  # of units, as in 0:16

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Layer:
    """A layer of a model, run on images of height × width; `side` is None where that is the network's own size."""

    model: str
    name: str
    channels: int
    classes: tuple[str, ...]  # names of the channels, where these are the logits
    height: int = 0
    width: int = 0
    side: int | None = None

    def label(self, unit: int) -> str:
        """How a channel is called: by its class, or by its number."""
        return self.classes[unit] if self.classes else f"channel {unit}"

    def number(self, unit: int | str) -> int:
        """The channel that the author means; BuildError where there is none such."""
        if isinstance(unit, int) and 0 <= unit < self.channels:
            return unit
        if isinstance(unit, str) and unit in self.classes:
            return self.classes.index(unit)
        if isinstance(unit, str):
            known = nearest(unit, self.classes) if self.classes else "; its units have no names, only numbers"
            raise BuildError(f"layer {self.name} of model {self.model} has no unit {unit!r}{known}")
        raise BuildError(f"layer {self.name} of model {self.model} has units 0 to {self.channels - 1}, not {unit}")

    def numbers(self, units: Sequence[int | str]) -> list[int]:
        """Channels by number, class, or a range such as "0:16", from its first to before its last; none twice."""
        found: list[int] = []
        for unit in units:
            span = SPAN.fullmatch(unit) if isinstance(unit, str) else None
            if span is None:
                found.append(self.number(unit))
                continue
            start, stop = int(span[1] or 0), int(span[2] or self.channels)
            if not start < stop <= self.channels:
                raise BuildError(
                    f"layer {self.name} of model {self.model} has units 0:{self.channels}; {unit} is no part of them"
                )
            found += range(start, stop)
        return list(dict.fromkeys(found))


def layer_of(model: Model, name: str, size: int | None) -> Layer:
    """The layer on images of size × size pixels; if not given, of USUAL or what the network takes, if that is less.

    BuildError where the layer cannot be run so.
    """
    image = image_of(model)
    usual = USUAL if min(image.height, image.width) > USUAL else None
    problem: Exception | None = None
    for side in [size] if size else dict.fromkeys([usual, None]):
        height, width = (side, side) if side else (image.height, image.width)
        try:
            with torch.inference_mode():
                output = interp.hooks.activations(model.network, blank(model, height, width), name)[name]
                count = interp.hooks.maps(output).shape[1]
        except Exception as error:  # the author's network may raise anything on images of another size
            problem = error
            continue
        classes = model.classes if layer_gives_logits(model, name, count) else ()
        return Layer(model.name, name, count, classes, height, width, side)
    tried = f"{size} × {size}" if size else f"{image.height} × {image.width}"
    reason = advice(problem) if problem else ""
    raise BuildError(f"layer {name} of model {model.name} cannot be run on images of {tried} pixels: {reason}")


def survey(inputs: Inputs) -> list[Layer]:
    """The layers of the model that have channels, as they run; kept, so that the model need not be loaded again."""

    def look() -> Artifact:
        model, image = inputs.model, image_of(inputs.model)
        try:
            shapes = interp.hooks.shapes(model.network, blank(model, image.height, image.width))
        except Exception as error:  # the author's network may raise anything
            raise BuildError(
                f"model {model.name} cannot be run on images of {image.height} × {image.width} pixels: {advice(error)}"
            ) from error
        # (batch, tokens, channels), or (batch, channels) with or without positions
        counts = {name: shape[2 if len(shape) == 3 else 1] for name, shape in shapes.items() if 2 <= len(shape) <= 4}
        logits = [name for name, count in counts.items() if layer_gives_logits(model, name, count)]
        return Artifact(data={"counts": counts, "classes": list(model.classes), "logits": logits})

    name = str(inputs.model_name)
    kept = inputs.kept(common(inputs, Layer(name, "", 0, ()), "survey"), look).data
    classes = tuple(kept["classes"])
    return [
        Layer(name, layer, count, classes if layer in kept["logits"] else ()) for layer, count in kept["counts"].items()
    ]


def blank(model: Model, height: int, width: int) -> Tensor:
    """A black image as the network wants it: what it says of one tells what its layers give."""
    black = torch.zeros(1, image_of(model).channels, height, width, device=interp.hooks.device(model.network))
    return model.normalise(black)


def common(inputs: Inputs, layer: Layer, what: str, module: str = __name__) -> dict[str, Any]:
    """What all that is known of a layer depends on; `module` computes it."""
    return {
        "what": what,
        "model": inputs.library.fingerprint(layer.model),
        "random": inputs.random,  # the seed of random weights, in a control
        "layer": layer.name,
        "size": [layer.height, layer.width],
        "code": code_digest(module),
        "versions": versions(),
    }


def grow(
    inputs: Inputs,
    layer: Layer,
    objective: interp.objectives.Objective,
    seeds: Sequence[int],
    steps: int,
    rate: float,
    progress: Progress = lambda done, total: None,
    *,
    decay: float = 1.3,
    saturation: float = 1.3,
    transform: interp.transforms.Wobble | None = None,
) -> interp.visualise.Visualised:
    """Synthetic images of the layer's size, one of each seed."""
    model = inputs.model
    return interp.visualise.visualise(
        model.network,
        objective,
        interp.parameterisation.Fourier(
            seeds,
            layer.height,
            layer.width,
            channels=image_of(model).channels,
            decay=decay,
            saturation=saturation,
            device=interp.hooks.device(model.network),
        ),
        normalise=model.normalise,
        transform=transform,
        seeds=seeds,
        steps=steps,
        rate=rate,
        pace=inputs.pace(objective.layers, layer.height, layer.width),
        progress=progress,
        name=f"layer {layer.name}",
    )


def seed_of(seed: int, unit: int) -> int:
    """Of a unit's synthetic image, the same in every figure of the seed `seed`; the ninety-nine after it are free."""
    return seed * 100_003 + 100 * unit


def others(
    inputs: Inputs, layer: Layer, steps: int, rate: float, seed: int
) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Synthetic images of up to OTHERS units spread over the layer, (units, height, width, 3), and which these are.

    Units that nothing excites are left out.
    """

    def make() -> Artifact:
        count = min(OTHERS, layer.channels)
        units = [number * layer.channels // count for number in range(count)]
        objective = interp.objectives.channel(layer.name, units)
        found = grow(inputs, layer, objective, [seed_of(seed, unit) for unit in units], steps, rate)
        active = (found.activations.abs() >= SILENT).tolist()
        return Artifact(
            {"pixels": interp.pictures.to_pixels(found.images)[active]},
            {"units": [unit for unit, one in zip(units, active, strict=True) if one]},
        )

    kept = inputs.kept(common(inputs, layer, "others") | {"steps": steps, "rate": rate, "seed": seed}, make)
    return kept.arrays["pixels"], tuple(kept.data["units"])
