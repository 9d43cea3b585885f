from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from generator import interp
from generator.artifact import ArtifactStore
from generator.channels import layer_of
from generator.evidence import Evidence, Twins, failures, gather, of_channels, of_objective, together
from generator.inputs import Inputs
from generator.library import Library
from generator.natural import natural, natural_pixels
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
    photos = natural_pixels(inputs, "photos", "train", 32, 32)
    activations = [
        gather(inputs, objective, photos[n : n + 1], [0.0])[0].measures["activation"] for n in range(len(photos))
    ]
    best = int(np.argmax(activations))

    (found,) = gather(inputs, objective, photos[best : best + 1], [0.0], of_objective(inputs, objective, photos))

    assert found.measures["natural.best"] == pytest.approx(max(activations), abs=1e-5)
    assert found.measures["natural.times"] == pytest.approx(1, abs=1e-4)
    assert found.measures["natural.percentile"] == pytest.approx(1 - 0.5 / len(photos))


def test_where_all_natural_images_do_the_same_no_number_of_times_is_told(inputs):
    """As to a unit that none of them excites."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    objective = interp.objectives.channel("conv2", [3, 5])
    usual = of_objective(inputs, objective, natural_pixels(inputs, "photos", "train", 32, 32))
    silent = replace(usual, scores=usual.scores * torch.tensor([[0.0], [1.0]], dtype=usual.scores.dtype))

    first, second = gather(inputs, objective, pixels, [0.0, 0.0], silent)

    assert "natural.times" not in first.measures
    assert first.measures["natural.percentile"] in (0.0, 1.0)
    assert "natural.times" in second.measures


def test_recorded_channels_and_any_objective_tell_the_same_of_natural_images(inputs):
    trained = Inputs(inputs.library, "trained")
    record = natural(trained, layer_of(trained.model, "conv2", None), "photos", "train")
    photos = natural_pixels(trained, "photos", "train", 32, 32)

    recorded = of_channels(record, [3, 5])
    scored = of_objective(trained, interp.objectives.channel("conv2", [3, 5]), photos)

    torch.testing.assert_close(recorded.scores, scored.scores)
    torch.testing.assert_close(recorded.earlier, scored.earlier)
    torch.testing.assert_close(recorded.spectra, scored.spectra)
    assert not torch.allclose(recorded.scores, recorded.earlier)


def test_a_picture_that_presses_a_unit_down_is_judged_by_the_lowest_natural_image(inputs):
    """The same numbers as those of the negated unit, with the signs of the unit itself."""
    pixels = np.random.default_rng(9).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    unit = interp.objectives.channel("conv2", [3])
    photos = natural_pixels(inputs, "photos", "train", 32, 32)

    (less,) = gather(inputs, unit, pixels, [0.5], of_objective(inputs, unit, photos), way="less")
    (negated,) = gather(inputs, -1 * unit, pixels, [-0.5], of_objective(inputs, -1 * unit, photos))

    assert less.measures["activation"] == pytest.approx(-negated.measures["activation"])
    assert less.measures["natural.best"] == pytest.approx(float(of_objective(inputs, unit, photos).scores.min()))
    assert less.measures["natural.times"] == pytest.approx(negated.measures["natural.times"])
    assert less.measures["kept.shift"] == pytest.approx(negated.measures["kept.shift"])
    assert less.measures["natural.percentile"] == pytest.approx(1 - negated.measures["natural.percentile"])


def test_without_natural_images_what_is_kept_is_counted_from_the_noise_whichever_way_it_goes(inputs):
    pixels = np.random.default_rng(9).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    unit = interp.objectives.channel("conv2", [3])

    (less,) = gather(inputs, unit, pixels, [0.5], way="less")
    (negated,) = gather(inputs, -1 * unit, pixels, [-0.5])

    assert less.measures["kept.scale"] == pytest.approx(negated.measures["kept.scale"])


def test_natural_images_are_looked_at_again_when_the_checkpoint_before_is_another(inputs):
    """The newest has the same bytes, and so all else in the record's key is the same."""
    trained, folder = Inputs(inputs.library, "trained"), inputs.library.root / "other"
    layer = layer_of(trained.model, "conv2", None)
    state = load_file(inputs.library.root / "step-2.safetensors")
    folder.mkdir()
    save_file(state, folder / "step-2.safetensors")
    save_file({name: 2 * value for name, value in state.items()}, folder / "step-1.safetensors")
    settings = Settings(
        title="t",
        models={"trained": {**VISION, "checkpoints": "other/*.safetensors"}},
        datasets={"photos": {"source": "image-folder", "path": "photos", "size": 40}},
    )
    other = Inputs(Library(settings, inputs.library.root, inputs.library.store), "trained")

    one, two = (natural(of, layer, "photos", "train") for of in (trained, other))

    assert np.array_equal(one.means, two.means)
    assert not np.array_equal(one.earlier, two.earlier)


