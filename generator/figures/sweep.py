"""What a setting of training does: the same network trained once for each of several values, side by side.

Where the weights are pictures, each column shows them, from noise to smooth; below, what each network
measures on images or text that it was not trained on. The best value is chosen by these very measures,
so a fair estimate of it needs other data yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, ClassVar

from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.inputs import Inputs
from generator.model import Model
from generator.readouts import picture_rows, safe_name
from generator.seeing import enlarged
from generator.spec import BuildError, FigureOptions

EXAMPLE = """\
model: tiny-linear
setting: l2
values: [0, 0.01, 1]
classes: ["0", "3"]
caption: From no penalty on the weights to a strong one.
"""

Value = int | float | bool | str
# The 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom (Student, 1908, doi 10.2307/2331554).
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
SHOWN = 4  # classes, where none are named
STEP, HEIGHT = 20, 16  # of the line: units between values, and from top to bottom
MARGIN = 3  # units above and below the line


class Options(FigureOptions):
    varies_training: ClassVar[bool] = True

    model: str = Field(description="a model of site.toml with a `train` recipe; it is trained once for each value")
    setting: str = Field(description="a setting of that recipe, such as l2 or rate")
    values: tuple[Value, ...] = Field(min_length=2, max_length=12, description="its values, in order of display")
    seeds: tuple[int, ...] = Field(
        (), max_length=len(STUDENT) + 1, description="seeds of the recipe, each trained for each value; its own if none"
    )
    classes: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=12, description="whose weights are shown; the first four if not given"
    )
    size: int = Field(96, ge=1, le=512, description="pixels on a side, about; a multiple of the weights' own")

    @field_validator("values")
    @classmethod
    def _different(cls, values: tuple[Value, ...]) -> tuple[Value, ...]:
        names = [written(value) for value in values]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the value {name} is there twice")
        return values

    @model_validator(mode="after")
    def _several_seeds(self) -> Options:
        if len(self.seeds) == 1 or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: give two or more that differ, for an interval; one is set in the recipe")
        if self.seeds and self.setting == "seed":
            raise ValueError("seeds: the values are seeds already")
        return self

    def variants(self, value: Value) -> list[dict[str, Value]]:
        """The settings of the networks that are trained for a value: one for each seed.

        >>> Options(model="m", setting="l2", values=(0, 1), seeds=(3, 4)).variants(1)
        [{'l2': 1, 'seed': 3}, {'l2': 1, 'seed': 4}]
        """
        return [{self.setting: value, **({} if seed is None else {"seed": seed})} for seed in self.seeds or (None,)]


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Each picture has its own scale: a strong penalty makes weights small, and their shape is what is compared."""
    arrays: dict[str, NDArray[Any]] = {}
    measures: dict[str, float] = {}
    columns: list[dict[str, Any]] = []
    intervals: dict[str, tuple[float, float]] = {}
    for number, value in enumerate(options.values):
        trained = [inputs.trained_with(each) for each in options.variants(value)]
        model = trained[0][0]
        inputs.progress(number + 1, len(options.values))
        each = [with_roughness(*one) for one in trained]
        found = {name: fmean(one[name] for one in each) for name in each[0]}
        if options.seeds:
            ends = {name: interval([one[name] for one in each]) for name in found}
            intervals |= {f"{written(value)}.{name}": pair for name, pair in ends.items()}
        off = {name: intervals[f"{written(value)}.{name}"][1] - found[name] for name in found if options.seeds}
        pictures: list[dict[str, str]] = []
        if model.image is not None:
            for label, pixels in drawn(model, options):
                array = f"value-{number}-class-{len(pictures)}"
                arrays[array] = pixels
                pictures.append({"array": array, "label": label})
        elif options.classes is not None:
            raise BuildError(f"the weights of model {model.name} are no pictures; leave out `classes`")
        columns.append({"value": written(value), "measures": found, "off": off, "pictures": pictures})
        measures |= {f"{written(value)}.{name}": one for name, one in found.items()}
    judged = "accuracy" if "accuracy" in columns[0]["measures"] else "loss"
    scores = [column["measures"][judged] for column in columns]
    best = scores.index(max(scores) if judged == "accuracy" else min(scores))
    measures[f"best.{judged}"] = scores[best]
    if options.seeds:
        intervals[f"best.{judged}"] = intervals[f"{written(options.values[best])}.{judged}"]
    if isinstance(options.values[best], int | float):
        measures["best"] = float(options.values[best])
    data = {
        "setting": options.setting,
        "columns": columns,
        "rows": [name for name in columns[0]["measures"] if "." not in name],  # .train is of the training data
        "judged": judged,
        "best": best,
        "line": line(scores),
        "size": [STEP * len(scores), HEIGHT],
        "seeds": len(options.seeds),
    }
    return Artifact(arrays, data, measures, intervals=intervals)


def with_roughness(model: Model, measured: Mapping[str, float]) -> dict[str, float]:
    """What a network measures, and, where its weights are pictures, how rough these are."""
    found = {name: float(one) for name, one in measured.items()}
    if model.image is not None:
        found["roughness"] = float(interp.linear.roughness(picture_rows(model, None).weights).mean())
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Ends of Student's 95 % interval of the mean of what different seeds gave."""
    middle, off = fmean(values), STUDENT[len(values) - 2] * stdev(values) / math.sqrt(len(values))
    return middle - off, middle + off


def drawn(model: Model, options: Options) -> list[tuple[str, NDArray[Any]]]:
    """The weights of the classes shown, as (class, picture)."""
    rows = picture_rows(model, None)
    rows = rows.chosen(options.classes or rows.names[:SHOWN])
    pixels = interp.pictures.to_pixels(interp.linear.pictures(rows.weights, shared=False))
    return [(label, enlarged(pixels[number], options.size)) for number, label in enumerate(rows.names)]


def line(scores: Sequence[float]) -> list[list[float]]:
    """Points (x, y) of a line through the scores, each in the middle of its column; the highest at the top."""
    low, span = min(scores), max(scores) - min(scores)
    inner = HEIGHT - 2 * MARGIN
    return [
        [STEP * (number + 0.5), round(HEIGHT - MARGIN - inner * ((score - low) / span if span else 0.5), 2)]
        for number, score in enumerate(scores)
    ]


def written(value: Value) -> str:
    """A value as a column's head and as part of the name of a measure.

    >>> written(0.001), written(1), written(True), written("lstm")
    ('0.001', '1', 'true', 'lstm')
    """
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else safe_name(str(value))
