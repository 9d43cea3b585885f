"""Every unit of a text model scored against concepts: which unit follows what, and how many are readable.

Karpathy, Johnson and Fei-Fei, 2015 (https://arxiv.org/abs/1506.02078) found about one cell in twenty readable by
eye. Here a unit is readable by a rule: chosen for its concept on validation documents, it separates the concept on
test documents, with an interval (documents resampled) that lies above the best of the last one to three characters,
above every unit of the same network untrained, and above what the best unit reaches by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from generator import census, interp
from generator.artifact import Artifact
from generator.concept_options import ConceptOptions
from generator.labelling import corpus
from generator.readable import Bars, Network, Verdict, bars, ngram_correlations, verdict

if TYPE_CHECKING:
    from generator.inputs import Inputs
    from generator.model import Model

EXAMPLE = """\
model: tiny-text
dataset: tiny-corpus
documents: 3
length: 200
concepts: {def-line: "^def .*$"}
caption: Which unit follows what.
"""

BINS = np.linspace(0.5, 1.0, 21)


class Options(ConceptOptions):
    model: str = Field(description="a text model of site.toml")
    dataset: str = Field(
        description="a text data set: units are searched on its validation split, measured on its test split"
    )
    threshold: float = Field(0.9, gt=0.5, le=1, description="area under the curve that is marked in the table")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Units, signs and thresholds are chosen on the validation split; all that is shown is of the test split.

    Baselines may choose on the test split itself, which only makes them harder to beat.
    """
    labelling = options.labelling()
    texts = [
        corpus(inputs.documents(options.dataset, split), labelling, options.documents, options.length)
        for split in ("validation", "test")
    ]

    def read(model: Model, part: int) -> Network:
        scale = census.scale_of(model, texts[0])
        return Network(*(counted(model, number, scale, part + number) for number in (0, 1)))

    def counted(model: Model, number: int, scale: interp.histograms.Scale, part: int) -> census.Counted:
        return census.count(model, texts[number], scale, inputs.part(part, 4))

    trained, untrained = read(inputs.model, 0), read(inputs.untrained(options.seed + 1), 2)
    bar = bars(trained, untrained, options.seed)
    found = verdict(trained, untrained, bar.highest(), options.seed)
    # Of the untrained network all that passes but for the comparison with itself: rather too many than too few.
    control = verdict(untrained, untrained, bar.without_network(untrained, options.seed), options.seed)
    rows = concept_rows(trained, untrained, bar, found, options.seed)
    quantities = quantity_rows(trained, untrained, options.seed)

    measures = summary(trained, untrained, found, control, options.threshold)
    intervals = {"readable-share": (measures["readable-share.interval-low"], measures["readable-share.interval-high"])}
    for row in [*rows, *quantities]:
        scores = row["scores"]
        measures |= {f"{row['name']}.{key}": value for key, value in scores.items()}
        for key in sorted({"auc", "correlation"} & scores.keys()) if "interval-high" in scores else ():
            intervals[f"{row['name']}.{key}"] = (scores["interval-low"], scores["interval-high"])
    data = {
        "threshold": options.threshold,
        "concepts": [{**row, "description": labelling.describe(row["name"])} for row in rows],
        "quantities": quantities,
        "units": unit_rows(trained, found),
        "bins": [round(float(edge), 3) for edge in BINS],
    }
    return Artifact(data=data, measures=measures, intervals=intervals)


def summary(
    trained: Network, untrained: Network, found: Verdict, control: Verdict, threshold: float
) -> dict[str, float]:
    """How many units are readable, with the interval of their share; and how many reach the threshold at all."""
    units = len(found.readable)
    reach = [interp.separation.strength(one.judged.areas).max(1) >= threshold for one in (trained, untrained)]
    low, high = interp.resampling.share_interval(int(found.readable.sum()), units)
    return {
        "units": units,
        "readable": int(found.readable.sum()),
        "readable-share": float(found.readable.mean()),
        "readable-share.interval-low": low,
        "readable-share.interval-high": high,
        "untrained-readable": int(control.readable.sum()),
        "untrained-readable-share": float(control.readable.mean()),
        "passing": int(reach[0].sum()),
        "passing-share": float(reach[0].mean()),
        "untrained-passing": int(reach[1].sum()),
        "untrained-passing-share": float(reach[1].mean()),
        "characters": int(trained.judged.histograms.total[0].sum()),
        "documents": len(trained.judged.corpus.texts),
    }


