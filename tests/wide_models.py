"""Sites of models with many units, rendered from artifacts that are made by hand: no network is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.artifact import Artifact, ArtifactStore, digest
from generator.at_hand import AtHand
from generator.obtained import Obtained
from generator.render import render_site
from generator.spec import FigureOptions, FigureSpec, Job, Place, Site, UnitPage
from generator.unit_places import page_of_unit

SIDE = 24  # pixels of the pictures
ANIMALS = ("cat", "dog", "élan", "<b>zebra</b>", "sea lion")


@dataclass(frozen=True)
class Wide:
    """The files of a site by their paths, and what they show."""

    files: Mapping[str, bytes]
    units: list[UnitPage]
    pictures: Mapping[tuple[str, int], np.ndarray]  # by layer and unit

    def text(self, path: str) -> str:
        return self.files[path].decode()

    def write(self, folder: Path) -> Path:
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def pixels(unit: int) -> np.ndarray:
    """One colour, which no other of 4,096 units has; far enough from it to be told from after compression."""
    levels = 8 + 16 * np.array([unit % 16, unit // 16 % 16, unit // 256 % 16])
    return np.full((SIDE, SIDE, 3), levels, np.uint8)


def card(layer: str, unit: int) -> Artifact:
    judged = {"activation": 1.0, "kept.shift": 1.0, "kept.scale": 1.0, "kept.jpeg": 1.0}
    data = {
        "layer": layer,
        "unit": unit,
        "label": f"channel {unit}",
        "silent": False,
        "synthetic": [{"array": "most", "activation": 1.0, "evidence": judged, "warnings": []}],
        "labels": [{"label": ANIMALS[unit % len(ANIMALS)], "count": 1}],
        **{name: [] for name in ("diverse", "examples", "skipped")},
        **dict.fromkeys(("natural", "steps", "seed"), 0),
        "histogram": None,
    }
    return Artifact({"most": pixels(unit)}, data, {"activation": 1.0, "least": 0.0})


def wide(layers: Mapping[str, int], model: str = "wide") -> Wide:
    """A site whose model has so many units in each layer, each with a page."""
    units, jobs, pictures = [], {}, {}
    kept = AtHand(ArtifactStore(Path("never-read")))
    for layer, count in layers.items():
        for unit in range(count):
            figure = FigureSpec(f"{layer}-{unit}", "unit-card", FigureOptions(model=model), Place("site.toml"))
            path = page_of_unit(model, layer, unit)
            units.append(UnitPage(path, model, layer, unit, f"channel {unit}", figure))
            job = Job(digest([layer, unit]), figure.kind, figure.options, {}, figure.place, figure.id)
            jobs[path, figure.id] = job
            artifact = card(layer, unit)
            kept.add(job.key, artifact)
            pictures[layer, unit] = artifact.arrays["most"]
    site = Site("Wide", "A model with many units", "", "", "en")
    done = render_site(site, [], jobs, Obtained(kept), lambda name: [], lambda name: False, units)
    return Wide(dict(done.files), units, pictures)
