"""Which units changed: of one network by number, of two in pairs."""

import json

import pytest

from generator.spec import BuildErrors
from tests.conftest import SITE_TOML, SmallSite

VISION = SITE_TOML + (
    '\n[models.twin]\nsource = "python"\nfactory = "tests.nets:vision"\nchannels = 3\nheight = 32\nwidth = 32\n'
    'classes = ["a", "b", "c", "d", "e"]\n\n[datasets.pictures]\nsource = "image-folder"\npath = "pictures"\n'
)


def measures(site: SmallSite) -> dict[str, float]:
    (figure,) = json.loads((site.out / "report.json").read_text())["figures"]
    return dict(figure["measures"])


def changes(models: str, more: str = "") -> str:
    return f"id: c\nkind: unit-changes\nmodels: [{models}]\ndataset: tiny-corpus\nlength: 300\n{more}"


def test_a_network_is_like_itself(quick_site: SmallSite) -> None:
    quick_site.toml(SITE_TOML + SITE_TOML[SITE_TOML.index("[models.tiny-text]") :].partition("[models.second-text]")[0]
                    .replace("tiny-text", "same-text"))  # fmt: skip
    quick_site.figure(changes("tiny-text, same-text"))
    quick_site.build()

    assert measures(quick_site)["least"] == pytest.approx(1)
    assert measures(quick_site)["units"] == 16, "cells and hidden units"


def test_networks_trained_apart_are_matched_in_pairs_that_are_more_alike_than_those_of_one_number(
    quick_site: SmallSite,
) -> None:
    found = {}
    for matching in ("best", "number"):
        quick_site.figure(changes("tiny-text, second-text", f"matching: {matching}\n"))
        quick_site.build()
        found[matching] = measures(quick_site)["mean"]

    assert found["best"] > found["number"]
    assert "units of the same number" in quick_site.read()


def test_units_of_a_network_that_sees_are_channels_of_a_layer(quick_site: SmallSite) -> None:
    quick_site.figure(
        "id: c\nkind: unit-changes\nmodels: [tiny-vision, tiny-vision-again]\ndataset: digits\nimages: 8\n"
    )
    quick_site.toml(VISION.replace("models.twin", "models.tiny-vision-again").partition("\n[datasets.pictures]")[0])
    quick_site.build()

    assert measures(quick_site)["least"] == pytest.approx(1)
    assert measures(quick_site)["units"] == 5


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("models: [tiny-text]\ndataset: tiny-corpus\n", "models: name two"),
        ("model: tiny-text\ndataset: tiny-corpus\n", "give either checkpoints, with a model, or two models"),
        ("checkpoints: [1, 2]\ndataset: tiny-corpus\n", "checkpoints: name their model"),
        ("model: tiny-text\ncheckpoints: [1, 1]\ndataset: tiny-corpus\n", "name two that differ"),
        (
            "model: tiny-text\ncheckpoints: [1, 2]\ndataset: tiny-corpus\n",
            "tiny-text has no checkpoints to choose from",
        ),
        (
            "models: [tiny-text, second-text]\ndataset: tiny-corpus\nlayer: cels\n",
            "no group 'cels'; did you mean 'cell'?",
        ),
        ("models: [tiny-text, tiny-transformer]\ndataset: tiny-corpus\n", "read text in other tokens"),
    ],
)
def test_what_cannot_be_compared_is_told(quick_site: SmallSite, body: str, message: str) -> None:
    quick_site.figure(f"id: c\nkind: unit-changes\n{body}")

    with pytest.raises(BuildErrors) as caught:
        quick_site.build()

    assert message in str(caught.value)
