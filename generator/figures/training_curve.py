"""How the loss of character models fell while they were trained: on what they read, and on text that they did not.

Losses on the way are of the training and the validation split; the loss of each checkpoint, a circle, is of the test
split. Published losses of other networks can stand beside them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from generator.artifact import Artifact
from generator.spec import BuildError, FigureOptions
from generator.spec import Options as Choice

if TYPE_CHECKING:
    from generator.inputs import Inputs

EXAMPLE = """\
models: [tiny-text]
references: [{name: "Someone's LSTM", loss: 1.16, source: "Someone, 2015, table 1"}]
caption: How the loss fell.
"""

WIDTH, HEIGHT = 480, 300  # of the drawing
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 10, 44  # its margins
NICE = (1, 2, 2.5, 5, 10)  # steps between ticks, times a power of ten
TICKS = 6  # at most


class Reference(Choice):
    """The loss of a network of others."""

    name: str = Field(description="what network it is")
    loss: float = Field(gt=0, description="in nats per character, on text that it did not read")
    source: str = Field(description="where that is published")


class Options(FigureOptions):
    models: tuple[str, ...] = Field(min_length=1, max_length=6, description="character models of site.toml")
    references: tuple[Reference, ...] = Field((), max_length=4, description="losses of others to stand beside")

    @model_validator(mode="after")
    def _each_once(self) -> Options:
        if len(set(self.models)) < len(self.models):
            raise ValueError("models: each once")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """From the cards of the checkpoints, or from the training that the build keeps."""
    series: list[dict[str, Any]] = []
    measures: dict[str, float] = {}
    for name in options.models:
        one = course(name, inputs.library.trainings(name))
        series.append(one)
        read, loss = one["checkpoints"][-1]
        measures |= {f"{name}.loss": loss, f"{name}.bits": loss / math.log(2), f"{name}.characters": read}
    losses = [loss for one in series for key in ("training", "held_out", "checkpoints") for _, loss in one[key]]
    losses += [one.loss for one in options.references]
    reads = [read for one in series for key in ("held_out", "checkpoints") for read, _ in one[key]]
    across = decades(min(reads), max(reads))
    down = scale(min(losses), max(losses))

    def x(read: float) -> float:
        span = math.log(across[-1] / across[0])
        return round(LEFT + (WIDTH - LEFT - RIGHT) * math.log(read / across[0]) / span, 1)

    def y(loss: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (down[-1] - loss) / (down[-1] - down[0]), 1)

    drawn = [
        {
            "name": one["name"],
            **{key: [(x(read), y(loss)) for read, loss in one[key]] for key in ("training", "held_out", "checkpoints")},
            "characters": one["checkpoints"][-1][0],
            "loss": round(one["checkpoints"][-1][1], 4),
            "bits": round(one["checkpoints"][-1][1] / math.log(2), 4),
            "last_training": one["training"][-1][1] if one["training"] else None,
        }
        for one in series
    ]
    data = {
        "size": [WIDTH, HEIGHT],
        "plot": [LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM],
        "series": drawn,
        "across": [{"at": x(tick), "label": counted(tick)} for tick in across],
        "down": [{"at": y(tick), "label": f"{tick:g}"} for tick in down],
        "references": [
            {"at": y(one.loss), **one.model_dump(), "bits": one.loss / math.log(2)} for one in options.references
        ],
    }
    return Artifact(data=data, measures=measures)


def course(name: str, trainings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """(characters read, nats per character) of one model: on the way, and of its checkpoints.

    The newest card that tells a course counts: it tells the whole way.
    """
    found = [
        (card["step"] * card["recipe"]["batch"] * card["recipe"]["window"], card["measures"]["loss"])
        for card in trainings
        if "window" in card.get("recipe", {}) and "loss" in card.get("measures", {})
    ]
    if not found:
        raise BuildError(f"model {name} has no card of a training on text, so there is no loss to show")
    curve: list[list[float]] = next((card["curve"] for card in reversed(trainings) if card.get("curve")), [])
    return {
        "name": name,
        "training": [(read, loss) for read, loss, _ in curve],
        "held_out": [(read, loss) for read, _, loss in curve],
        "checkpoints": found,
    }


def scale(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`, a few, evenly spaced.

    >>> scale(0, 49_000_000)
    [0.0, 10000000.0, 20000000.0, 30000000.0, 40000000.0, 50000000.0]
    >>> scale(1.03, 2.2)
    [1.0, 1.25, 1.5, 1.75, 2.0, 2.25]
    """
    rough = max(high - low, 1e-6) / (TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (power * nice for nice in (*NICE, 20)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < TICKS and last > first:
            break
    return [round(number * step, 9) for number in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """1, 3 and 10 times powers of ten, from below `low` to above `high`: characters are drawn by their logarithm.

    >>> decades(204_800, 65_536_000)
    [100000.0, 300000.0, 1000000.0, 3000000.0, 10000000.0, 30000000.0, 100000000.0]
    """
    marks = [digit * 10.0**power for power in range(-1, 16) for digit in (1, 3)]
    first = max(number for number, mark in enumerate(marks) if mark <= low)
    last = min(number for number, mark in enumerate(marks) if mark > high)
    return marks[first : last + 1]


def counted(characters: float) -> str:
    """A number of characters as an axis says it.

    >>> counted(0), counted(2500), counted(40_000_000)
    ('0', '2.5 k', '40 M')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if characters >= size:
            return f"{characters / size:g} {letter}"
    return f"{characters:g}"