def concept_rows(trained: Network, untrained: Network, bar: Bars, found: Verdict, seed: int) -> list[dict[str, Any]]:
    """For each concept the unit that was best on the validation split; no scores where it holds nowhere or always."""
    searched, judged, random = (
        interp.separation.strength(one.areas) for one in (trained.searched, trained.judged, untrained.judged)
    )
    best, names = searched.argmax(0), trained.judged.corpus.concepts
    each = np.arange(len(names))
    intervals = trained.intervals(best, each, seed)
    scores = {
        "auc": trained.held_out[best, each],
        "interval-low": intervals[:, 0],
        "interval-high": intervals[:, 1],
        "ngram": bar.ngram,
        "untrained": bar.untrained,
        "null": bar.chance,
        "f1": trained.f1[best, each],
        "f1-always": interp.separation.all_positive_f1(trained.judged.shares),
        "bits": trained.bits[best, each],
        "readable": np.bincount(found.concepts[found.readable], minlength=len(names)),
    }
    defined = np.isfinite(np.stack(list(scores.values()))).all(0)
    return [
        {
            "name": name,
            "share": float(trained.judged.shares[number]),
            "unit": named(trained, int(best[number])),
            "untrained_unit": named(untrained, int(random[:, number].argmax())),
            "high": bool(trained.high[best[number], number]),
            "above": bool(intervals[number, 0] > bar.highest()[number]),
            "scores": {key: round(float(values[number]), 4) for key, values in scores.items()},
            "bins": np.histogram(judged[:, number], BINS)[0].tolist(),
            "untrained_bins": np.histogram(random[:, number], BINS)[0].tolist(),
        }
        if defined[number]
        else {"name": name, "share": float(trained.judged.shares[number]), "scores": {}}
        for number, name in enumerate(names)
    ]


def unit_rows(trained: Network, found: Verdict) -> list[dict[str, Any]]:
    """For each unit the concept that it is judged for; none for a unit that is left without a score."""
    names = trained.judged.corpus.concepts
    rows = []
    for number, ((group, place), concept) in enumerate(zip(trained.judged.units, found.concepts, strict=True)):
        low, high = found.intervals[number]
        scores = {"auc": trained.held_out[number, concept], "interval-low": low, "interval-high": high}
        if np.isfinite(list(scores.values())).all():
            rows.append(
                {
                    "group": group,
                    "number": place,
                    "concept": names[concept],
                    "high": bool(trained.high[number, concept]),
                    "readable": bool(found.readable[number]),
                    "scores": {name: round(float(score), 4) for name, score in scores.items()},
                }
            )
    return rows


def quantity_rows(trained: Network, untrained: Network, seed: int) -> list[dict[str, Any]]:
    """For each quantity the unit whose rank correlation was furthest from 0 on the validation split."""
    searched, judged = trained.searched.correlations, trained.judged.correlations
    random, ngrams = np.abs(untrained.judged.correlations), ngram_correlations(trained)
    chance = trained.judged.chance_correlations(seed)
    rows = []
    for number, name in enumerate(trained.judged.corpus.quantity_names):
        unit = int(np.abs(searched[:, number]).argmax())
        sign = 1 if searched[unit, number] >= 0 else -1
        off = interp.resampling.correlation_errors(
            trained.judged.levels[unit], sign * trained.judged.quantities[:, number], trained.judged.documents, seed
        )
        value = sign * judged[unit, number]
        scores = {
            "correlation": value,
            "interval-low": np.maximum(-1, value + off[0]),
            "interval-high": np.minimum(1, value + off[1]),
            "ngram": ngrams[number],
            "untrained": random[:, number].max(),
            "null": chance[number],
        }
        highest = max(scores[name] for name in ("ngram", "untrained", "null"))
        rows.append(
            {
                "name": name,
                "description": interp.concepts.QUANTITIES[name],
                "unit": named(trained, unit),
                "untrained_unit": named(untrained, int(random[:, number].argmax())),
                "high": sign > 0,
                "above": bool(scores["interval-low"] > highest),
                "scores": {key: round(float(score), 4) for key, score in scores.items() if np.isfinite(score)},
            }
        )
    return rows


def named(network: Network, unit: int) -> dict[str, Any]:
    """A unit as the template prints it, and links to it."""
    group, number = network.judged.units[unit]
    return {"name": interp.reading.unit_name(group, number), "group": group, "number": number}
