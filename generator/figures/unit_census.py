"""Every unit of a text model scored against concepts: which unit follows what, and how many are readable.

Karpathy, Johnson and Fei-Fei, 2015 (https://arxiv.org/abs/1506.02078) found about one cell in twenty
readable by eye. Here a unit is readable by a rule: chosen for its concept on validation documents, it
separates the concept on test documents, and better than any unit of the same network untrained, which may
be chosen on the test documents themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from generator import interp, units
from generator.artifact import Artifact
from generator.spec import FigureOptions

if TYPE_CHECKING:
    from generator.inputs import Inputs
    from generator.model import Model

EXAMPLE = """\
model: tiny-text
dataset: tiny-corpus
documents: 3
length: 200
caption: Which unit follows what.
"""

BINS = np.linspace(0.5, 1.0, 21)


class Options(FigureOptions):
    """Options of a census."""

    model: str = Field(description="a text model of site.toml")
    dataset: str = Field(
        description="a text data set: units are searched on its validation split, measured on its test split"
    )
    language: Literal["python", "prose"] = Field("python", description="what the concepts are read from")
    documents: int = Field(20, ge=1, description="documents of each split")
    length: int = Field(1600, ge=100, description="characters read of each document")
    threshold: float = Field(0.9, gt=0.5, le=1, description="area under the curve from which a unit counts as readable")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Best units are chosen on the validation split, and all areas shown are of the test split."""

    texts = [
        units.excerpts(inputs.documents(options.dataset, split), options.language, options.documents, options.length)
        for split in ("validation", "test")
    ]

    def scored(network: Model, split: int, part: int) -> units.Selectivity:
        return units.selectivity(
            network, texts[split], lambda done, total: inputs.progress(part * total + done, 3 * total)
        )

    trained = [scored(inputs.model, split, split) for split in (0, 1)]
    untrained = scored(inputs.untrained(options.seed + 1), 1, 2)
    searched, measured = (units.strength(one.areas) for one in trained)  # (units, concepts)
    # The control may choose its units on the test documents themselves, which only makes it harder to beat.
    control = units.strength(untrained.areas)
    names, held_out = trained[1].concepts, trained[1]
    ceiling = control.max(0)  # (concepts,)
    best, control_best = searched.argmax(0), control.argmax(0)

    follows = searched.argmax(1)  # the concept of each unit
    each = np.arange(len(searched))
    passing = measured[each, follows] >= options.threshold
    readable = passing & (measured[each, follows] > ceiling[follows])
    control_passing = control.max(1) >= options.threshold

    concepts: list[dict[str, Any]] = []
    strip: list[dict[str, Any]] = []
    measures: dict[str, float] = {
        "units": len(searched),
        "readable": int(readable.sum()),
        "readable-share": float(readable.mean()),
        "passing-share": float(passing.mean()),
        "untrained-passing-share": float(control_passing.mean()),
        "characters": held_out.characters,
        "documents": held_out.documents,
    }
    for number, name in enumerate(names):
        unit, other = int(best[number]), int(control_best[number])
        concepts.append(
            {
                "name": name,
                "description": interp.concepts.DESCRIPTIONS[name],
                "share": float(held_out.shares[number]),
                "unit": trained[0].units[unit],
                "high": bool(trained[0].areas[unit, number] >= 0.5),
                "auc": round(float(measured[unit, number]), 4),
                "untrained_unit": untrained.units[other],
                "untrained_auc": round(float(control[other, number]), 4),
                "readable_units": int((readable & (follows == number)).sum()),
            }
        )
        strip.append(
            {
                "name": name,
                "bins": np.histogram(measured[:, number], BINS)[0].tolist(),
                "untrained_bins": np.histogram(control[:, number], BINS)[0].tolist(),
            }
        )
        measures[f"{name}.auc"] = float(measured[unit, number])
        measures[f"{name}.untrained"] = float(control[other, number])
        measures[f"{name}.readable"] = int((readable & (follows == number)).sum())
    follower = int(np.abs(trained[0].positions).argmax())
    other = int(np.abs(untrained.positions).argmax())
    position: dict[str, Any] = {
        "unit": trained[0].units[follower],
        "correlation": round(float(trained[1].positions[follower]), 4),
        "untrained_unit": untrained.units[other],
        "untrained_correlation": round(float(untrained.positions[other]), 4),
    }
    measures["position-in-line.correlation"] = abs(position["correlation"])
    measures["position-in-line.untrained"] = abs(position["untrained_correlation"])
    data = {
        "position": position,
        "document_count": held_out.documents,
        "characters": held_out.characters,
        "units": len(searched),
        "readable": int(readable.sum()),
        "passing": int(passing.sum()),
        "untrained_readable": int(control_passing.sum()),
        "threshold": options.threshold,
        "concepts": concepts,
        "strip": strip,
        "bins": [round(float(edge), 3) for edge in BINS],
    }
    return Artifact(data=data, measures=measures)