def test_one_natural_image_has_no_spread_to_measure_a_spectrum_in(inputs):
    unit = interp.objectives.channel("conv2", [3])
    photos = natural_pixels(inputs, "photos", "train", 32, 32)

    (found,) = gather(inputs, unit, photos[1:2], [0.0], of_objective(inputs, unit, photos[:1]))

    assert "spectrum" not in found.measures
    assert np.isfinite(list(found.measures.values())).all()


def test_more_pictures_than_are_judged_at_once_are_judged_alike(inputs, monkeypatch):
    objective = interp.objectives.channel("conv2", range(5))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    twins = Twins(pixels[::-1].copy(), range(5))

    together = gather(inputs, objective, pixels, [0.0] * 5, twins=twins)
    monkeypatch.setattr("generator.evidence.BATCH", 2)
    apart = gather(inputs, objective, pixels, [0.0] * 5, twins=twins)

    for one, other in zip(together, apart, strict=True):
        assert one.measures == pytest.approx(other.measures, rel=1e-4)


def test_twins_are_compared_without_the_units_that_both_were_asked_for(inputs):
    """Both pictures of each unit are the same here, so nothing but the unit's own channel could set them apart."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    objective = interp.objectives.channel("conv2", [3, 5])

    same = gather(inputs, objective, pixels, [0.0] * 2, twins=Twins(pixels, [3, 5]))
    crossed = gather(inputs, objective, pixels, [0.0] * 2, twins=Twins(pixels[::-1].copy(), [3, 5]))
    one_unit = gather(inputs, objective, pixels, [0.0] * 2, twins=Twins(pixels, [3, 3]))

    assert [one.measures["agreement"] for one in same] == [1, 1]
    assert [one.measures["agreement"] for one in crossed] == [0, 0]
    assert "agreement" not in one_unit[0].measures


def test_a_single_picture_is_compared_with_pictures_of_other_units(inputs):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    objective = interp.objectives.channel("conv2", [3])

    def agreement(others, units):
        twins = Twins(pixels[1:2], [3], (others, units))
        return gather(inputs, objective, pixels[:1], [0.0], twins=twins)[0].measures.get("agreement")

    assert agreement(pixels[:1], [5]) == 0, "the other unit's picture is the very same"
    assert agreement(np.concatenate([pixels[:1], 255 * (pixels[2:] > 250)]).astype(np.uint8), [3, 5]) == 1
    assert agreement(pixels[:1], [3]) is None
    assert agreement(pixels[:0], []) is None


def test_a_picture_is_held_against_natural_images_in_the_checkpoint_before_too(inputs):
    trained = Inputs(inputs.library, "trained")
    objective = interp.objectives.channel("conv2", [3])
    photos = natural_pixels(inputs, "photos", "train", 32, 32)

    picture = np.random.default_rng(9).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    (found,) = gather(trained, objective, picture, [0.0], of_objective(trained, objective, photos))
    (alone,) = gather(inputs, objective, picture, [0.0], of_objective(inputs, objective, photos))

    network = vision().eval()
    network.load_state_dict(load_file(inputs.library.root / "step-1.safetensors"))
    with torch.no_grad():
        own, usual = (
            network[:3](torch.tensor(some).permute(0, 3, 1, 2) / 255)[:, 3].mean((1, 2)) for some in (picture, photos)
        )
    assert found.measures["earlier.percentile"] == pytest.approx(float((usual < own).float().mean()))
    assert "earlier.percentile" not in alone.measures


def test_natural_images_are_spread_over_the_data_set_and_bounded(inputs, monkeypatch):
    monkeypatch.setattr("generator.natural.MOST", 3)

    few = natural_pixels(inputs, "photos", "train", 16, 20)
    monkeypatch.undo()
    every = natural_pixels(inputs, "photos", "train", 16, 20)

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
    assert failures(GOOD, 40) == {}
    assert list(failures(GOOD | worse, 40).values()) == [sentence]


def test_pictures_that_fail_are_counted_check_by_check():
    strong, weak = Evidence({}), Evidence({}, {"natural": "…", "spectrum": "…"})
    fragile = Evidence({}, {"fragile": "…", "spectrum": "…"})

    assert together([strong]) == []
    assert together([strong, weak, fragile]) == [
        "1 of 3 pictures is no better than the best natural image",
        "1 of 3 pictures is fragile under small changes",
        "2 of 3 pictures are unlike natural images in their frequencies",
    ]
