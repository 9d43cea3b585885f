"""Golden pages: a small site from artifacts made by hand, so that it needs no torch and survives its upgrades.

`python -m tests.golden` accepts what the code renders now, and draws the pages that look otherwise, before and after;
test_golden.py only compares. Look at the diff and at these pictures before you commit.
"""

from __future__ import annotations

import base64
import shutil
import zlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from generator.artifact import Artifact, ArtifactStore, Measures, digest
from generator.at_hand import AtHand
from generator.chromium import launched
from generator.content import read_post
from generator.figures.activation_text import blocks, passage
from generator.obtained import Obtained
from generator.publish import feed
from generator.render import render_site
from generator.spec import BuildError, FigureOptions, FigureSpec, Job, Place, Site, UnitPage, unit_folder
from tests.golden_pictures import compare

GOLDEN = Path(__file__).parent / "golden"
SITE = Site("Golden", "Pages that change only when someone means it", "A. Author", "https://example.org", "en")
HOSTILE = "if x == '<script>alert(1)</script>':\n\treturn \"&\"  # é 日\n"
TEXT = HOSTILE + "# שלום, e\u0301, 👩\u200d🔬\r\n"  # from right to left, combined, and beyond 16 bits


MODEL = [(100, Measures({"loss": 1.5})), (400, Measures({"loss": 1.2}))]  # what the model of the pages measures


def at_step(score: float, other: float) -> Artifact:
    """Cells at a checkpoint, and how well they do."""
    made = cells("c.py", cell_1=3, hidden_2=7)
    return replace(made, measures={"score": score, "other": other}, intervals={"score": (score - 0.05, score + 0.02)})


