import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from generator import interp
from generator.artifact import ArtifactStore
from generator.evidence import gather, natural_images, warnings
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from tests.nets import vision

VISION = {"source": "python", "factory": "tests.nets:vision", "height": 32, "width": 32, "classes": list("abcde")}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    for number in range(6):
        path = folder / f"photos/train/one/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    torch.manual_seed(5)
    for step in (1, 2):
        state = {name: value.contiguous() for name, value in vision().state_dict().items()}
        save_file(state, folder / f"step-{step}.safetensors")
    datasets = {"photos": {"source": "image-folder", "path": "photos", "size": 40}}
    models = {"tiny-vision": VISION, "trained": {**VISION, "checkpoints": "*.safetensors"}}
    settings = Settings(title="t", models=models, datasets=datasets)
    return Inputs(Library(settings, folder, ArtifactStore(folder / "store")), "tiny-vision")


def test_activations_are_those_of_the_pixels_as_the_reader_sees_them(inputs):
    objective = interp.objectives.channel("conv2", [3, 5])
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)

    found = gather(inputs, objective, pixels, [0.0, 0.0])

    images = torch.tensor(pixels).permute(0, 3, 1, 2) / 255
    expected = inputs.model.network[:3](images).mean((2, 3))[[0, 1], [3, 5]]
    assert [one.measures["activation"] for one in found] == pytest.approx(expected.tolist(), abs=1e-5)
    assert "natural.best" not in found[0].measures


def test_a_natural_image_is_itself_the_best_natural_image(inputs):
    objective = interp.objectives.channel("conv2", [3])
    natural = natural_images(inputs, "photos", "train", 32, 32)
    activations = [
        gather(inputs, objective, natural[n : n + 1], [0.0])[0].measures["activation"] for n in range(len(natural))
    ]
    best = int(np.argmax(activations))

    (found,) = gather(inputs, objective, natural[best : best + 1], [0.0], natural)

    assert found.measures["natural.best"] == pytest.approx(max(activations), abs=1e-5)
    assert found.measures["natural.times"] == pytest.approx(1, abs=1e-4)
    assert found.measures["natural.percentile"] == pytest.approx(1 - 0.5 / len(natural))


def test_twins_are_compared_without_the_units_that_both_were_asked_for(inputs):
    """Both pictures of each unit are the same here, so nothing but the unit's own channel could set them apart."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    objective = interp.objectives.channel("conv2", [3, 5])

    same = gather(inputs, objective, pixels, [0.0] * 2, twins=pixels, units=[3, 5])
    crossed = gather(inputs, objective, pixels, [0.0] * 2, twins=pixels[::-1].copy(), units=[3, 5])
    everything = gather(inputs, objective, pixels, [0.0] * 2, twins=pixels, units=range(12))

    assert [one.measures["agreement"] for one in same] == [1, 1]
    assert [one.measures["agreement"] for one in crossed] == [0, 0]
    assert "agreement" not in everything[0].measures


def test_a_picture_is_held_against_natural_images_in_the_checkpoint_before_too(inputs):
    trained = Inputs(inputs.library, "trained")
    objective = interp.objectives.channel("conv2", [3])
    natural = natural_images(inputs, "photos", "train", 32, 32)

    picture = np.random.default_rng(9).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    (found,) = gather(trained, objective, picture, [0.0], natural)
    (alone,) = gather(inputs, objective, picture, [0.0], natural)

    network = vision().eval()
    network.load_state_dict(load_file(inputs.library.root / "step-1.safetensors"))
    with torch.no_grad():
        own, usual = (
            network[:3](torch.tensor(some).permute(0, 3, 1, 2) / 255)[:, 3].mean((1, 2)) for some in (picture, natural)
        )
    assert found.measures["earlier.percentile"] == pytest.approx(float((usual < own).float().mean()))
    assert "earlier.percentile" not in alone.measures


def test_natural_images_are_spread_over_the_data_set_and_bounded(inputs, monkeypatch):
    monkeypatch.setattr("generator.evidence.MOST", 3)

    few = natural_images(inputs, "photos", "train", 16, 20)
    monkeypatch.undo()
    every = natural_images(inputs, "photos", "train", 16, 20)

    assert few.shape == (3, 16, 20, 3)
    assert every.shape == (6, 16, 20, 3)
    assert np.array_equal(few, every[[0, 2, 5]])


GOOD = {"natural.times": 1.5, "kept.shift": 0.9, "kept.scale": 0.8, "kept.jpeg": 0.9, "spectrum": 1.2, "agreement": 1.0}


@pytest.mark.parametrize(
    ("worse", "sentence"),
    [
        ({"natural.times": 0.9}, "the best of 40 natural images excites it more"),
        ({"kept.shift": 0.1}, "fragile: it keeps 10% of its effect when moved by a twentieth"),
        ({"kept.scale": -0.2}, "fragile: it keeps 0% of its effect when a tenth larger or smaller"),
        ({"kept.jpeg": 0.4}, "fragile: it keeps 40% of its effect when compressed as JPEG"),
        ({"spectrum": 7.25}, "its frequencies are unlike natural ones by 7.2 standard deviations"),
        (
            {"earlier.percentile": 0.25},
            "in the checkpoint before this one, 75% of natural images excite it more",
        ),
        ({"agreement": 0.5}, "from another seed it looks more like other units"),
    ],
)
def test_what_fails_is_said_in_a_sentence(worse, sentence):
    assert warnings(GOOD, 40) == []
    assert warnings(GOOD | worse, 40) == [sentence]
