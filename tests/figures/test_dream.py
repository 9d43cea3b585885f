import numpy as np
import pytest
import yaml
from PIL import Image

from generator.artifact import ArtifactStore
from generator.figures.dream import EXAMPLE, Options, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    pixels = np.random.default_rng(0).integers(60, 200, (30, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "noise.png")
    models = {
        "tiny-vision": {"source": "python", "factory": "tests.nets:vision", "height": 32, "width": 32},
        "no-images": {"source": "python", "factory": "tests.nets:vision"},
    }
    datasets = {"digits": {"source": "digits"}}
    return Library(Settings(title="t", models=models, datasets=datasets), folder, ArtifactStore(folder / "store"))


@pytest.fixture(scope="module")
def inputs(library):
    return Inputs(library, "tiny-vision")


def options(**more):
    example = yaml.safe_load(EXAMPLE)
    example.pop("caption")
    return Options.model_validate({**example, "image": {"file": "noise.png"}, **more})


def test_the_original_stands_before_one_dream_of_each_layer(inputs):
    artifact = compute(options(), inputs)

    assert list(artifact.arrays) == ["original", "conv1", "conv2"]
    assert [picture["layer"] for picture in artifact.data["pictures"]] == ["conv1", "conv2"]
    assert {array.shape for array in artifact.arrays.values()} == {(19, 32, 3)}
    assert {array.dtype for array in artifact.arrays.values()} == {np.dtype(np.uint8)}


def test_a_dream_enhances_what_its_layer_says(inputs):
    measures = compute(options(steps=4, rate=0.03), inputs).measures

    assert measures["conv1.enhancement"] > 1.1
    assert measures["conv2.enhancement"] > 1.1
    assert 0 < measures["conv1.change"] < 0.3


def test_evidence_stands_beside_every_dream(inputs):
    """The original's energy is what a dream begins with; beside it are the energies of natural images."""
    artifact = compute(options(dataset="digits", steps=4), inputs)

    for row in artifact.data["pictures"]:
        assert row["evidence"]["activation"] == pytest.approx(row["energy"], rel=0.02)  # as eight bits keep it
        assert {"natural.times", "kept.jpeg", "spectrum"} <= set(row["evidence"])
    alone = compute(options(), inputs).data["pictures"][0]["evidence"]
    assert "natural.times" not in alone
    assert "kept.jpeg" in alone


def test_a_small_image_is_not_enlarged(inputs):
    assert compute(options(size=320), inputs).arrays["original"].shape == (30, 50, 3)


def test_the_same_seed_dreams_the_same(inputs):
    once, again, other = (compute(options(seed=seed), inputs).arrays["conv2"] for seed in (0, 0, 1))

    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_the_image_is_called_by_its_file_or_sample(inputs):
    assert compute(options(), inputs).data["image"] == "noise.png"


def test_a_model_without_images_cannot_dream(library):
    with pytest.raises(BuildError, match="model no-images takes no images"):
        compute(options(), Inputs(library, "no-images"))