def picture(seed: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def cells(document: str, **steps: int) -> Artifact:
    """Units whose levels rise by so much from character to character."""
    codes = {
        name: np.array([(number * step) % 21 for number in range(len(TEXT))], dtype=np.uint8) + 1
        for name, step in steps.items()
    }
    shown = [
        {
            "name": name.replace("_", " "), "note": "high for inside-string", "low": -1.0, "high": 1.0, "whole": False,
            "first": 0, "error": 0.05, "decimals": 2, "peaks": [int(own.argmax())],
        }
        for name, own in codes.items()
    ]  # fmt: skip
    first = next(iter(codes.values()))
    data = {
        "document": document, "scale": "each", "levels": 21, "around": [24, 16], "units": shown,
        "codes": [stored(own) for own in codes.values()],
        "blocks": blocks(TEXT, first.astype(int) - 1),
        "passages": [passage(TEXT, shown[0]["peaks"][0], 1.0)],
    }  # fmt: skip
    return Artifact(data=data, measures={"characters": len(TEXT)})


def stored(codes: np.ndarray) -> str:
    """As `Quantised.packed`, but not compressed: the bytes of that may change with zlib."""
    differences = np.diff(codes, prepend=np.uint8(0)).astype(np.uint8)
    return base64.b64encode(zlib.compress(differences.tobytes(), 0)).decode()


def artifacts() -> dict[str, Artifact]:
    """By figure id, one for each kind."""
    made = {"seconds": 1.5, "device": "cpu", "threads": 2, "ingredients": {"code": "0" * 64, "versions": {"torch": "2.0"}, "model": {"checkpoint": "f" * 64, "settings": {"source": "python"}}}}  # fmt: skip
    names = ["cat", "<dog>"]
    changes = {"names": ["step 100", "step 400"], "by_number": True, "one_model": True, "split": "test", "still": 1, "rows": [{"unit": {"group": "cell", "number": 4, "name": "cell 4"}, "partner": None, "correlation": -0.25}], "bins": [1, 0, 4], "low": -1.0, "tallest": 4}  # fmt: skip
    found = {
        "written": Artifact(data={"start": "def ", "by_character": True, "samples": [{"temperature": 0.5, "text": HOSTILE}, {"temperature": 1.0, "text": "pass\n", "runs": [{"text": "pa", "level": 3}, {"text": "<s>\n", "level": 20}]}], "unit": {"name": "cell 3", "low": -0.5, "high": 0.75}}, measures={"characters": 58}),
        "course.100": at_step(0.5, 3),
        "course.300": at_step(0.9, 3),
        "course": at_step(0.96, 3),
        "both.100": cells("b.py", cell_1=3),
        "both": cells("b.py", cell_1=5),
        "changes": Artifact(data=changes, measures={"median": 0.5, "kept-share": 0.25, "units": 5}),
        "cells": cells("<a>.py", cell_1=3, hidden_2=7, cell_9=11),
        "census": Artifact(
            data={
                "threshold": 0.9,
                "concepts": [
                    {"name": "inside-string", "description": "inside a string", "share": 0.1, "unit": {"name": "cell 1", "group": "cell", "number": 1}, "untrained_unit": {"name": "cell 2", "group": "cell", "number": 2}, "high": True, "above": True, "scores": {"auc": 0.98, "interval-low": 0.95, "interval-high": 0.99, "ngram": 0.7, "untrained": 0.61, "null": 0.64, "f1": 0.8, "f1-always": 0.1818, "bits": 0.2, "readable": 1.0}, "bins": [5, 4, 3, 2, 1, 1], "untrained_bins": [8, 6, 2, 0, 0, 0]},
                    {"name": "digit", "description": "a digit", "share": 0.02, "unit": {"name": "hidden 2", "group": "hidden", "number": 2}, "untrained_unit": {"name": "cell 2", "group": "cell", "number": 2}, "high": False, "above": False, "scores": {"auc": 0.9, "interval-low": 0.85, "interval-high": 0.95, "ngram": 0.8, "untrained": 0.92, "null": 0.6, "f1": 0.3, "f1-always": 0.0392, "bits": 0.05, "readable": 0.0}, "bins": [9, 4, 1, 1, 1, 0], "untrained_bins": [7, 6, 1, 1, 1, 0]},
                    {"name": "never", "description": "what <x>{3} matches", "share": 0.0, "scores": {}},
                ],
                "quantities": [{"name": "position-in-line", "description": "characters since the line began", "unit": {"name": "cell 3", "group": "cell", "number": 3}, "untrained_unit": {"name": "cell 4", "group": "cell", "number": 4}, "high": True, "above": True, "scores": {"correlation": 0.51, "interval-low": 0.45, "interval-high": 0.57, "ngram": 0.3, "untrained": 0.2, "null": 0.1}}],
                "units": [
                    {"group": "cell", "number": 4, "concept": "inside-string", "high": True, "readable": False, "scores": {"auc": 0.75, "interval-low": 0.68, "interval-high": 0.8}},
                    {"group": "cell", "number": 7, "concept": "digit", "high": False, "readable": True, "scores": {"auc": 0.96, "interval-low": 0.93, "interval-high": 0.98}},
                    {"group": "cell", "number": 5, "concept": "never", "high": True, "readable": False, "scores": {"auc": 0.5, "interval-low": 0.5, "interval-high": 0.5}},
                ],
                "bins": [0.5, 0.58, 0.66, 0.74, 0.82, 0.9, 1.0],
            },
            measures={"units": 16, "readable": 1, "readable-share": 0.0625, "readable-share.interval-low": 0.011, "readable-share.interval-high": 0.283, "untrained-readable": 0, "untrained-readable-share": 0.0, "passing": 2, "passing-share": 0.125, "untrained-passing": 1, "untrained-passing-share": 0.0625, "characters": 4000, "documents": 2, "inside-string.auc": 0.98},
        ),
    }  # fmt: skip
    found |= classifier_artifacts(names) | map_artifacts(names) | training_artifacts() | transformer_artifacts()
    columns = [
        {
            "value": value,
            "off": {},
            "measures": {"accuracy": 0.5 + n / 8, "loss": 2.0 - n, "accuracy.train": 0.9, "roughness": 0.8 - n / 2},
            "pictures": [{"array": f"value-{n}-class-{k}", "label": name} for k, name in enumerate(names)],
        }
        for n, value in enumerate(("0", "0.01"))
    ]
    found["swept"] = Artifact(
        {f"value-{n}-class-{k}": picture(40 + 2 * n + k) for n in range(2) for k in range(2)},
        {"setting": "l2", "columns": columns, "rows": ["accuracy", "loss", "roughness"], "judged": "accuracy", "best": 1, "line": [[10.0, 13.0], [30.0, 3.0]], "size": [40, 16], "seeds": 0},
        {"best": 0.01, "0.01.accuracy": 0.625},
    )  # fmt: skip
    row = {"unit": 7, "score": 0.91, "low": 0.86, "high": 0.96, "untrained": 0.58}
    exemplars = [
        {"array": f"unit-7-{n}", "label": name, "right": n == 0, "strength": 2.5 - n} for n, name in enumerate(names)
    ]
    found["dissected"] = Artifact(
        {f"unit-7-{n}": picture(50 + n) for n in range(2)},
        {
            "layer": "blocks.2", "measure": "AUC", "axis": [0.5, 1.0], "threshold": 0.8, "class_count": 3, "units": 12, "silent": 1, "images": 1000, "detectors": 2, "untrained_detectors": 0,
            "classes": [
                {"name": names[0], "rows": [row], "detectors": 2, "untrained_detectors": 0},
                {"name": names[1], "rows": [row | {"unit": 3, "score": 0.47, "low": 0.4, "high": 0.54}], "detectors": 0, "untrained_detectors": 0},
            ],
            "exemplars": [{"unit": 7, "name": names[0], "pictures": exemplars, "right": 1}],
            "bins": [0.3, 0.5, 0.8, 1.0], "counts": [2, 8, 2], "untrained_counts": [5, 7, 0],
        },
        {"share": 1 / 6},
    )  # fmt: skip
    found["contexts"] = contexts()
    overlap = {"unit": 7, "score": 0.0612, "low": 0.041, "high": 0.0814, "untrained": 0.0125}
    found["masked"] = Artifact(
        found["dissected"].arrays,
        {
            **found["dissected"].data, "measure": "IoU", "axis": [0.0, 0.1], "threshold": 0.04, "bins": [0.0, 0.05, 0.1], "counts": [11, 1], "untrained_counts": [12, 0],
            "classes": [{"name": "<sky>", "rows": [overlap], "detectors": 1, "untrained_detectors": 0}], "class_count": 1, "detectors": 1,
        },
        {"share": 1 / 12},
    )  # fmt: skip
    found["cells-again"] = found["cells"]
    found["cells-again.control"] = cells("<a>.py", cell_1=2, hidden_2=5)
    return {id: replace(one, provenance=made) for id, one in found.items()}


def contexts() -> Artifact:
    """Of one unit, with hostile text, and text that is read from right to left."""
    where = {"document": "<a>.py", "line": 3}
    hostile = {
        "value": 2.5,
        "quantile": None,
        "before": [[HOSTILE[:20], 10], ["ale", 13]],
        "peak": ["\n", 20],
        "after": [["\t&\r", 17]],
        **where,
    }
    hebrew = {
        "value": 1.25,
        "quantile": 50.0,
        "before": [["שלום ", 12]],
        "peak": ["ע", 15],
        "after": [["ולם", 10]],
        **where,
    }
    lowest = {"value": -0.5, "quantile": None, "before": [], "peak": ["x", 8], "after": [[" = 1", 9]], **where}
    lists = [
        {"name": "highest", "passages": [hostile]},
        {"name": "between", "passages": [hebrew]},
        {"name": "lowest", "passages": [lowest]},
        {"name": "random", "passages": [hebrew | {"quantile": None}]},
    ]
    return Artifact(
        data={
            "group": "cell", "unit": 4, "label": "cell 4", "sought": {"rank": 2, "concept": "<own>", "auc": 0.875, "high": False}, "silent": False, "tokens": 12345, "documents": 2, "split": "test", "threshold": 0.0,
            "scale": {"low": -0.5, "high": 2.5, "first": 8}, "lists": lists, "copies": 1,
            "labels": [{"label": "<b>", "mean": 1.5, "count": 1200}, {"label": "space", "mean": 0.5, "count": 30}],
            "histogram": {"width": 320, "height": 80, "outline": "M0 80V0h160V40h160V80Z", "low": -0.5, "high": 2.5},
        },
        measures={"active": 0.125, "active-passages": 0.5, "least": -0.5},
    )  # fmt: skip


def classifier_artifacts(names: list[str]) -> dict[str, Artifact]:
    """Figures of classifiers, with two classes."""
    cells = [
        [{"value": 1.0, "level": 20}, {"value": -0.31, "level": 7}],
        [{"value": -0.31, "level": 7}, {"value": 1.0, "level": 20}],
    ]
    rows = [
        {"array": f"row-{n}", "label": name, "nearest": names[1 - n], "cosine": -0.31} for n, name in enumerate(names)
    ]
    bars = [
        {"label": name, "score": score, "start": start, "length": 40.0, "winner": n == 0, "true": n == 1}
        for n, (name, score, start) in enumerate(zip(names, (1.5, -1.5), (50.0, 10.0), strict=True))
    ]
    proof = {
        "activation": 9.5, "natural.best": 5.0, "natural.times": 1.9, "natural.percentile": 1.0, "spectrum": 1.25,
        "kept.shift": 0.9, "kept.scale": 0.8, "kept.jpeg": 0.95, "agreement": 0.75,
    }  # fmt: skip
    seen = [
        {
            "array": f"class-{n}",
            "label": name,
            "probability": 0.97 - n / 2,
            "logit": 9.5 - n,
            "rank": n + 1,
            "rival": names[1 - n],
            "rival_probability": 0.01,
            "evidence": proof,
            "warnings": ["fragile: it keeps 10% of its effect when <moved>"] * n,
        }
        for n, name in enumerate(names)
    ]
    units = [
        {
            "channel": n,
            "label": f"channel {n}",
            "activation": 3.25 - n,
            "noise": 0.1,
            "array": f"unit-{n}",
            "evidence": {name: value for name, value in proof.items() if name.startswith(("activation", "kept"))},
            "warnings": [],
        }
        for n in range(2)
    ]
    group = [{"array": f"natural-most-{n}", "activation": 5.0 - n, "label": name} for n, name in enumerate(names)]
    card = {
        "layer": "blocks.0", "unit": 3, "label": "channel 3", "silent": False, "natural": 40, "split": "train", "steps": 30, "seed": 0,
        "synthetic": [
            {"array": "most", "activation": 9.5, "before": 0.1, "evidence": proof | {"earlier.percentile": 0.95}, "warnings": ["<fragile>"]},
            {"array": "least", "activation": -2.0, "before": 0.1, "evidence": proof | {"activation": -2.0, "natural.best": -1.0}, "warnings": []},
        ],
        "diverse": [{"array": f"diverse-{n}", "activation": 8.0 - n / 2, "evidence": proof, "warnings": []} for n in range(2)],
        "labels": [{"label": "<dog>", "count": 2}, {"label": "cat", "count": 1}],
        "examples": [{"name": "most", "quantile": None, "pictures": group[:1]}, {"name": "quantile-50", "quantile": 50.0, "pictures": group[1:]}],
        "histogram": {"width": 320.0, "height": 80.0, "step": 8.0, "bars": [{"x": 0.0, "height": 80.0}, {"x": 8.0, "height": 1.0}], "marks": [{"x": 300.0, "value": 9.5, "beyond": False}, {"x": 0.0, "value": -2.0, "beyond": True}], "low": -1.0, "high": 10.0, "tallest": 30},
        "skipped": ["image <1>.png cannot be read"],
    }  # fmt: skip
    pages = [
        {"unit": n, "label": f"channel {n}", "evidence": proof | {"natural.times": 1.5 - m}, "warnings": ["<weak>"] * m, "x": 8 * n, "y": 0}
        for m, n in enumerate((3, 1))
    ]  # fmt: skip
    grid = {"layer": "blocks.0", "units": pages, "silent": [2], "width": 8, "icon": 8, "sort": "activation", "natural": 40, "skipped": [], "warnings": ["1 of 2 pictures is <weak>"], "steps": 30, "seed": 0}  # fmt: skip
    seen_by = [
        {
            "array": "layer-0",
            "layer": "blocks.2",
            "cosine": 0.91,
            "before": 0.24,
            "change": 0.2,
            "evidence": proof,
            "warnings": ["<weak>"],
        }
    ]
    more = {
        "label": "<dog>",
        "near": "blocks.2",
        "activation": 21.5,
        "before": -0.25,
        "nearness": 0.8,
        "change": 0.05,
        "evidence": proof,
        "warnings": [],
    }
    places = [
        {"row": n, "column": 2 * n, "left": 8 * n, "top": 0, "side": 1 - n / 2, "points": 9 - 6 * n, "name": name, "label": names[1 - n], "share": 0.67, "evidence": proof, "warnings": ["<weak>"] * n}
        for n, name in enumerate(names)
    ]  # fmt: skip
    plane = {"cells": places, "warnings": ["1 of 2 pictures is <weak>"], "natural": 14, "named": True, "positions": 4, "layer": "blocks.2", "images": 14, "layout": "tsne", "grid": 3, "least": 3, "whiten": True, "size": 8, "seed": 0}  # fmt: skip
    dreams = [
        {
            "array": "dream-0",
            "layer": "blocks.2",
            "energy": 3.0,
            "energy_before": 1.5,
            "change": 0.1,
            "evidence": proof,
            "warnings": ["<weak>"],
        }
    ]
    return {
        "templates": Artifact({f"row-{n}": picture(n) for n in range(2)}, {"pictures": rows, "layer": "linear", "scale": "each", "largest": 0.5, "named": True}, {"cosine.cat.dog": -0.31}),
        "scores": Artifact({"image": picture(5)}, {"bars": bars, "zero": 50.0, "winner": names[0], "truth": names[1], "classes": 2, "margin": 3.0}, {"margin": 3.0}),
        "similarity": Artifact({}, {"classes": names, "layer": "linear", "cosines": cells, "closest": {"pair": names, "cosine": -0.31}, "confusions": cells, "accuracy": 0.8, "images": 1200, "split": "test", "worst": {"true": names[0], "taken": names[1], "share": 0.2}}, {"accuracy": 0.8}),
        "classes": Artifact({f"class-{n}": picture(10 + n) for n in range(2)}, {"pictures": seen, "classes": 2, "natural": 40, "transparent": True, "steps": 30, "seed": 0}, {"cat.probability": 0.97}),
        "ladder": Artifact({f"unit-{n}": picture(20 + n) for n in range(2)}, {"rungs": [{"layer": "blocks.0", "width": 8, "size": 8, "units": units, "silent": [4, 6], "natural": 0}], "steps": 30, "seed": 0}, {"silent": 2}),
        "grid": Artifact({"sprite": np.concatenate([picture(40), picture(41)], axis=1)}, grid, {"units": 2}),
        "card": Artifact({name: picture(50 + n) for n, name in enumerate(("most", "least", "diverse-0", "diverse-1", "natural-most-0", "natural-most-1"))}, card, {"activation": 9.5, "least": -2.0}),
        "dream": Artifact({"original": picture(30), "dream-0": picture(31)}, {"pictures": dreams, "image": "<cat>", "natural": 40, "seed": 0}, {"dream-0.enhancement": 2.0}),
        "caricature": Artifact({"original": picture(40), "layer-0": picture(41), "accentuated": picture(42)}, {"image": "<cat>", "pictures": seen_by, "accentuated": more, "natural": 40, "steps": 30, "seed": 0}, {"layer-0.cosine": 0.91}),
        "atlas": Artifact({"sheet": picture(50, 16)}, plane, {"cells": 2.0, "shown": 0.86, "agreement": 0.67, "agreement.shuffled": 0.5}),
    }  # fmt: skip


def training_artifacts() -> dict[str, Artifact]:
    """Figures of how a character model learnt, and of what it expects; with a model of which the way is not told.

    And of two things that were measured.
    """
    way = {"training": [(40.0, 20.0), (200.0, 90.5)], "held_out": [(40.0, 30.0), (200.0, 101.0)]}
    numbers = {"characters": 1_000_000, "loss": 1.25, "bits": 1.8034}
    curve = {
        "size": [480, 300], "plot": [40, 10, 470, 256],
        "series": [
            {"name": "<m>", **way, "checkpoints": [(120.0, 60.0), (200.0, 99.0)], **numbers, "last_training": 1.2},
            {"name": "other", "training": [], "held_out": [], "checkpoints": [(300.0, 50.0)], **numbers, "last_training": None},
        ],
        "across": [{"at": 40.0, "label": "100 k"}, {"at": 470.0, "label": "1 M"}],
        "down": [{"at": 256.0, "label": "1"}, {"at": 10.0, "label": "2"}],
        "references": [{"at": 80.0, "name": "LSTM & more", "loss": 1.16, "source": "<Someone>, 2015", "bits": 1.6735}],
    }  # fmt: skip
    guess = {"text": "<", "probability": 0.75, "level": 18, "true": True}
    places = [
        {
            "text": text,
            "guesses": [guess, {"text": other, "probability": 0.1, "level": 11, "true": False}],
            "true": 0.75,
        }
        for text, other in zip("&x \n", "\n\ufffd\t>", strict=True)
    ]
    guesses = {"document": "<a>.py", "lines": [places, places[:1]], "guesses": 2, "unit": "character", "loss": 0.5, "bits": 0.7213, "first": 0.6, "among": 0.8}  # fmt: skip
    panel = {"points": [(4.0, 50.0), (54.5, 90.0)], "shut": 0.0, "open": 0.125, "left": 0.25, "right": 0.5}
    panels = [{"gate": gate, "layer": layer, **panel} for layer in range(2) for gate in ("input", "forget", "output")]
    gates = {"panels": panels, "layers": 2, "units": 2, "size": 108, "plot": [4, 104], "characters": 5000, "documents": 1, "always": 0.9}  # fmt: skip
    axis = {"logarithmic": False, "ticks": [{"at": 0.0, "label": "0"}, {"at": 50.0, "label": "5"}, {"at": 100.0, "label": "10"}]}  # fmt: skip
    one = {"runs": [{"value": 1234.5, "at": 10.0}, {"value": 2.5, "at": 20.0}], "median": {"value": 618.5, "at": 15.0}, "least": 2.5, "most": 1234.5, "peak": 1500.4, "versions": {"python": "3.11", "<p>": "1"}}  # fmt: skip
    sides = [
        {"side": "ours", "name": "<ours>", **one},
        {"side": "theirs", "name": "peer & more", **one, "versions": {}},
    ]
    measured = {
        "work": "Sorting <b>", "date": "2026-01-03", "machine": {"processor": "<fast>", "cores": 2.0, "load": 0.123456789},
        "unit": "seconds", "sides": sides, "axis": axis, "times": {**axis, "logarithmic": True}, "pairs": [0.5, 12_345.0],
        "ratio": {"median": {"value": 2.0, "at": 40.0}, "low": {"value": 0.5, "at": 2.0}, "high": {"value": 12_345.0, "at": 98.0}},
        "goal": {"value": 2.5, "at": 50.0, "met": False},
        "quality": [{"name": "<share>", "value": -0.5, "least": 0.9, "met": False}, {"name": "tokens", "value": 1e8, "least": 1e8, "met": True}, {"name": "other", "value": 0.1, "least": None, "met": True}],
    }  # fmt: skip
    row = {"loss": 1.5, "low": -0.001, "high": 0.002, "beaten": 3, "place": 117.0, "controls": [3.0, 40.5, 60.0], "zero": 20.0}  # fmt: skip
    rows = [
        {"name": "everywhere", "rise": -0.0005, "sought": False, **row},
        {"name": "inside-string", "rise": 0.04, "sought": True, **row},
    ]
    held = [
        {"name": "cell 1", "note": "inside-string", "value": 3.5, "rows": rows},
        {"name": "hidden 1", "note": "", "value": -0.25, "rows": rows[:1]},
    ]
    ablation = {"units": held, "to": "mean", "controls": 3, "width": 120, "tokens": 4000, "documents": 2, "least": 20}
    return {
        "curve": Artifact({}, curve, {"m.loss": 1.25}),
        "guesses": Artifact({}, guesses, {"loss": 0.5}),
        "gates": Artifact({}, gates, {"characters": 5000}),
        "ablation": Artifact({}, ablation, {"loss": 1.5}),
        "measured": Artifact({}, measured, {"ratio": 2.0}),
    }


def transformer_artifacts() -> dict[str, Artifact]:
    """Two layers of two heads on three tokens, and what two layers would say."""
    tokens = ["[CLS]", "·<b>", "↵"]
    head = {"previous": 0.5, "same": 0.25, "first": 0.6, "distance": 1.2, "most": [[0, 1.0], [0, 0.5], [1, 0.36]]}
    roots = base64.b64encode(bytes([255, 0, 0, 180, 180, 0, 90, 153, 120])).decode()
    heads = [[{**head, "name": f"{row}.{column}", "roots": roots} for column in range(2)] for row in range(2)]
    looks = {"document": "<a>.txt", "tokens": tokens, "heads": heads, "layer": 1, "head": 0, "causal": True, "levels": [[20, 10, 10], [17, 17, 10], [14, 16, 15]]}  # fmt: skip
    guesses = [{"token": "·<b>", "share": 0.7}, {"token": "a", "share": 0.2}, {"token": "↵", "share": 0.05}]
    cells = [{"guesses": guesses, "level": 17, "right": right} for right in (True, False, False)]
    rows = [{"layer": "1", "cells": cells}, {"layer": "0", "cells": cells[::-1]}]
    lens = {"document": "<a>.txt", "tokens": tokens, "rows": rows, "causal": True, "right": tokens[1:]}
    return {
        "heads": Artifact({"heads": picture(60, 6)}, looks, {"heads": 2}),
        "lens": Artifact({}, lens, {"layers": 2}),
    }


def unit_page(number: int) -> UnitPage:
    figure = FigureSpec(
        f"m-blocks-0-{number}", "unit-card", FigureOptions(model="m"), Place("site.toml"), layout="wide"
    )
    folder = unit_folder("m", "blocks.0", number)
    return UnitPage(f"{folder}/index.html", "m", "blocks.0", number, f"channel {number}", figure)


def map_artifacts(names: list[str]) -> dict[str, Artifact]:
    """Maps over an image: of channels, with a silent one, and of four methods, with warned and empty ones."""
    maps = [
        {"array": f"channel-{n}", "channel": n, "silent": silent, "across": 40, "down": 60}
        for n, silent in ((3, False), (7, True))
    ]
    channels = {
        "maps": maps,
        "image": "<cat>",
        "layer": "blocks.2",
        "width": 8,
        "positions": [4, 4],
        "chosen": True,
        "signed": True,
        "scale": "shared",
        "full": 4.5,
    }
    activity = {"channel-3.max": 4.5, "channel-3.mean": -0.25, "channel-7.max": 0.0, "channel-7.mean": 0.0}
    rows = [
        {
            "method": method,
            "title": title,
            "says": f"what {title} says",
            "signed": signed,
            "correlation": correlation,
            "alike": correlation >= 0.5,
            "empty": False,
            "random_empty": empty,
            "central_share": 0.4,
            "across": 40,
            "down": 60,
        }
        for method, title, signed, correlation, empty in (
            ("saliency", "Saliency", False, 0.61, False),
            ("integrated-gradients", "Integrated gradients", True, -0.08, False),
            ("grad-cam", "Grad-CAM", False, 0.0, True),
        )
    ]
    pictures = {"image": picture(42)} | {
        f"{row['method']}{control}": picture(43 + 2 * n + m)
        for n, row in enumerate(rows)
        for m, control in enumerate(("", "-random"))
    }
    why = {
        "rows": rows,
        "image": "<cat>",
        "target": names[1],
        "winner": names[0],
        "layer": "blocks.2",
        "baseline": 0.5,
        "alike": 0.5,
        "full": 0.99,
        "seed": 1,
    }
    sums = {
        "logit": 9.5,
        "probability": 0.97,
        "integrated-gradients.sum": 9.4,
        "integrated-gradients.rise": 9.5,
        "integrated-gradients.completeness-error": 0.1,
    }
    return {
        "maps": Artifact({"image": picture(40), "channel-3": picture(41), "channel-7": picture(42)}, channels, activity),
        "why": Artifact(pictures, why, sums),
    }  # fmt: skip


def rendered() -> dict[str, bytes]:
    """Every file of the golden site."""
    posts = [read_post(path, GOLDEN / "content", path.name) for path in sorted((GOLDEN / "content").glob("*/*.md"))]
    made = artifacts()

    def job(figure: FigureSpec, id: str, random: int | None = None, control: Job | None = None) -> Job:
        return Job(
            digest(id),
            figure.kind,
            FigureOptions(model=figure.options.model),
            {},
            figure.place,
            id,
            random=random,
            control=control,
        )

    jobs = {
        (post.path, figure.id): job(
            figure, figure.id, control=job(figure, f"{figure.id}.control", random=1001) if figure.control else None
        )
        for post in posts
        for figure in post.figures
    }
    for place, steps in {"course": (100, 200, 300), "both": (100,)}.items():
        at = ("posts/courses.html", place)
        earlier = tuple(
            replace(jobs[at], key=digest(f"{place} {step}"), id=f"{place}.{step}", step=step) for step in steps
        )
        jobs[at] = replace(jobs[at], step=400, earlier=earlier)
    changes = Job(digest("changes"), "unit-changes", FigureOptions(model="m"), {}, Place("courses.md"), "changes")
    jobs[at] = replace(jobs[at], changes=changes)
    kept = AtHand(ArtifactStore(Path("never-read")))
    for job in jobs.values():
        for one in job.all():
            if one.id in made:
                kept.add(one.key, made[one.id])
    gap = next(one for one in jobs["posts/courses.html", "course"].earlier if one.step == 200)
    found = Obtained(
        kept, failed={gap.key: BuildError("figure course.200: its weights have <other> shapes", gap.place)}
    )
    for page in (units := [unit_page(number) for number in (2, 3)]):
        own = Job(digest("card"), "unit-card", FigureOptions(model="m"), {}, page.figure.place, page.figure.id)
        jobs[page.path, page.figure.id] = own
    for number in (4, 7):
        cell = FigureSpec(
            f"m-cell-{number}", "top-contexts", FigureOptions(model="m"), Place("site.toml"), layout="wide"
        )
        path = f"{unit_folder('m', 'cell', number)}/index.html"
        units.append(UnitPage(path, "m", "cell", number, f"cell {number}", cell))
        jobs[path, cell.id] = Job(digest("contexts"), cell.kind, cell.options, {}, cell.place, cell.id)
    site = render_site(SITE, posts, jobs, found, lambda name: MODEL, lambda name: False, units)
    return {**site.files, "feed.xml": feed(SITE, site.posts)}


def accept() -> None:
    """Write what is rendered now, and say which pages look otherwise than before."""
    folder, files, pictures = GOLDEN / "site", rendered(), Path(__file__).parent / "actual" / "pictures"
    with TemporaryDirectory() as before:
        shutil.copytree(folder, before, dirs_exist_ok=True)
        shutil.rmtree(folder)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        with launched() as browser:
            changed = compare(browser, Path(before), folder, pictures)
    if changed:
        print(f"these look otherwise: {', '.join(changed)}\nBefore and after: {pictures / 'index.html'}")  # noqa: T201
    else:
        print("no page looks otherwise")  # noqa: T201


if __name__ == "__main__":
    accept()
