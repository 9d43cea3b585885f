import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from pydantic import ValidationError

from generator.artifact import ArtifactStore
from generator.figures.caricature import EXAMPLE, Options, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError

SIZE = {"height": 32, "width": 32}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    row, column = np.mgrid[0:40, 0:60]
    wave = (128 + 90 * np.sin(column / 4) * np.cos(row / 5)).astype(np.uint8)
    Image.fromarray(np.stack([wave, 255 - wave, wave.T[:40, :40].repeat(2, 1)[:, :60]], 2)).save(folder / "waves.png")
    models = {
        "tiny-vision": {"source": "python", "factory": "tests.nets:vision", "classes": list("abcde"), **SIZE},
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
    return Options.model_validate({**example, "image": {"file": "waves.png"}, **more})


def cosine(model, layer, one, other):
    outputs = []
    for pixels in (one, other):
        image = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
        cut = list(dict(model.network.named_children())).index(layer) + 1
        outputs.append(model.network[:cut](image).flatten(2))
    return float(torch.nn.functional.cosine_similarity(*outputs, dim=1).mean())


def test_a_caricature_comes_to_look_to_its_layer_as_the_original_does(inputs):
    artifact = compute(options(steps=60), inputs)

    assert list(artifact.arrays) == ["original", "conv1", "conv2", "accentuated"]
    assert {array.shape for array in artifact.arrays.values()} == {(32, 32, 3)}
    for layer in ("conv1", "conv2"):
        assert artifact.measures[f"{layer}.cosine"] > artifact.measures[f"{layer}.before"] + 0.02
        assert artifact.measures[f"{layer}.cosine"] > 0.8


def test_the_cosine_is_that_of_the_finished_eight_bit_pictures(inputs):
    artifact = compute(options(), inputs)

    expected = cosine(inputs.model, "conv2", artifact.arrays["conv2"], artifact.arrays["original"])
    assert artifact.measures["conv2.cosine"] == pytest.approx(expected, abs=1e-5)
    change = np.abs(artifact.arrays["conv2"].astype(float) - artifact.arrays["original"]).mean() / 255
    assert artifact.measures["conv2.change"] == pytest.approx(change, abs=1e-5)


def test_an_accentuated_image_raises_its_class_and_stays_nearer_than_any_caricature(inputs):
    measures = compute(options(steps=40, hold=3), inputs).measures

    assert measures["accentuated.activation"] > measures["accentuated.before"] + 0.02
    assert 0 < measures["accentuated.change"] < measures["conv2.change"] / 2


def test_the_firmer_the_hold_the_nearer_the_image_stays(inputs):
    loose, firm = (compute(options(steps=20, hold=hold), inputs).measures for hold in (0, 300))

    assert firm["accentuated.nearness"] > loose["accentuated.nearness"]
    assert firm["accentuated.change"] < loose["accentuated.change"]


def test_a_channel_of_a_layer_can_be_accentuated_and_another_layer_hold_the_image(inputs):
    artifact = compute(options(steps=20, accentuate={"layer": "conv2", "unit": 3}, near="relu1"), inputs)

    assert artifact.data["accentuated"]["label"] == "channel 3 of conv2"
    assert artifact.data["accentuated"]["near"] == "relu1"
    assert artifact.measures["accentuated.activation"] > artifact.measures["accentuated.before"]


def test_evidence_stands_beside_every_picture_but_the_original(library, inputs):
    artifact = compute(options(dataset="digits", steps=20), inputs)

    for row in (*artifact.data["pictures"], artifact.data["accentuated"]):
        assert {"activation", "natural.times", "kept.jpeg", "spectrum"} <= set(row["evidence"])
        assert isinstance(row["warnings"], list)
    assert artifact.measures["conv2.natural.times"] == artifact.data["pictures"][1]["evidence"]["natural.times"]
    after = artifact.data["accentuated"]
    assert after["evidence"]["activation"] == pytest.approx(after["activation"], abs=1e-5)


def test_what_a_layer_keeps_of_an_image_is_in_no_other_image_as_much(inputs):
    """A caricature of one image must beat all natural ones at being like it: they are of other things."""
    artifact = compute(options(dataset="digits", accentuate=None, steps=60), inputs)

    assert artifact.measures["conv2.natural.percentile"] == 1


def test_without_a_unit_there_are_caricatures_alone(inputs):
    artifact = compute(options(accentuate=None), inputs)

    assert list(artifact.arrays) == ["original", "conv1", "conv2"]
    assert artifact.data["accentuated"] is None


def test_a_layer_without_positions_has_a_caricature_of_the_whole_image(inputs):
    artifact = compute(options(layers=["flat"], accentuate=None, steps=40), inputs)

    assert artifact.measures["flat.cosine"] > artifact.measures["flat.before"]


def test_the_same_seed_gives_the_same_pictures(inputs):
    once, again, other = (compute(options(seed=seed), inputs).arrays for seed in (0, 0, 1))

    assert all(np.array_equal(once[name], again[name]) for name in once)
    assert not np.array_equal(once["conv1"], other["conv1"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": ["conv3"]}, "model tiny-vision has no layer 'conv3'; did you mean"),
        ({"near": "conv3"}, "model tiny-vision has no layer 'conv3'; did you mean"),
        ({"accentuate": "f"}, "model tiny-vision has no class 'f'"),
        ({"accentuate": {"layer": "hed", "unit": 0}}, "no layer 'hed'; did you mean 'head'"),
        ({"accentuate": {"layer": "conv1", "unit": 8}}, "layer conv1 of model tiny-vision has channels 0 to 7, not 8"),
        (
            {"accentuate": {"layer": "conv1", "unit": 50}},
            "layer conv1 of model tiny-vision has channels 0 to 7, not 50",
        ),
    ],
)
def test_what_the_model_has_not_is_refused(inputs, wrong, message):
    with pytest.raises(BuildError, match=message):
        compute(options(**wrong), inputs)


def test_a_model_without_images_has_no_caricature(library):
    with pytest.raises(BuildError, match="model no-images takes no images"):
        compute(options(), Inputs(library, "no-images"))


@pytest.mark.parametrize("wrong", [{"layer": "conv1"}, {"unit": 1}, {"class": "b", "layer": "conv1", "unit": 1}, {}])
def test_a_unit_is_a_class_or_a_channel_of_a_layer(wrong):
    with pytest.raises(ValidationError, match="give the name of a class, or both layer and unit"):
        options(accentuate=wrong)
