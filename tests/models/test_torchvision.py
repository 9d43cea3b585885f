import pytest
import torch

from generator import interp
from generator.models.torchvision import Settings, fingerprint, load
from generator.spec import BuildError
from generator.weights import Weights


def settings(**more):
    return Settings.model_validate({"source": "torchvision", "architecture": "squeezenet1_1", **more})


def test_random_weights_give_the_network_untrained_with_imagenets_classes_and_input(tmp_path):
    model = load("n", settings(weights="random"), None, 0, tmp_path)

    assert len(model.classes) == 1000
    assert model.classes[1] == "goldfish"
    assert (model.image.height, model.image.mean) == (224, (0.485, 0.456, 0.406))
    assert model.network(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)
    assert not any(parameter.requires_grad for parameter in model.network.parameters())


def test_a_seed_gives_the_same_random_weights_again(tmp_path):
    first, again, other = (
        load("n", settings(classes=["a", "b"]), Weights({}), seed, tmp_path).network.state_dict() for seed in (1, 1, 2)
    )

    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["classifier.1.weight"], other["classifier.1.weight"])


def test_a_checkpoint_is_read_instead_of_torchvisions_weights(tmp_path):
    tensors = interp.vision.models.squeezenet1_1(num_classes=2).state_dict()

    model = load("n", settings(classes=["a", "b"], size=64), Weights(tensors), 0, tmp_path)

    assert all(torch.equal(value, tensors[key]) for key, value in model.network.state_dict().items())
    assert model.image.width == 64


def test_googlenet_is_built_without_a_warning(tmp_path):
    model = load("n", settings(architecture="googlenet", classes=["a", "b"], weights="random"), None, 0, tmp_path)

    assert model.network(torch.zeros(1, 3, 64, 64)).shape == (1, 2)


def test_an_unknown_architecture_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(BuildError, match=r"torchvision has no architecture 'gogglenet'; did you mean 'googlenet'\?"):
        load("n", settings(architecture="gogglenet"), None, 0, tmp_path)


def test_unknown_weights_are_answered_with_the_nearest(tmp_path):
    with pytest.raises(BuildError, match=r"no weights 'IMAGENET1K_V7'; did you mean 'IMAGENET1K_V1'\?"):
        load("n", settings(weights="IMAGENET1K_V7"), None, 0, tmp_path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    with pytest.raises(BuildError, match="the checkpoint is not one of squeezenet1_1"):
        load("n", settings(), Weights({"conv.weight": torch.zeros(1)}), 0, tmp_path)


def test_weights_that_cannot_be_downloaded_are_a_build_error(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(interp.vision.models, "get_model", no_network)
    with pytest.raises(BuildError, match=r"could not be downloaded \(no route to host\)"):
        load("n", settings(), None, 0, tmp_path)


def test_the_settings_say_all_that_decides_the_network(tmp_path):
    assert fingerprint(settings(), tmp_path) == {}
