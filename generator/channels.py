"""The channels of a layer of a network that sees: how many there are, what excites them, what they see of an image.

What all channels of a layer have in common is computed once, whichever of their figures comes first, and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.key import code_digest, versions
from generator.model import Model
from generator.readouts import image_of, layer_gives_logits, recorded, resized
from generator.spec import BuildError, nearest

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

USUAL = 96  # pixels on a side of a synthetic image where the author names none; a larger one costs in proportion
SHOWN = 104  # pixels of an example's longer side
NOISES = 8  # images of noise that show what a position sees
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
        blank = torch.zeros(1, image.channels, height, width, device=interp.hooks.device(model.network))
        try:
            with torch.inference_mode():
                output = interp.hooks.activations(model.network, model.normalise(blank), name)[name]
                count = interp.recording.maps(output).shape[1]
        except Exception as error:  # the author's network may raise anything on images of another size
            problem = error
            continue
        classes = model.classes if layer_gives_logits(model, name, count) else ()
        return Layer(model.name, name, count, classes, height, width, side)
    tried = f"{size} × {size}" if size else f"{image.height} × {image.width}"
    reason = problem.args[0] if problem and problem.args else problem
    raise BuildError(f"layer {name} of model {model.name} cannot be run on images of {tried} pixels: {reason}")


def survey(inputs: Inputs) -> list[Layer]:
    """The layers of the model that have channels, as they run; kept, so that the model need not be loaded again."""

    def look() -> Artifact:
        model, image = inputs.model, image_of(inputs.model)
        device = interp.hooks.device(model.network)
        blank = torch.zeros(1, image.channels, image.height, image.width, device=device)
        try:
            shapes = interp.hooks.shapes(model.network, model.normalise(blank))
        except Exception as error:  # the author's network may raise anything
            raise BuildError(
                f"model {model.name} cannot be run on images of {image.height} × {image.width} pixels: {error}"
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


@dataclass(frozen=True)
class Natural:
    """What every channel does on images of a data set.

    means: (images, channels). positions: (images, channels, 2), of the maximum, in maps of `size`. numbers: (images,),
    which images of the split they are. skipped: sentences about those that could not be read.
    """

    means: NDArray[np.float32]
    positions: NDArray[np.int64]
    size: tuple[int, int]
    numbers: NDArray[np.int64]
    skipped: tuple[str, ...]


def natural(
    inputs: Inputs, layer: Layer, dataset: str, split: str, most: int, progress: Progress = lambda done, total: None
) -> Natural:
    """Record up to `most` images, spread evenly over the split, at the size of the synthetic ones."""

    def record() -> Artifact:
        images = inputs.images(dataset, split, skip=True)
        if not len(images.pixels):
            raise BuildError(f"data set {dataset} has no images in split {split}")
        numbers = np.linspace(0, len(images.pixels) - 1, min(most, len(images.pixels))).round().astype(np.int64)
        found = recorded(inputs.model, layer.name, images.pixels[numbers], layer.side, progress)
        arrays = {
            "means": found.means.numpy(),
            "positions": found.positions.numpy().astype(np.int32),
            "numbers": numbers,
        }
        return Artifact(arrays, {"size": found.size, "skipped": images.skipped})

    asked = common(inputs, layer, "natural") | {
        "data": inputs.library.data_fingerprint(dataset),
        "split": split,
        "most": most,
    }
    kept = inputs.kept(asked, record)
    rows, columns = kept.data["size"]
    return Natural(
        kept.arrays["means"],
        kept.arrays["positions"].astype(np.int64),
        (rows, columns),
        kept.arrays["numbers"],
        tuple(kept.data["skipped"]),
    )


def field(inputs: Inputs, layer: Layer) -> interp.receptive.Field:
    """What a position of the layer sees of an image."""

    def measure() -> Artifact:
        model = inputs.model
        source = torch.Generator().manual_seed(0)
        noise = torch.rand(NOISES, image_of(model).channels, layer.height, layer.width, generator=source)
        images = model.normalise(noise.to(interp.hooks.device(model.network)))
        found = asdict(interp.receptive.field(model.network, layer.name, images))
        return Artifact(data={side: None if np.isinf(value) else value for side, value in found.items()})

    kept = inputs.kept(common(inputs, layer, "field"), measure).data
    return interp.receptive.Field(**{side: np.inf if value is None else value for side, value in kept.items()})


def common(inputs: Inputs, layer: Layer, what: str) -> dict[str, Any]:
    """What all that is known of a layer depends on."""
    return {
        "what": what,
        "model": inputs.library.fingerprint(layer.model),
        "random": inputs.random,  # the seed of random weights, in a control
        "layer": layer.name,
        "size": [layer.height, layer.width],
        "code": code_digest(__name__),
        "versions": versions(),
    }


def cut(pixels: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """The part of an image, (height, width, channels), in a box of shares, as a colour picture of SHOWN pixels."""
    height, width = pixels.shape[:2]
    top, left = int(box[0] * height), int(box[1] * width)
    bottom, right = max(top + 1, round(box[2] * height)), max(left + 1, round(box[3] * width))
    part = pixels[top:bottom, left:right]
    part = np.repeat(part, 3, axis=2) if part.shape[2] == 1 else part
    scale = SHOWN / max(part.shape[:2])
    return resized(part, max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))


def grow(
    inputs: Inputs,
    layer: Layer,
    objective: interp.objectives.Objective,
    seeds: Sequence[int],
    steps: int,
    rate: float,
    progress: Progress,
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
            decay=1.3,  # as the layer ladder's
            saturation=1.3,
            device=interp.hooks.device(model.network),
        ),
        normalise=model.normalise,
        seeds=seeds,
        steps=steps,
        rate=rate,
        pace=inputs.pace(objective.layers, layer.height, layer.width),
        progress=progress,
        name=f"layer {layer.name}",
    )
