import re

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from generator.groups import WEIGHTS
from generator.models.python import Settings, fingerprint, load
from generator.spec import BuildError
from generator.weights import Weights
from tests.conftest import forget_code
from tests.nets import vision

IMAGES = {"height": 32, "width": 32, "classes": ("a", "b", "c", "d", "e")}


def settings(**more):
    return Settings.model_validate({"source": "python", "factory": "tests.nets:vision", **more})


def test_the_factorys_network_comes_in_eval_mode_with_frozen_parameters(tmp_path):
    model = load("tiny-vision", settings(**IMAGES, mean=[0.5], deviation=[0.25]), None, 0, tmp_path)

    assert not model.network.training
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    assert model.classes == ("a", "b", "c", "d", "e")
    assert (model.image.channels, model.image.height, model.image.width) == (3, 32, 32)
    assert model.normalise(torch.full((1, 3, 1, 1), 0.75)).flatten().tolist() == [1, 1, 1]
    assert model.network(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_the_untrained_network_depends_on_its_seed_alone(tmp_path):
    state = torch.get_rng_state()

    first, again, other = (
        load("n", settings(), Weights({}), seed, tmp_path).network.state_dict() for seed in (1, 1, 2)
    )

    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoints_weights_are_loaded(tmp_path):
    tensors = {key: torch.full_like(value, 0.5) for key, value in vision().state_dict().items()}

    network = load("n", settings(), Weights(tensors), 0, tmp_path).network

    assert all((value == 0.5).all() for value in network.state_dict().values())


def test_a_network_without_a_size_takes_no_images(tmp_path):
    assert load("n", settings(), None, 0, tmp_path).image is None


def renamed(tensors):
    return {("hed.weight" if key == "head.weight" else key): value for key, value in tensors.items()}


def shorter(tensors):
    return {key: value for key, value in tensors.items() if key != "conv2.bias"}


def narrower(tensors):
    return {**tensors, "head.weight": torch.zeros(4, 48)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            renamed,
            "does not fit the network: it holds 'hed.weight', which the network has not; did you mean 'head.weight'?",
        ),
        (
            shorter,
            "model n: the checkpoint does not fit the network: it lacks 'conv2.bias'; did you mean 'conv1.bias'?",
        ),
        (narrower, "the network: 'head.weight' is (4, 48) in the checkpoint and (5, 48) in the network"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_by_what_differs(tmp_path, change, message):
    with pytest.raises(BuildError, match=re.escape(message)):
        load("n", settings(), Weights(change(vision().state_dict())), 0, tmp_path)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("tests.nets:visoin", "factory tests.nets:visoin: tests.nets has no 'visoin'; did you mean 'vision'?"),
        ("tests.no_such:make", "module 'tests.no_such' cannot be imported"),
        ("sys:path", "path is a list, and cannot be called"),
        ("tests.nets:no_network", "returned str, not a torch.nn.Module"),
    ],
)
def test_a_factory_that_makes_no_network_is_named_with_the_reason(tmp_path, factory, message):
    with pytest.raises(BuildError, match=re.escape(message)):
        load("n", settings(factory=factory), None, 0, tmp_path)


def test_a_factory_is_written_module_colon_callable():
    with pytest.raises(ValidationError, match="factory"):
        settings(factory="tests.nets.vision")


