import io

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from pydantic import ValidationError

from generator.artifact import ArtifactStore
from generator.figures.unit_card import EXAMPLE, Options, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError

SIZE = {"height": 32, "width": 32}


def images(folder, split, count, corrupt=()):
    """Grey images, the brighter the higher their number, in two classes by turns."""
    for number in range(count):
        path = folder / split / ("even" if number % 2 == 0 else "odd") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        Image.new("RGB", (24, 24), (10 * number + 5,) * 3).save(buffer, "PNG")
        path.write_bytes(buffer.getvalue()[:40] if number in corrupt else buffer.getvalue())


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    images(folder / "images", "train", 20)
    images(folder / "images", "single", 1)
    images(folder / "broken", "train", 6, corrupt=(0, 3))
    images(folder / "hopeless", "train", 2, corrupt=(0, 1))
    models = {
        name: {"source": "python", "factory": f"tests.nets:{factory}", **SIZE}
        for name, factory in (
            ("deaf", "deaf"),
            ("returns-dict", "returns_dict"),
            ("returns-tuple", "returns_tuple"),
            ("fixed", "fixed_size"),
            ("dropout-left-on", "dropout_left_on"),
        )
    }
    models["tiny-vision"] = {"source": "python", "factory": "tests.nets:vision", "classes": list("abcde"), **SIZE}
    models["no-images"] = {"source": "python", "factory": "tests.nets:vision"}
    datasets = {name: {"source": "image-folder", "path": name} for name in ("images", "broken", "hopeless")}
    return Library(Settings(title="t", models=models, datasets=datasets), folder, ArtifactStore(folder / "store"))


@pytest.fixture(scope="module")
def inputs(library):
    return Inputs(library, "tiny-vision")


def options(**more):
    example = yaml.safe_load(EXAMPLE)
    example.pop("caption")
    return Options.model_validate({**example, "dataset": "images", "diverse": 0, **more})


def activation(inputs, layer, unit, pixels):
    tensor = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
    for name, module in inputs.model.network.named_children():
        tensor = module(tensor)
        if name == layer:
            return float(tensor[0, unit].mean())
    raise AssertionError(layer)


def test_the_numbers_are_those_of_the_finished_eight_bit_pictures(inputs):
    artifact = compute(options(steps=10), inputs)

    most, least = artifact.data["synthetic"]
    for picture in (most, least):
        expected = activation(inputs, "conv2", 3, artifact.arrays[picture["array"]])
        assert picture["activation"] == pytest.approx(expected, abs=1e-5)
    assert most["activation"] > most["before"]
    assert least["activation"] < least["before"]
    assert artifact.measures["activation"] == pytest.approx(most["activation"], abs=1e-5)


def test_natural_images_stand_in_order_of_their_activation_and_none_twice(inputs):
    artifact = compute(options(images=20), inputs)

    groups = artifact.data["examples"]
    # Of 20 images, 6 are at the top and 3 at the bottom; the 90%, 75% and 10% are among these already.
    assert [group["name"] for group in groups] == ["most", "quantile-50", "quantile-25", "least"]
    assert [len(groups[0]["pictures"]), len(groups[-1]["pictures"])] == [6, 3]
    values = [picture["activation"] for group in groups for picture in group["pictures"]]
    assert values == sorted(values, reverse=True)
    assert artifact.measures["natural.best"] == pytest.approx(values[0])
    assert artifact.measures["natural.least"] == pytest.approx(values[-1])
    names = [picture["array"] for group in groups for picture in group["pictures"]]
    assert len(set(names)) == len(names)


def test_an_example_is_cut_to_what_the_unit_sees(inputs):
    whole = compute(options(layer="head", unit=0), inputs).arrays["natural-most-0"]
    part = compute(options(layer="conv1"), inputs).arrays["natural-most-0"]

    assert whole.shape == part.shape == (104, 104, 3)
    assert part.std() <= whole.std()  # the images are of one colour each


