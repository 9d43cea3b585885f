"""How a classifier judges one image: the score of each class, and which class wins.

For a linear classifier the score of a class is the product of its row of weights with the pixels, plus a bias.
"""

from __future__ import annotations

from pydantic import Field

from generator.artifact import Artifact
from generator.inputs import Inputs
from generator.readouts import safe_name, scores
from generator.seeing import enlarged, image_of, resized
from generator.spec import FigureOptions, ImageChoice

EXAMPLE = """\
model: tiny-linear
image: {dataset: digits, index: 3}
caption: The scores of one handwritten digit.
"""


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that classifies images")
    image: ImageChoice = Field(description="the image: from a data set, a file or a sample")
    most: int = Field(10, ge=1, le=100, description="classes shown; of more, those with the highest scores")
    size: int = Field(192, ge=1, le=1024, description="pixels on a side of the image as it is shown, about")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The image is shown as the network gets it; a model of few classes keeps them in its own order."""
    model = inputs.model
    image = image_of(model)
    picture, truth = inputs.labelled_picture(options.image)
    pixels = resized(picture, image.width, image.height)
    values = [float(value) for value in next(scores(model, pixels[None]))[0]]
    order = sorted(range(len(values)), key=lambda number: -values[number])
    shown = range(len(values)) if len(values) <= options.most else order[: options.most]
    low, high = min(0.0, *(values[number] for number in shown)), max(0.0, *(values[number] for number in shown))
    span = (high - low) or 1.0
    bars = [
        {
            "label": model.classes[number],
            "score": round(values[number], 3),
            # of the bar's width, in per cent: where it starts, and its length
            "start": round(100 * (min(values[number], 0.0) - low) / span, 2),
            "length": round(100 * abs(values[number]) / span, 2),
            "winner": number == order[0],
            "true": model.classes[number] == truth,
        }
        for number in shown
    ]
    measures = {f"score.{safe_name(model.classes[number])}": values[number] for number in shown}
    measures["margin"] = values[order[0]] - values[order[1]] if len(order) > 1 else 0.0
    if truth in model.classes:
        true = model.classes.index(truth)
        measures["rank.true"] = float(order.index(true) + 1)
        measures["margin.true"] = values[true] - max((values[other] for other in order if other != true), default=0.0)
    data = {
        "bars": bars,
        "zero": round(-100 * low / span, 2),
        "winner": model.classes[order[0]],
        "truth": truth,
        "classes": len(values),
        "margin": round(measures["margin"], 3),
    }
    return Artifact({"image": enlarged(pixels, options.size)}, data, measures)
