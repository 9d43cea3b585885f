"""Where channels of one layer fire on an image: each channel's activation as a map over the picture.

A map is a fact about one image. What a channel looks for in general takes many images, or a picture grown for it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.inputs import Inputs
from generator.seeing import as_input, enlarged, image_name, image_of, resized
from generator.spec import BuildError, FigureOptions, ImageChoice

EXAMPLE = """\
model: tiny-vision
image: {sample: chelsea}
layer: conv1
count: 3
size: 64
caption: Where three channels of the first layer fire on a cat.
"""


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that takes images")
    image: ImageChoice = Field(description="the image: from a data set, a file or a sample")
    layer: str = Field(description="a layer whose output has height and width, such as a convolution")
    channels: tuple[int, ...] | None = Field(
        None, min_length=1, max_length=48, description="by number, from 0; the most active if not given"
    )
    count: int = Field(
        8, ge=1, le=48, description="how many of the most active: those with the highest maximum on this image"
    )
    scale: Literal["shared", "each"] = Field(
        "shared", description="one scale for all, so that channels can be compared, or each its own"
    )
    size: int = Field(224, ge=1, le=1024, description="pixels on a side of the pictures as they are shown, about")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Of channels with the same maximum, as after a ReLU6, the one with the higher mean comes first.

    The colours are symmetric about zero where any value is negative, and go from zero up where none is.
    """
    model = inputs.model
    image = image_of(model)
    picture, label = inputs.labelled_picture(options.image)
    pixels = resized(picture, image.width, image.height)
    images = model.normalise(as_input(model, pixels[None]))
    found = interp.hooks.activations(model.network, images, options.layer)[options.layer]
    if found.ndim != 4:
        raise BuildError(
            f"layer {options.layer} of model {model.name} gives {tuple(found.shape[1:])} for an image, without height "
            "and width, so its units have no maps; name a layer before it"
        )
    maps = found[0].detach().float().cpu()  # (channels, rows, columns)
    if not bool(maps.isfinite().all()):
        raise BuildError(f"layer {options.layer} of model {model.name}: some activations are NaN or infinite")
    highest, means = maps.amax((1, 2)).tolist(), maps.mean((1, 2)).tolist()
    active = sorted(range(len(maps)), key=lambda channel: (-highest[channel], -means[channel]))
    chosen = list(options.channels or active[: options.count])
    for channel in chosen:
        if not 0 <= channel < len(maps):
            raise BuildError(
                f"layer {options.layer} of model {model.name} has channels 0 to {len(maps) - 1}, not {channel}"
            )

    ground = enlarged(pixels, options.size)
    arrays = {"image": ground}
    measures: dict[str, float] = {}
    shown = []
    shared = float(maps[chosen].abs().max())
    for channel in chosen:
        one = maps[channel]
        full = shared if options.scale == "shared" else float(one.abs().max())
        across, down = interp.heatmaps.peak(one)
        name = f"channel-{channel}"
        arrays[name] = interp.heatmaps.drawn(ground, one, full, smooth=True)
        measures |= {f"{name}.max": highest[channel], f"{name}.mean": means[channel]}
        shown.append({"array": name, "channel": channel, "silent": not bool(one.any()), "across": across, "down": down})
    data = {
        "maps": shown,
        "image": image_name(options.image, label),
        "layer": options.layer,
        "width": len(maps),
        "positions": list(maps.shape[1:]),
        "chosen": options.channels is None,
        "signed": bool((maps[chosen] < 0).any()),
        "scale": options.scale,
        "full": shared,
    }
    return Artifact(arrays, data, measures)
