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
from generator.axes import counted, decades, scale
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
