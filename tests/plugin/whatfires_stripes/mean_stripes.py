"""The mean image of a data set: what all of its pictures have in common."""

import numpy as np
from pydantic import Field

from generator.artifact import Artifact
from generator.inputs import Inputs
from generator.spec import FigureOptions

EXAMPLE = "dataset: stripes\ncaption: What stripes have in common."


class Options(FigureOptions):
    dataset: str = Field(description="a data set of images")
    split: str = Field("test", description="the part of it that is shown")


def compute(options: Options, inputs: Inputs) -> Artifact:
    pixels = inputs.images(options.dataset, options.split).pixels
    mean = pixels.mean(axis=0)  # (height, width, channels)
    picture = np.broadcast_to(mean.round().astype(np.uint8), (*mean.shape[:2], 3))
    return Artifact(arrays={"mean": picture}, measures={"brightness": float(mean.mean() / 255)})
