"""The census on a site of its own: what it counts, and that red and sign agree with the areas."""

import json

import yaml

from generator.figures.unit_census import EXAMPLE
from tests.conftest import SmallSite


def test_the_census_counts_every_unit_and_its_measures_agree(quick_site: SmallSite) -> None:
    quick_site.figure("id: census\nkind: unit-census\n" + yaml.safe_dump(yaml.safe_load(EXAMPLE)))
    quick_site.build()
    (figure,) = json.loads((quick_site.out / "report.json").read_text())["figures"]
    measures = figure["measures"]

    assert measures["units"] == 16  # 8 cells and 8 hidden units
    assert measures["readable"] <= measures["passing-share"] * 16
    assert measures["readable-share"] == measures["readable"] / 16
    assert all(
        0.5 <= value <= 1
        for name, value in measures.items()
        if name.endswith((".auc", ".untrained")) and "position" not in name
    )