def test_the_fingerprint_follows_the_code_of_the_factorys_module_but_not_its_comments(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    prints = []
    for code in ("x = 1", "x = 1  # a comment", "x = 2"):
        (tmp_path / "some_factory.py").write_text(code)
        forget_code()
        prints.append(fingerprint(settings(factory="some_factory:x"), tmp_path))
    forget_code()

    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("edited", ["layers_beside.py", "pk_own/__init__.py", "pk_own/parts.py"])
def test_the_fingerprint_follows_the_authors_code_beside_the_factory(tmp_path, monkeypatch, edited):
    """Flat modules beside it, the packages that it is in, and their parts; and none of it is run."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pk_own").mkdir()
    for name, code in {
        "pk_own/__init__.py": "raise RuntimeError('run')",
        "pk_own/parts.py": "x = 1",
        "pk_own/nets.py": "import layers_beside\nfrom . import parts",
        "layers_beside.py": "import torch",
    }.items():
        (tmp_path / name).write_text(code)
    prints = []
    for more in ("", "\ny = 2"):
        (tmp_path / edited).write_text((tmp_path / edited).read_text() + more)
        forget_code()
        prints.append(fingerprint(settings(factory="pk_own.nets:x"), tmp_path))
    forget_code()

    assert prints[0] != prints[1]


def test_a_factory_that_raises_or_cannot_be_parsed_is_told(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bad_factory.py").write_text("def make(size):\n    return size")
    with pytest.raises(BuildError, match="bad_factory:make: TypeError"):
        load("n", settings(factory="bad_factory:make"), None, 0, tmp_path)

    (tmp_path / "worse_factory.py").write_text("def make(:\n")
    forget_code()
    with pytest.raises(BuildError, match="worse_factory"):
        fingerprint(settings(factory="worse_factory:make"), tmp_path)


def test_a_factory_without_a_module_has_no_fingerprint(tmp_path):
    with pytest.raises(BuildError, match="there is no module 'no_such_module'"):
        fingerprint(settings(factory="no_such_module:make"), tmp_path)


def test_a_network_of_ones_own_reads_with_its_own_tokenizer(tmp_path):
    model = load(
        "n", settings(factory="tests.nets:text", tokenizer="tests.nets:letters", context=16), None, 0, tmp_path
    )
    tokens = model.reader.tokens("abba")

    assert tokens.ids.tolist() == [0, 1, 1, 0]
    assert tokens.spans.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert model.reader.groups == {"0": 3, "1": 5, "2": 26}
    assert (model.reader.context, model.reader.causal) == (16, True)
    assert model.reader.read(tokens.ids[None], ("1",), logits=True).logits.shape == (1, 4, 26)


def test_a_network_of_ones_own_may_read_characters_and_show_some_groups(tmp_path):
    model = load("n", settings(factory="tests.nets:text", symbols="?ab", groups=["1"]), None, 0, tmp_path)

    assert model.reader.tokens("abx").ids.tolist() == [1, 2, 0]
    assert model.reader.groups == {"1": 5}
    assert model.reader.read(torch.tensor([[1, 2]]), (), logits=True).logits is None  # of 26 symbols, not of 3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tokenizer": "tests.nets:no_network"}, "tokenizer tests.nets:no_network returned str, which has no decode"),
        (
            {"tokenizer": "tests.nets:leters"},
            "tokenizer tests.nets:leters: tests.nets has no 'leters'; did you mean 'letters'?",
        ),
        ({"factory": "tests.nets:vision", "symbols": "?ab"}, "reading a trial of ids failed: "),
        ({"symbols": "?ab", "groups": ["3"]}, "models.n.groups: there is no group '3'; known: 0, 1, 2"),
    ],
)
def test_a_text_network_that_cannot_be_read_is_told(tmp_path, more, message):
    with pytest.raises(BuildError, match=re.escape(message)):
        load("n", settings(**{"factory": "tests.nets:text", **more}), None, 0, tmp_path)


def test_a_network_of_ones_own_may_have_a_dictionary_on_one_of_its_modules(tmp_path):
    (tmp_path / "cfg.json").write_text('{"hook_name": "1"}')
    eye = torch.eye(5)
    save_file({"W_enc": eye, "b_enc": eye[0].clone(), "W_dec": eye.clone(), "b_dec": 0 * eye[0]}, tmp_path / WEIGHTS)
    more = {"factory": "tests.nets:text", "symbols": "?ab", "dictionaries": {"feature": "."}}
    reader = load("n", settings(**more), None, 0, tmp_path).reader

    read = reader.read(torch.tensor([[1, 2]]), ("1", "feature"))

    torch.testing.assert_close(read.activations[..., 5:], (read.activations[..., :5] + eye[0]).relu())
    assert fingerprint(settings(**more), tmp_path)["dictionaries"]["feature"]


def test_the_fingerprint_follows_the_code_of_the_tokenizer(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    prints = []
    for code in ("x = 1", "x = 2"):
        (tmp_path / "some_letters.py").write_text(code)
        forget_code()
        prints.append(fingerprint(settings(tokenizer="some_letters:x"), tmp_path))
    forget_code()

    assert prints[0] != prints[1]
