"""Golden pages: a small site from artifacts made by hand, so that it needs no torch and survives its upgrades.

`python -m tests.golden` accepts what the code renders now; test_golden.py only compares. Look at the diff,
and at the pages in a browser, before you commit them.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import numpy as np

from generator.artifact import Artifact, digest
from generator.content import read_post
from generator.publish import feed
from generator.render import Site, render_site
from generator.spec import FigureOptions, FigureSpec, Job, Place, UnitPage, unit_folder

GOLDEN = Path(__file__).parent / "golden"
SITE = Site("Golden", "Pages that change only when someone means it", "A. Author", "https://example.org", "en")
HOSTILE = "if x == '<script>alert(1)</script>':\n\treturn \"&\"  # é 日\n"


def picture(seed: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def unit(name: str, step: int) -> dict[str, object]:
    levels = [(number * step) % 21 for number in range(len(HOSTILE))]
    values = [round(level / 10 - 1, 2) for level in levels]
    return {
        "name": name,
        "note": "high for inside-string",
        "low": -1.0,
        "high": 1.0,
        "levels": levels,
        "values": values,
    }


def artifacts() -> dict[str, Artifact]:
    """By figure id, one for each kind."""
    made = {"seconds": 1.5, "device": "cpu", "ingredients": {"code": "0" * 64, "versions": {"torch": "2.0"}, "model": {"checkpoint": "f" * 64, "settings": {"source": "python"}}}}  # fmt: skip
    names = ["cat", "<dog>"]
    found = {
        "written": Artifact(data={"start": "def ", "by_character": True, "samples": [{"temperature": 0.5, "text": HOSTILE}, {"temperature": 1.0, "text": "pass\n", "runs": [{"text": "pa", "level": 3}, {"text": "<s>\n", "level": 20}]}], "unit": {"name": "cell 3", "low": -0.5, "high": 0.75}}, measures={"characters": 58}),
        "cells": Artifact(data={"document": "<a>.py", "text": HOSTILE, "units": [unit("cell 1", 3), unit("hidden 2", 7), unit("cell 9", 11)]}, measures={"characters": len(HOSTILE)}),
        "census": Artifact(
            data={
                "document_count": 2, "characters": 4000, "units": 16, "readable": 1, "passing": 2, "untrained_readable": 1, "threshold": 0.9,
                "position": {"unit": "cell 3", "correlation": 0.51, "untrained_unit": "cell 4", "untrained_correlation": -0.2},
                "concepts": [
                    {"name": "inside-string", "description": "inside a string", "share": 0.1, "unit": "cell 1", "high": True, "auc": 0.98, "untrained_unit": "cell 2", "untrained_auc": 0.61, "readable_units": 1},
                    {"name": "digit", "description": "a digit", "share": 0.02, "unit": "hidden 2", "high": False, "auc": 0.9, "untrained_unit": "cell 2", "untrained_auc": 0.92, "readable_units": 0},
                ],
                "strip": [
                    {"name": "inside-string", "bins": [5, 4, 3, 2, 1, 1], "untrained_bins": [8, 6, 2, 0, 0, 0]},
                    {"name": "digit", "bins": [9, 4, 1, 1, 1, 0], "untrained_bins": [7, 6, 1, 1, 1, 0]},
                ],
                "bins": [0.5, 0.58, 0.66, 0.74, 0.82, 0.9, 1.0],
            },
            measures={"readable": 1, "readable-share": 0.0625, "inside-string.auc": 0.98},
        ),
    }  # fmt: skip
    found |= classifier_artifacts(names) | map_artifacts(names) | transformer_artifacts()
    columns = [
        {
            "value": value,
            "measures": {"accuracy": 0.5 + n / 8, "loss": 2.0 - n, "accuracy.train": 0.9, "roughness": 0.8 - n / 2},
            "pictures": [{"array": f"value-{n}-class-{k}", "label": name} for k, name in enumerate(names)],
        }
        for n, value in enumerate(("0", "0.01"))
    ]
    found["swept"] = Artifact(
        {f"value-{n}-class-{k}": picture(40 + 2 * n + k) for n in range(2) for k in range(2)},
        {"setting": "l2", "columns": columns, "rows": ["accuracy", "loss", "roughness"], "judged": "accuracy", "best": 1, "line": [[10.0, 13.0], [30.0, 3.0]], "size": [40, 16]},
        {"best": 0.01, "0.01.accuracy": 0.625},
    )  # fmt: skip
    row = {"unit": 7, "auc": 0.91, "low": 0.86, "high": 0.96, "untrained": 0.58}
    exemplars = [{"array": f"unit-7-{n}", "label": name, "mean": 2.5 - n} for n, name in enumerate(names)]
    found["dissected"] = Artifact(
        {f"unit-7-{n}": picture(50 + n) for n in range(2)},
        {
            "layer": "blocks.2", "threshold": 0.8, "class_count": 3, "units": 12, "silent": 1, "images": 1000, "detectors": 2, "untrained_detectors": 0,
            "classes": [
                {"name": names[0], "rows": [row], "detectors": 2, "untrained_detectors": 0},
                {"name": names[1], "rows": [row | {"unit": 3, "auc": 0.47, "low": 0.4, "high": 0.54}], "detectors": 0, "untrained_detectors": 0},
            ],
            "exemplars": [{"unit": 7, "name": names[0], "pictures": exemplars, "right": 1}],
            "bins": [0.3, 0.5, 0.8, 1.0], "counts": [2, 8, 2], "untrained_counts": [5, 7, 0],
        },
        {"share": 1 / 6},
    )  # fmt: skip
    found["cells-again"] = found["cells"]
    found["cells-again.control"] = Artifact(
        data={"document": "<a>.py", "text": HOSTILE, "units": [unit("cell 1", 2), unit("hidden 2", 5)]},
        measures={"characters": len(HOSTILE)},
    )
    return {id: Artifact(one.arrays, one.data, one.measures, made) for id, one in found.items()}


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
        "synthetic": [{"array": "most", "activation": 9.5, "before": 0.1}, {"array": "least", "activation": -2.0, "before": 0.1}],
        "diverse": [{"array": "diverse-0", "activation": 8.0}, {"array": "diverse-1", "activation": 7.5}],
        "evidence": proof, "warnings": ["<fragile>"], "labels": [{"label": "<dog>", "count": 2}, {"label": "cat", "count": 1}],
        "examples": [{"name": "most", "quantile": None, "pictures": group[:1]}, {"name": "quantile-50", "quantile": 50.0, "pictures": group[1:]}],
        "histogram": {"width": 320.0, "height": 80.0, "step": 8.0, "bars": [{"x": 0.0, "height": 80.0}, {"x": 8.0, "height": 1.0}], "marks": [{"x": 300.0, "value": 9.5, "beyond": False}, {"x": 0.0, "value": -2.0, "beyond": True}], "low": -1.0, "high": 10.0, "tallest": 30},
        "skipped": ["image <1>.png cannot be read"],
    }  # fmt: skip
    pages = [{"unit": n, "label": f"channel {n}", "activation": 3.0 - n, "best": 2.0, "times": 1.5 - n / 2, "x": 8 * n, "y": 0} for n in (3, 1)]  # fmt: skip
    grid = {"layer": "blocks.0", "units": pages, "silent": [2], "width": 8, "icon": 8, "sort": "activation", "natural": 40, "skipped": [], "weaker": 1, "steps": 30, "seed": 0}  # fmt: skip
    seen_by = [{"array": "layer-0", "layer": "blocks.2", "cosine": 0.91, "before": 0.24, "change": 0.2}]
    more = {"label": "<dog>", "near": "blocks.2", "activation": 21.5, "before": -0.25, "nearness": 0.8, "change": 0.05}
    places = [
        {"row": n, "column": 2 * n, "left": 8 * n, "top": 0, "side": 1 - n / 2, "points": 9 - 6 * n, "name": name, "label": names[1 - n], "share": 0.67}
        for n, name in enumerate(names)
    ]  # fmt: skip
    plane = {"cells": places, "named": True, "positions": 4, "layer": "blocks.2", "images": 14, "layout": "tsne", "grid": 3, "least": 3, "whiten": True, "size": 8, "seed": 0}  # fmt: skip
    dreams = [{"array": "dream-0", "layer": "blocks.2", "energy": 3.0, "energy_before": 1.5, "change": 0.1}]
    return {
        "templates": Artifact({f"row-{n}": picture(n) for n in range(2)}, {"pictures": rows, "layer": "linear", "scale": "each", "largest": 0.5, "named": True}, {"cosine.cat.dog": -0.31}),
        "scores": Artifact({"image": picture(5)}, {"bars": bars, "zero": 50.0, "winner": names[0], "truth": names[1], "classes": 2, "margin": 3.0}, {"margin": 3.0}),
        "similarity": Artifact({}, {"classes": names, "layer": "linear", "cosines": cells, "closest": {"pair": names, "cosine": -0.31}, "confusions": cells, "accuracy": 0.8, "images": 1200, "split": "test", "worst": {"true": names[0], "taken": names[1], "share": 0.2}}, {"accuracy": 0.8}),
        "classes": Artifact({f"class-{n}": picture(10 + n) for n in range(2)}, {"pictures": seen, "classes": 2, "natural": 40, "steps": 30, "seed": 0}, {"cat.probability": 0.97}),
        "ladder": Artifact({f"unit-{n}": picture(20 + n) for n in range(2)}, {"rungs": [{"layer": "blocks.0", "width": 8, "size": 8, "units": units, "silent": [4, 6], "natural": 0}], "steps": 30, "seed": 0}, {"silent": 2}),
        "grid": Artifact({"sprite": np.concatenate([picture(40), picture(41)], axis=1)}, grid, {"units": 2}),
        "card": Artifact({name: picture(50 + n) for n, name in enumerate(("most", "least", "diverse-0", "diverse-1", "natural-most-0", "natural-most-1"))}, card, {"activation": 9.5, "least": -2.0}),
        "dream": Artifact({"original": picture(30), "dream-0": picture(31)}, {"pictures": dreams, "image": "<cat>", "seed": 0}, {"dream-0.enhancement": 2.0}),
        "caricature": Artifact({"original": picture(40), "layer-0": picture(41), "accentuated": picture(42)}, {"image": "<cat>", "pictures": seen_by, "accentuated": more, "steps": 30, "seed": 0}, {"layer-0.cosine": 0.91}),
        "atlas": Artifact({"sheet": picture(50, 16)}, plane, {"cells": 2.0, "shown": 0.86, "agreement": 0.67, "agreement.shuffled": 0.5}),
    }  # fmt: skip


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
    figure = FigureSpec(f"m-blocks-0-{number}", "unit-card", FigureOptions(model="m"), Place("site.toml"), wide=True)
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
    by_key = {one.key: made[one.id] for job in jobs.values() for one in job.all()}
    for page in (units := [unit_page(number) for number in (2, 3)]):
        own = Job(digest("card"), "unit-card", FigureOptions(model="m"), {}, page.figure.place, page.figure.id)
        jobs[page.path, page.figure.id] = own
    site = render_site(SITE, posts, jobs, by_key, lambda name: {}, lambda name: False, units)
    return {**site.files, "feed.xml": feed(SITE, site.posts)}


def accept() -> None:
    folder = GOLDEN / "site"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in rendered().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    accept()
