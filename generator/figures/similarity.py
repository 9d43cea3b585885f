"""Which classes a linear read-out takes for each other: the likeness of its rows, and its mistakes beside it.

Two classes whose rows point the same way can hardly be told apart, and the confusions show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.data import Images
from generator.inputs import Inputs
from generator.model import Model
from generator.readouts import alike, class_rows, level, pair_measures, safe_name, scores
from generator.spec import BuildError, FigureOptions, nearest

EXAMPLE = """\
model: tiny-linear
dataset: digits
order: similar
caption: Digits that look alike to a linear classifier, and those that it confuses.
"""

MOST = 40  # classes of a table that can still be read


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml with a linear layer that gives the scores of its classes")
    dataset: str | None = Field(
        None, description="a data set of site.toml, for the confusions; without, only the likeness"
    )
    split: str = Field("test", description="the split of the data set")
    classes: tuple[str, ...] | None = Field(
        None, min_length=2, description="classes shown, in order of display; all if not given"
    )
    order: Literal["given", "similar"] = Field(
        "given", description="similar: classes whose rows are alike stand side by side"
    )


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The confusions count all images of the classes shown, whichever class the network takes them for."""
    model = inputs.model
    rows = class_rows(model).chosen(options.classes)
    if len(rows.names) > MOST:
        raise BuildError(f"model {model.name} has {len(rows.names)} classes; name at most {MOST} of them in `classes`")
    cosines = interp.linear.cosines(rows.weights).tolist()
    order = alike(cosines) if options.order == "similar" else list(range(len(rows.names)))
    names = [rows.names[number] for number in order]
    cosines = [[cosines[row][column] for column in order] for row in order]
    pairs = [(cosines[i][j], i, j) for i in range(len(names)) for j in range(i)]
    closest = max(pairs, default=(0.0, 0, 0))
    measures = pair_measures("cosine", names, cosines)
    data: dict[str, Any] = {
        "classes": names,
        "layer": rows.layer,
        "cosines": [[{"value": round(value, 2), "level": level(value)} for value in line] for line in cosines],
        "closest": {"pair": [names[closest[2]], names[closest[1]]], "cosine": round(closest[0], 3)},
        "confusions": None,
    }
    if options.dataset is not None:
        shares, accuracy, counted = confusions(model, inputs.images(options.dataset, options.split), names, inputs)
        measures |= pair_measures("confusion", names, shares)
        measures |= {f"accuracy.{safe_name(name)}": shares[number][number] for number, name in enumerate(names)}
        measures["accuracy"] = accuracy
        mistakes = [(shares[i][j], i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
        worst = max(mistakes, default=(0.0, 0, 0))
        data["confusions"] = [
            [{"value": round(100 * share), "level": level(share)} for share in line] for line in shares
        ]
        data |= {
            "accuracy": round(accuracy, 4),
            "images": counted,
            "split": options.split,
            "worst": {"true": names[worst[1]], "taken": names[worst[2]], "share": round(worst[0], 3)},
        }
    return Artifact(data=data, measures=measures)


def confusions(
    model: Model, images: Images, names: Sequence[str], inputs: Inputs
) -> tuple[list[list[float]], float, int]:
    """Which share of each true class (row) is taken for each class (column); the accuracy; how many images."""
    for name in images.classes:
        if name not in model.classes:
            raise BuildError(
                f"the data set's class {name!r} is no class of model {model.name}{nearest(name, model.classes)}"
            )
    absent = [name for name in names if name not in images.classes]
    if absent:
        raise BuildError(f"the data set has no class {absent[0]!r}{nearest(absent[0], images.classes)}")
    shown = [number for number, name in enumerate(images.classes) if name in names]
    chosen = np.flatnonzero(np.isin(images.labels, shown))
    taken: list[int] = []
    for batch in scores(model, images.pixels[chosen]):
        taken += batch.argmax(1).tolist()
        inputs.progress(len(taken), len(chosen))
    true = [images.classes[label] for label in images.labels[chosen].tolist()]
    predicted = [model.classes[number] for number in taken]
    counts = Counter(true)
    for name in names:
        if not counts[name]:
            raise BuildError(f"the split has no images of class {name!r}")
    both = Counter(zip(true, predicted, strict=True))
    shares = [[both[row, column] / counts[row] for column in names] for row in names]
    return shares, sum(both[name, name] for name in names) / len(true), len(true)
