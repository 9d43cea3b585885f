import numpy as np
import pytest
import torch
import yaml
from pydantic import ValidationError

from generator.artifact import ArtifactStore
from generator.channels import Layer
from generator.figures.unit_grid import EXAMPLE, Options, chosen, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError

VISION = {"source": "python", "factory": "tests.nets:vision", "height": 32, "width": 32, "classes": list("abcde")}
DEAF = {"source": "python", "factory": "tests.nets:deaf", "height": 32, "width": 32}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    settings = Settings(
        title="t", models={"tiny-vision": VISION, "deaf": DEAF}, datasets={"digits": {"source": "digits"}}
    )
    return Library(settings, folder, ArtifactStore(folder / "store"))


@pytest.fixture(scope="module")
def inputs(library):
    return Inputs(library, "tiny-vision")


def options(**more):
    example = yaml.safe_load(EXAMPLE)
    example.pop("caption")
    return Options.model_validate({**example, **more})


def icon(artifact, unit):
    (row,) = [row for row in artifact.data["units"] if row["unit"] == unit]
    side = artifact.data["icon"]
    return artifact.arrays["sprite"][row["y"] : row["y"] + side, row["x"] : row["x"] + side]


def test_every_icon_excites_its_own_unit_more_than_the_other_icons_do(inputs):
    artifact = compute(options(count=None, sort="number", dataset=None, icon=32, steps=30), inputs)

    units = [row["unit"] for row in artifact.data["units"]]
    assert units == list(range(12))
    icons = np.stack([icon(artifact, unit) for unit in units])
    found = inputs.model.network[:3](torch.tensor(icons).permute(0, 3, 1, 2) / 255).mean((2, 3))  # (icons, units)
    assert found.argmax(0).tolist() == units
    for row in artifact.data["units"]:
        assert row["evidence"]["activation"] == pytest.approx(float(found[row["unit"], row["unit"]]), abs=1e-5)


def test_a_unit_looks_the_same_whatever_else_is_in_the_grid(inputs):
    few = compute(options(units=[3, 7], count=None, sort="number"), inputs)
    more = compute(options(units=["0:8"], count=None, sort="number"), inputs)

    assert np.array_equal(icon(few, 7), icon(more, 7))


def test_sorted_by_activation_the_unit_that_surpasses_natural_images_most_is_first(inputs):
    artifact = compute(options(), inputs)

    times = [row["evidence"]["natural.times"] for row in artifact.data["units"]]
    assert times == sorted(times, reverse=True)
    assert artifact.measures["weaker"] == sum(one < 1 for one in times)
    assert artifact.data["natural"] == 20


def test_a_grid_judges_all_its_pictures(inputs):
    artifact = compute(options(twins=True), inputs)

    for row in artifact.data["units"]:
        assert {"natural.percentile", "spectrum", "kept.scale", "agreement"} <= set(row["evidence"])
        assert artifact.measures[f"unit-{row['unit']}.agreement"] == row["evidence"]["agreement"]
    failing = [row for row in artifact.data["units"] if row["warnings"]]
    assert bool(failing) == bool(artifact.data["warnings"])
    assert "agreement" not in compute(options(), inputs).data["units"][0]["evidence"]


def test_sorted_by_similarity_neighbours_are_alike(inputs):
    weight = inputs.model.network.conv2.weight
    before = weight.clone()
    try:
        weight[9], weight[2] = 1.01 * weight[5], weight[5] + 0.01 * weight[1]
        artifact = compute(options(sort="similarity", dataset=None, count=None), inputs)
    finally:
        weight.copy_(before)

    order = [row["unit"] for row in artifact.data["units"]]
    places = sorted(order.index(unit) for unit in (2, 5, 9))
    assert places[-1] - places[0] == 2


def test_a_layer_without_weights_is_compared_by_its_activations_on_a_data_set(inputs):
    assert len(compute(options(layer="relu1", sort="similarity", count=None), inputs).data["units"]) > 1
    with pytest.raises(BuildError, match="layer relu2 of model tiny-vision has no weights of its own"):
        compute(options(layer="relu2", sort="similarity", dataset=None), inputs)


def test_units_that_nothing_excites_are_named(library):
    artifact = compute(options(model="deaf", layer="relu", sort="number", count=None), Inputs(library, "deaf"))

    assert artifact.data["silent"] == [1]
    assert [row["unit"] for row in artifact.data["units"]] == [0]


def test_a_grid_of_silent_units_has_no_sprite(library):
    artifact = compute(options(model="deaf", layer="relu", units=[1], count=None), Inputs(library, "deaf"))

    assert artifact.arrays == {}
    assert artifact.data["units"] == []


def test_units_are_named_by_number_range_and_class():
    layer = Layer("m", "head", 5, tuple("abcde"))

    assert layer.numbers([4, "1:3", "a", 1]) == [4, 1, 2, 0]
    assert layer.numbers([":2"]) == [0, 1]
    assert layer.numbers(["3:"]) == [3, 4]
    assert chosen(options(count=2), layer) == [0, 2]
    with pytest.raises(BuildError, match=r"layer head of model m has units 0:5; 2:9 is no part of them"):
        layer.numbers(["2:9"])
    with pytest.raises(BuildError, match="layer head of model m has units 0 to 4, not 5"):
        layer.numbers([5])


def test_sorting_by_activation_needs_natural_images():
    with pytest.raises(ValidationError, match="sort: activation needs a dataset"):
        options(dataset=None)