def test_the_percentile_is_that_among_the_natural_images(library, tmp_path):
    record = ArtifactStore(tmp_path)
    artifact = compute(options(images=20), Inputs(Library(library.settings, library.root, record), "tiny-vision"))

    means = next(
        found.arrays["means"][:, 3]
        for path in record.folder.glob("*/*.npz")
        if (found := record.get(path.stem))
        and found.provenance["ingredients"].get("layer") == "conv2"
        and "means" in found.arrays
    )
    expected = float((means < artifact.measures["activation"]).mean())
    assert artifact.measures["natural.percentile"] == pytest.approx(expected)
    assert artifact.data["histogram"]["tallest"] <= 20
    assert artifact.data["labels"][0]["label"] in ("even", "odd")


def test_units_of_a_layer_share_what_natural_images_do_to_them(inputs, monkeypatch):
    compute(options(unit=1), inputs)
    monkeypatch.setattr("generator.natural.recorded", lambda *_: pytest.fail("the images were looked at again"))
    monkeypatch.setattr("generator.interp.receptive.field", lambda *_: pytest.fail("the field was measured again"))

    compute(options(unit=2), inputs)


def test_without_a_data_set_there_is_only_the_synthetic_part(inputs):
    artifact = compute(options(dataset=None), inputs)

    assert artifact.data["examples"] == []
    assert artifact.data["histogram"] is None
    assert not any(name.startswith("natural") for name in (*artifact.arrays, *artifact.measures))


def test_diverse_images_are_less_alike_than_those_of_other_seeds(inputs):
    """By the instrument's own measure: the mean cosine of Gram matrices."""

    def unlikeness(diversity):
        found = compute(options(dataset=None, diverse=3, diversity=diversity, steps=12), inputs)
        pixels = np.stack([found.arrays[one["array"]] for one in found.data["diverse"]])
        images = torch.tensor(pixels).permute(0, 3, 1, 2) / 255
        output = inputs.model.network[:3](images)
        from generator import interp

        return float(interp.objectives.diversity("conv2", 3).score({"conv2": output}, torch.arange(3)).mean())

    assert unlikeness(20.0) > unlikeness(0.0)


def test_every_synthetic_picture_has_its_evidence(inputs):
    artifact = compute(options(steps=10, diverse=2), inputs)

    most, least = artifact.data["synthetic"]
    for row in (most, least, *artifact.data["diverse"]):
        expected = activation(inputs, "conv2", 3, artifact.arrays[row["array"]])
        assert row["evidence"]["activation"] == pytest.approx(expected, abs=1e-5)
        assert {"natural.percentile", "spectrum", "kept.shift", "kept.jpeg"} <= set(row["evidence"])
    assert artifact.measures["spectrum"] == most["evidence"]["spectrum"]
    assert artifact.measures["least.spectrum"] == least["evidence"]["spectrum"]
    assert least["evidence"]["natural.best"] == pytest.approx(artifact.measures["natural.least"], abs=1e-6)


def test_a_twin_is_held_against_pictures_of_other_units_that_are_grown_once(inputs, monkeypatch):
    first = compute(options(unit=1), inputs)
    monkeypatch.setattr("generator.channels.OTHERS", None)  # to grow them again would fail

    second = compute(options(unit=2), inputs)

    assert 0 <= first.measures["agreement"] <= 1
    assert 0 <= second.measures["agreement"] <= 1
    assert "agreement" not in compute(options(unit=2, twins=False), inputs).measures


def test_a_twin_changes_no_picture(inputs):
    alone, accompanied = (compute(options(twins=twins), inputs).arrays for twins in (False, True))

    assert all(np.array_equal(alone[name], accompanied[name]) for name in ("most", "least"))


def test_a_class_is_a_unit_of_the_logits(inputs):
    artifact = compute(options(layer="head", unit="c"), inputs)

    assert (artifact.data["unit"], artifact.data["label"]) == (2, "c")


