"""Which parts of an image speak for a class: saliency, integrated gradients, Grad-CAM and occlusion, side by side.

Beside every map stands its control: the same method on the same network with random weights. A method whose map
hardly changes shows the image, not what the network has learnt (Adebayo et al., 2018,
https://arxiv.org/abs/1810.03292). The measure `METHOD.sanity-correlation` is Spearman's rank correlation of the
absolute values of the two maps, 0 where one is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from generator import interp
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.model import Model
from generator.readouts import class_numbers
from generator.seeing import as_input, enlarged, image_name, image_of, resized
from generator.spec import BuildError, FigureOptions, ImageChoice

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
image: {sample: chelsea}
target: c
steps: 8
window: 12
size: 64
caption: What speaks for class *c*, by four methods, and by the same four on random weights.
"""

Method = Literal["saliency", "integrated-gradients", "grad-cam", "occlusion"]

TITLES = {
    "saliency": ("Saliency", "how steeply the logit changes with each pixel"),
    "integrated-gradients": (
        "Integrated gradients",
        "what each pixel adds to the logit on the way from plain grey to the image",
    ),
    "grad-cam": ("Grad-CAM", "where channels that speak for the class are active"),
    "occlusion": ("Occlusion", "how far the logit falls where plain grey covers the image"),
}
SIGNED = ("integrated-gradients", "occlusion")
# From here on a map is called much the same for random weights. Our choice: Adebayo et al. draw no line.
ALIKE = 0.5
FULL = 0.99  # this quantile of |map| has the deepest colour, as single pixels of gradients stick out


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that classifies images")
    image: ImageChoice = Field(description="the image: from a data set, a file or a sample")
    target: str | None = Field(None, description="the class that is asked about; the winning one if not given")
    methods: tuple[Method, ...] = Field(
        ("saliency", "integrated-gradients", "grad-cam", "occlusion"), min_length=1, description="in order of display"
    )
    layer: str | None = Field(
        None, description="the layer of Grad-CAM; the last whose output has height and width if not given"
    )
    steps: int = Field(128, ge=1, le=1000, description="nodes on the path of integrated gradients")
    baseline: float = Field(
        0.5,
        ge=0,
        le=1,
        description="the grey that stands for nothing: where the path starts, and what covers; 0 is black",
    )
    window: int | None = Field(
        None, ge=1, description="pixels on a side of the square that covers; a seventh of the image if not given"
    )
    stride: int | None = Field(None, ge=1, description="pixels between two squares; half a square if not given")
    size: int = Field(224, ge=1, le=1024, description="pixels on a side of the pictures as they are shown, about")

    @field_validator("methods")
    @classmethod
    def _each_once(cls, methods: tuple[Method, ...]) -> tuple[Method, ...]:
        if len(set(methods)) < len(methods):
            raise ValueError("names a method twice")
        return methods


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The control has the class, the layer and all options of the map beside it, and weights of seed + 1."""
    try:
        interp.attribution  # noqa: B018  (loads it)
    except ModuleNotFoundError as error:
        raise BuildError("attribution needs Captum: pip install 'whatfires[attribution]'") from error
    model, untrained = inputs.model, inputs.untrained(options.seed + 1)
    class_numbers(model, () if options.target is None else (options.target,))
    image = image_of(model)
    picture, truth = inputs.labelled_picture(options.image)
    pixels = resized(picture, image.width, image.height)
    images = as_input(model, pixels[None])
    logits = steady_logits(model, images)
    target = class_number(model, options.target, logits)
    layer = spatial_layer(model, images, options.layer) if "grad-cam" in options.methods else ""

    ground = enlarged(pixels, options.size)
    arrays = {"image": ground}
    measures = {"logit": float(logits[target]), "probability": float(logits.softmax(0)[target])}
    rows: list[dict[str, Any]] = []
    for number, method in enumerate(options.methods):
        pair = []
        for one, network in enumerate((model, untrained)):
            pair.append(attribute(method, network, images, target, layer, options))
            inputs.progress(2 * number + one + 1, 2 * len(options.methods))
        own, random = pair
        arrays |= {method: drawn(ground, method, own), f"{method}-random": drawn(ground, method, random)}
        rows.append(row(method, own, random))
        measures[f"{method}.sanity-correlation"] = rows[-1]["correlation"]
        measures[f"{method}.central-share"] = rows[-1]["central_share"]
        if method == "integrated-gradients":
            rise = float(logits[target] - steady_logits(model, torch.full_like(images, options.baseline))[target])
            measures |= {f"{method}.sum": float(own.double().sum()), f"{method}.rise": rise}
            measures[f"{method}.completeness-error"] = abs(measures[f"{method}.sum"] - rise)
    data = {
        "rows": rows,
        "image": image_name(options.image, truth),
        "target": model.classes[target],
        "winner": model.classes[int(logits.argmax())],
        "layer": layer,
        "baseline": options.baseline if {"integrated-gradients", "occlusion"} & set(options.methods) else None,
        "alike": ALIKE,
        "full": FULL,
        "seed": options.seed + 1,
    }
    return Artifact(arrays, data, measures)


def steady_logits(model: Model, images: Tensor) -> Tensor:
    """The logits of one image, (classes,), float64. BuildError where a second pass gives others."""
    with torch.no_grad():
        once, again = (interp.hooks.first_tensor(model.network(model.normalise(images)))[0].double() for _ in range(2))
    if not torch.allclose(once, again, rtol=1e-4, atol=1e-5, equal_nan=True):
        raise BuildError(
            f"model {model.name} gives one image other logits each time it sees it; is there dropout that stays on in "
            "eval mode? F.dropout wants training=self.training"
        )
    return once.cpu()


def class_number(model: Model, name: str | None, logits: Tensor) -> int:
    """The logit of a class, or the highest; BuildError where the classes are not the logits."""
    if len(logits) != len(model.classes):
        raise BuildError(f"model {model.name} has {len(model.classes)} classes, and gives {len(logits)} logits")
    return int(logits.argmax()) if name is None else model.classes.index(name)


def spatial_layer(model: Model, images: Tensor, wanted: str | None) -> str:
    """The layer of Grad-CAM: the one wanted, or the last whose output has more than one position.

    The last in the order in which layers end for the first time, so that a block comes after its parts.
    """
    with torch.no_grad(), interp.hooks.capture(model.network, *model.layers()) as found:
        model.network(model.normalise(images))
    spatial = [
        name
        for name, output in found.items()
        if isinstance(output, torch.Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1
    ]
    if not spatial:
        raise BuildError(
            f"model {model.name} has no layer whose output has height and width, so there is no Grad-CAM of it; "
            f"leave grad-cam out: methods: [{', '.join(method for method in TITLES if method != 'grad-cam')}]"
        )
    if wanted is not None and wanted not in spatial:
        raise BuildError(
            f"the output of layer {wanted} of model {model.name} has no height and width, so there is no Grad-CAM of "
            f"it; the last layer that has is {spatial[-1]}"
        )
    return wanted or spatial[-1]


def attribute(method: Method, model: Model, images: Tensor, target: int, layer: str, options: Options) -> Tensor:
    """The map of one method for one image, (rows, columns), on the CPU; BuildError where it is not all numbers."""
    instruments = interp.attribution
    nothing = torch.full_like(images, options.baseline)

    def score(images: Tensor) -> Tensor:
        logits: Tensor = interp.hooks.first_tensor(model.network(model.normalise(images)))
        return logits[:, target]

    if method == "saliency":
        maps = instruments.saliency(score, images)
    elif method == "integrated-gradients":
        maps = instruments.integrated_gradients(score, images, nothing, options.steps)
    elif method == "grad-cam":
        maps = instruments.grad_cam(model.network, layer, model.normalise(images), [target])
    else:
        window = options.window or max(1, round(min(images.shape[2:]) / 7))
        maps = instruments.occlusion(score, images, nothing, window, options.stride or max(1, window // 2))
    if not bool(maps.isfinite().all()):
        raise BuildError(f"{TITLES[method][0]} of model {model.name}: some values are NaN or infinite")
    return maps[0].float().cpu()


def row(method: Method, own: Tensor, random: Tensor) -> dict[str, Any]:
    """What is told of a method's map, (rows, columns), and of that of random weights beside it."""
    correlation = float(interp.selectivity.correlations(own.abs().flatten()[:, None], random.abs().flatten())[0])
    across, down = interp.heatmaps.peak(own)
    title, says = TITLES[method]
    return {
        "method": method,
        "title": title,
        "says": says,
        "signed": method in SIGNED,
        "correlation": correlation,
        "alike": correlation >= ALIKE,
        "empty": not bool(own.any()),
        "random_empty": not bool(random.any()),
        "central_share": interp.heatmaps.central_share(own),
        "across": across,
        "down": down,
    }


def drawn(ground: NDArray[np.uint8], method: Method, values: Tensor) -> NDArray[np.uint8]:
    """Each map has its own scale: units differ. Grad-CAM is smoothed from its few positions, as in its paper."""
    full = float(values.abs().quantile(FULL)) or float(values.abs().max())
    picture: NDArray[np.uint8] = interp.heatmaps.drawn(ground, values, full, smooth=method == "grad-cam")
    return picture
