import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from generator.artifact import ArtifactStore
from generator.figures.class_image import EXAMPLE, Options, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError

VISION = {"source": "python", "factory": "tests.nets:vision", "height": 32, "width": 32, "classes": list("abcde")}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    models = {"tiny-vision": VISION, "no-images": {"source": "python", "factory": "tests.nets:vision"}}
    for number in range(4):
        path = folder / f"photos/train/one/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
    datasets = {"photos": {"source": "image-folder", "path": "photos", "size": 40}}
    settings = Settings(title="t", models=models, datasets=datasets)
    return Inputs(Library(settings, folder, ArtifactStore(folder / "store")), "tiny-vision")


def options(**more):
    example = yaml.safe_load(EXAMPLE)
    example.pop("caption")
    return Options.model_validate({**example, **more})


def test_each_class_has_a_picture_and_the_networks_opinion_of_these_very_pixels(inputs):
    artifact = compute(options(), inputs)

    assert list(artifact.arrays) == ["a", "c"]
    for name, target in (("a", 0), ("c", 2)):
        pixels = artifact.arrays[name]
        assert pixels.shape == (32, 32, 3)
        assert pixels.dtype == np.uint8
        images = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
        logits = inputs.model.network(images)[0]
        assert artifact.measures[f"{name}.logit"] == pytest.approx(float(logits[target]), abs=1e-5)
        assert artifact.measures[f"{name}.probability"] == pytest.approx(float(logits.softmax(0)[target]), abs=1e-5)
        assert artifact.measures[f"{name}.rank"] == 1 + int((logits > logits[target]).sum())


def test_more_steps_make_the_network_surer(inputs):
    still = {"rotation": 0, "zoom": (1, 1), "shift": 0, "noise": 0}
    few, many = (compute(options(steps=steps, rate=0.5, **still), inputs).measures["a.logit"] for steps in (1, 30))

    assert many > few + 0.01


def test_the_same_seed_gives_the_same_picture_and_another_seed_another(inputs):
    once, again, other = (compute(options(seed=seed), inputs).arrays["a"] for seed in (0, 0, 1))

    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_a_picture_does_not_depend_on_the_other_classes_of_the_figure(inputs):
    alone, among = compute(options(classes=["c"]), inputs), compute(options(classes=["b", "c"]), inputs)

    assert np.array_equal(alone.arrays["c"], among.arrays["c"])


def test_the_size_can_be_chosen(inputs):
    assert compute(options(classes=["a"], size=40), inputs).arrays["a"].shape == (40, 40, 3)


def test_progress_ends_at_all_there_is_to_do(inputs):
    reports = []
    watched = Inputs(inputs.library, inputs.model_name, lambda *report: reports.append(report))

    compute(options(), watched)

    dones = [done for done, _ in reports]
    assert dones == sorted(dones)
    assert reports[-1][0] == reports[-1][1]


def test_an_unknown_class_is_answered_with_the_nearest(inputs):
    with pytest.raises(BuildError, match="model tiny-vision has no class 'z'; known: a, b, c, d, e"):
        compute(options(classes=["z"]), inputs)


def test_a_model_without_images_has_no_class_images(inputs):
    with pytest.raises(BuildError, match="model no-images does not classify images"):
        compute(options(), Inputs(inputs.library, "no-images"))


def test_a_broken_weight_is_reported_with_the_classes(inputs):
    weight = inputs.model.network.conv1.weight
    before = weight.clone()
    try:
        weight.fill_(float("nan"))
        with pytest.raises(ValueError, match="the logit of 'a' or 'c' is nan at step 1 of"):
            compute(options(), inputs)
    finally:
        weight.copy_(before)


def test_maco_paints_with_the_spectrum_of_natural_images(inputs):
    still = {"rotation": 0, "zoom": (1, 1), "shift": 0, "noise": 0}
    maco = {"classes": ["a"], "basis": "maco", "dataset": "photos", **still}
    first, last = (compute(options(steps=steps, **maco), inputs) for steps in (1, 30))

    assert last.measures["a.logit"] > first.measures["a.logit"]
    assert last.measures["a.natural.best"] == first.measures["a.natural.best"]
    with pytest.raises(ValueError, match="takes its spectrum from natural images; name a `dataset`"):
        options(basis="maco")


def test_transparency_hides_what_did_not_matter_and_changes_no_colour_and_no_number(inputs):
    maco = {"classes": ["a"], "basis": "maco", "dataset": "photos", "steps": 4}
    opaque, shown = compute(options(**maco), inputs), compute(options(transparency=True, **maco), inputs)

    assert shown.arrays["a"].shape == (32, 32, 4)
    np.testing.assert_array_equal(shown.arrays["a"][..., :3], opaque.arrays["a"])
    assert shown.measures == opaque.measures
    assert shown.arrays["a"][..., 3].max() == 255
    assert shown.arrays["a"][..., 3].min() < 128
    with pytest.raises(ValueError, match="transparency is for basis maco"):
        options(transparency=True)


def test_evidence_stands_beside_every_picture(inputs):
    artifact = compute(options(dataset="photos"), inputs)

    assert artifact.data["natural"] == 4
    for picture in artifact.data["pictures"]:
        for measure in ("activation", "natural.times", "kept.jpeg", "spectrum", "agreement"):
            assert artifact.measures[f"{picture['array']}.{measure}"] == picture["evidence"][measure]
    assert "agreement" not in compute(options(twins=False), inputs).data["pictures"][0]["evidence"]


def test_a_class_that_is_named_again_gets_another_picture_and_moves_no_other(inputs):
    once, twice = compute(options(classes=["a", "b"]), inputs), compute(options(classes=["a", "a", "b", "a"]), inputs)

    assert list(twice.arrays) == ["a", "a-2", "b", "a-3"]
    assert np.array_equal(once.arrays["a"], twice.arrays["a"])
    assert np.array_equal(once.arrays["b"], twice.arrays["b"])
    assert len({picture.tobytes() for picture in twice.arrays.values()}) == 4