def test_the_same_seed_gives_the_same_pictures_and_another_seed_another(inputs):
    once, again, other = (compute(options(seed=seed), inputs).arrays["most"] for seed in (0, 0, 1))

    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_a_unit_that_never_activates_is_told_and_has_no_pictures(library):
    artifact = compute(options(model="deaf", layer="relu", unit=1), Inputs(library, "deaf"))

    assert artifact.data["silent"]
    assert not artifact.arrays
    assert artifact.measures == {"activation": 0.0, "least": 0.0, "silent": 1.0}


def test_a_unit_out_of_range_names_the_range(inputs):
    for wrong in (12, -1):
        with pytest.raises(BuildError, match=f"layer conv2 of model tiny-vision has units 0 to 11, not {wrong}"):
            compute(options(unit=wrong), inputs)


def test_a_name_that_is_no_class_is_refused(inputs):
    with pytest.raises(BuildError, match="layer head of model tiny-vision has no unit 'z'; known: a, b, c, d, e"):
        compute(options(layer="head", unit="z"), inputs)
    with pytest.raises(BuildError, match="no unit 'a'; its units have no names, only numbers"):
        compute(options(unit="a"), inputs)


def test_one_image_is_top_and_all(inputs):
    artifact = compute(options(split="single"), inputs)

    assert [group["name"] for group in artifact.data["examples"]] == ["most"]
    assert artifact.measures["natural.images"] == 1


def test_a_damaged_image_is_named_skipped_and_counted(inputs):
    artifact = compute(options(dataset="broken"), inputs)

    assert artifact.measures["natural.images"] == 4
    assert artifact.measures["natural.skipped"] == 2
    assert [sentence.split("/")[-1].split(" ")[0] for sentence in artifact.data["skipped"]] == ["0.png", "3.png"]


def test_where_all_images_are_damaged_the_first_is_named(inputs):
    with pytest.raises(BuildError, match=r"hopeless/train/even/0\.png cannot be read"):
        compute(options(dataset="hopeless"), inputs)


def test_other_figures_refuse_a_damaged_data_set(inputs):
    with pytest.raises(BuildError, match=r"data set broken: image .*0\.png cannot be read"):
        inputs.images("broken", "train")


def test_a_network_without_a_size_of_its_own_takes_any(inputs):
    assert compute(options(size=48), inputs).arrays["most"].shape == (48, 48, 3)


def test_a_network_of_fixed_size_is_given_its_own_and_refuses_another(library):
    fixed = Inputs(library, "fixed")

    assert compute(options(model="fixed", layer="2", unit=0), fixed).arrays["most"].shape == (32, 32, 3)
    with pytest.raises(BuildError, match="layer 2 of model fixed cannot be run on images of 48 × 48 pixels"):
        compute(options(model="fixed", layer="2", unit=0, size=48), fixed)


@pytest.mark.parametrize("model", ["returns-dict", "returns-tuple"])
@pytest.mark.parametrize("layer", ["conv", "relu", "head"])
def test_dicts_tuples_and_layers_that_write_in_place_are_read(library, model, layer):
    artifact = compute(options(model=model, layer=layer, unit=1), Inputs(library, model))

    assert np.isfinite(list(artifact.measures.values())).all()


def test_dropout_that_was_left_on_is_off(library):
    inputs = Inputs(library, "dropout-left-on")
    artifact = compute(options(model="dropout-left-on", layer="head", unit=1), inputs)

    pixels = artifact.arrays["most"]
    images = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
    again = [float(inputs.model.network(images.clone())[1][0][0, 1].mean()) for _ in range(2)]
    assert again == pytest.approx([artifact.measures["activation"]] * 2, abs=1e-5)


def test_a_model_without_images_has_no_unit_cards(library):
    with pytest.raises(BuildError, match="model no-images takes no images"):
        compute(options(), Inputs(library, "no-images"))


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValidationError, match="one image cannot be unlike the others"):
        options(diverse=1)
    with pytest.raises(ValidationError, match="each is a per cent"):
        options(quantiles=[101])
