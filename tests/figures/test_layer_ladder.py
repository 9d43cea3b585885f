import numpy as np
import pytest
import torch
import yaml
from pydantic import ValidationError

from generator.artifact import ArtifactStore
from generator.figures.layer_ladder import EXAMPLE, Options, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError

SIZE = {"height": 32, "width": 32}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    models = {
        "tiny-vision": {"source": "python", "factory": "tests.nets:vision", "classes": list("abcde"), **SIZE},
        "deaf": {"source": "python", "factory": "tests.nets:deaf", **SIZE},
        "no-images": {"source": "python", "factory": "tests.nets:vision"},
    }
    return Library(Settings(title="t", models=models), folder, ArtifactStore(folder / "store"))


@pytest.fixture(scope="module")
def inputs(library):
    return Inputs(library, "tiny-vision")


def options(**more):
    example = yaml.safe_load(EXAMPLE)
    example.pop("caption")
    return Options.model_validate({**example, **more})


def test_rungs_go_from_the_first_layer_to_the_last_in_growing_pictures(inputs):
    artifact = compute(options(), inputs)

    rungs = artifact.data["rungs"]
    assert [rung["layer"] for rung in rungs] == ["conv1", "conv2", "head"]
    assert [rung["width"] for rung in rungs] == [8, 12, 5]
    assert [artifact.arrays[rung["units"][0]["array"]].shape for rung in rungs] == [
        (16, 16, 3),
        (24, 24, 3),
        (32, 32, 3),
    ]


def test_the_authors_channels_are_shown_in_their_order_and_others_drawn_by_the_seed(inputs):
    rungs = compute(options(), inputs).data["rungs"]

    assert [unit["channel"] for unit in rungs[0]["units"]] == [3, 1]
    assert len({unit["channel"] for unit in rungs[1]["units"]}) == 2


def test_the_units_of_the_last_layer_are_called_by_their_classes(inputs):
    rungs = compute(options(channels={"head": [4, 0]}), inputs).data["rungs"]

    assert [unit["label"] for unit in rungs[2]["units"]] == ["e", "a"]
    assert rungs[1]["units"][0]["label"].startswith("channel ")


def test_an_activation_is_that_of_the_finished_eight_bit_picture(inputs):
    artifact = compute(options(), inputs)

    images = torch.tensor(artifact.arrays["conv1.channel-3"]).permute(2, 0, 1)[None] / 255
    expected = float(inputs.model.network[:1](images)[0, 3].mean())
    assert artifact.measures["conv1.channel-3.activation"] == pytest.approx(expected, abs=1e-5)
    assert artifact.measures["conv1.channel-3.noise"] < expected


def test_a_channel_that_nothing_excites_is_left_out_and_named(library):
    wanted = options(model="deaf", layers=["relu"], channels={"relu": [1, 0]})

    artifact = compute(wanted, Inputs(library, "deaf"))

    (rung,) = artifact.data["rungs"]
    assert rung["silent"] == [1]
    assert [unit["channel"] for unit in rung["units"]] == [0]
    assert artifact.measures["silent"] == 1


def test_a_silent_channel_is_replaced_where_the_author_named_none(library):
    artifact = compute(options(model="deaf", layers=["relu"], channels={}, count=1, seed=0), Inputs(library, "deaf"))
    other = compute(options(model="deaf", layers=["relu"], channels={}, count=1, seed=2), Inputs(library, "deaf"))

    assert [len(one.data["rungs"][0]["units"]) for one in (artifact, other)] == [1, 1]


def test_the_same_seed_gives_the_same_pictures(inputs):
    once, again = compute(options(), inputs).arrays, compute(options(), inputs).arrays

    assert once.keys() == again.keys()
    assert all(np.array_equal(once[name], again[name]) for name in once)


def test_a_channel_that_the_layer_has_not_is_refused(inputs):
    with pytest.raises(ValidationError, match="'haed' is not one of `layers`; did you mean 'head'"):
        options(channels={"haed": [0]})
    with pytest.raises(BuildError, match="layer conv1 of model tiny-vision has units 0 to 7, not 8"):
        compute(options(channels={"conv1": [0, 8]}), inputs)


def test_a_model_without_images_has_no_ladder(library):
    with pytest.raises(BuildError, match="model no-images takes no images"):
        compute(options(), Inputs(library, "no-images"))
