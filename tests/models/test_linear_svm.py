from pathlib import Path

import numpy as np
import pytest
import torch

from generator.artifact import ArtifactStore
from generator.data import Images
from generator.models import linear_svm
from generator.spec import BuildError
from generator.weights import Desk, Weights, read_weights, write_weights

DESK = Desk(lambda done, total, word: None, ArtifactStore(Path()), "")
ABOUT = {"classes": ["dark", "light"], "channels": 3, "height": 4, "width": 5}


def settings(**recipe):
    return linear_svm.Settings(source="linear-svm", train=recipe or None)


def load(weights, seed=0):
    return linear_svm.load("m", settings(), weights, seed, Path())


def halves(count, seed):
    """Noisy images, (count, 4, 5, 3): those of class `red` have more red at the left."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = generator.integers(90, 110, (count, 4, 5, 3))
    pixels[:, :, :2, 0] += 50 * labels[:, None, None]
    return Images(pixels.astype(np.uint8), labels.astype(np.int64), ("plain", "red"))


@pytest.fixture(scope="module")
def trained():
    splits = {"train": halves(200, 0), "test": halves(100, 1)}
    *_, last = linear_svm.train(settings(steps=300, batch=20), splits, DESK)
    return splits, last


def test_what_separates_the_classes_is_learnt_and_is_where_the_template_shows_it(trained):
    _, last = trained
    template = last.weights.tensors["linear.weight"][1].view(3, 4, 5)

    assert last.step == 300
    assert last.measures["accuracy"] == 1.0
    assert template[0, :, :2].mean() > 3 * template[0, :, 2:].abs().mean()


def test_the_measures_are_those_of_the_weights_on_plain_pixels_as_a_checkpoint_keeps_them(trained, tmp_path):
    splits, last = trained
    write_weights(tmp_path / "a.safetensors", last.weights, {})
    model = load(read_weights(tmp_path / "a.safetensors"))
    images = torch.from_numpy(splits["test"].pixels).permute(0, 3, 1, 2) / 255

    scores = model.network(model.normalise(images))

    labels = torch.from_numpy(splits["test"].labels)
    wrong = scores.gather(1, 1 - labels[:, None]) - scores.gather(1, labels[:, None])
    assert last.measures["loss"] == pytest.approx(float((wrong + 1).clamp_min(0).mean()), abs=1e-4)
    assert model.classes == ("plain", "red")
    assert (model.image.channels, model.image.height, model.image.width) == (3, 4, 5)


def test_a_stronger_penalty_makes_smaller_weights_and_smoothness_flatter_templates():
    splits = {"train": halves(100, 0), "test": halves(50, 1)}

    def template(**recipe):
        *_, last = linear_svm.train(settings(steps=200, batch=20, **recipe), splits, DESK)
        return last.weights.tensors["linear.weight"][1].view(3, 4, 5)

    def roughness(image):
        return float(image.diff(dim=2).norm() / image.norm())

    assert template(l2=1.0).norm() < template(l2=0.01).norm() / 2
    assert roughness(template(smoothness=5.0)) < roughness(template(smoothness=0.0))


def test_training_twice_gives_the_same_weights(trained):
    splits, last = trained
    *_, again = linear_svm.train(settings(steps=300, batch=20), splits, DESK)

    assert torch.equal(again.weights.tensors["linear.weight"], last.weights.tensors["linear.weight"])


def test_a_model_without_weights_says_what_is_needed():
    with pytest.raises(BuildError, match="give `checkpoints` or a `train` recipe"):
        load(None)


def test_a_checkpoint_that_does_not_say_its_shape_is_refused():
    with pytest.raises(BuildError, match="does not say its height"):
        load(Weights({}, {key: value for key, value in ABOUT.items() if key != "height"}))


def test_a_checkpoint_of_another_shape_is_refused():
    tensors = {"linear.weight": torch.zeros(2, 7), "linear.bias": torch.zeros(2)}
    with pytest.raises(BuildError, match="does not fit"):
        load(Weights(tensors, ABOUT))


def test_an_untrained_model_depends_on_the_seed_only():
    first, again, other = (load(Weights({}, ABOUT), seed).network.linear.weight for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


CHECKPOINTS = sorted(Path(__file__).parents[2].glob("content/checkpoints/cifar-svm/*.safetensors"))


@pytest.mark.skipif(not CHECKPOINTS, reason="no checkpoint of cifar-svm")
def test_the_checkpoint_of_the_site_holds_one_calm_template_for_each_class_of_cifar10():
    model = load(read_weights(CHECKPOINTS[-1]))
    templates = model.network.linear.weight.view(10, 3, 32, 32)
    rough = templates.diff(dim=3).norm() / templates.norm()

    assert model.classes[4] == "deer"
    assert rough < 0.5  # white noise has 1.4
