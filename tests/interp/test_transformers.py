"""Transformers of several families: their own outputs are what is found in them."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from generator.interp import transformers
from generator.interp.hooked import Hooked
from generator.interp.reading import Clamp
from generator.interp.sampling import sample
from generator.interp.tokenising import characters
from tests.transformer_files import SHAPES, made

every_family = pytest.mark.parametrize("family", sorted(SHAPES))
IDS = torch.tensor([[1, 15, 16, 7, 19, 21], [1, 9, 3, 5, 6, 2]])


def reader(family: str) -> Hooked:
    network = made(family)
    parts = transformers.anatomy(network, network.config.num_attention_heads)
    return Hooked(
        network,
        parts.sites(),
        characters("?abc"),
        32,
        partial(transformers.run, network),
        attention=lambda ids: transformers.attention(network, ids),
        unembed=transformers.unembedding(network, parts),
    )


@every_family
def test_the_residual_stream_is_what_the_network_calls_its_hidden_states(family: str) -> None:
    one = reader(family)
    with torch.no_grad():
        states = one.network(input_ids=IDS, output_hidden_states=True).hidden_states

    torch.testing.assert_close(one.read(IDS, ("residual 0",)).activations, states[1])


@every_family
def test_the_lens_on_the_last_layer_gives_the_networks_own_logits(family: str) -> None:
    one = reader(family)
    read = one.read(IDS, ("residual 1",), logits=True)

    torch.testing.assert_close(one.unembed(read.activations), read.logits)


@every_family
def test_neurons_are_those_that_the_mlp_adds_up(family: str) -> None:
    """Held at zero, all of them, the MLP gives its bias alone, or nothing."""
    one = reader(family)
    count = one.groups["mlp 0"]
    assert count == (64 if family == "gpt2" else one.network.config.intermediate_size)
    given: list[torch.Tensor] = []
    projection = one.sites["mlp 0"].module
    handle = projection.register_forward_hook(lambda module, args, output: given.append(output))
    one.read(IDS, (), clamps=[Clamp("mlp 0", torch.arange(count), torch.zeros(count))])
    handle.remove()

    assert given[0].flatten(0, 1).std(0).max() == 0


@every_family
def test_a_text_in_a_padded_batch_is_read_as_it_is_alone(family: str) -> None:
    one = reader(family)
    groups = tuple(one.groups)

    both = one.read(IDS, groups, lengths=torch.tensor([6, 3])).activations

    alone = one.read(IDS[1:, :3], groups).activations
    torch.testing.assert_close(both[1:, :3], alone, rtol=1e-4, atol=1e-5)


@every_family
def test_heads_that_are_held_at_zero_leave_the_attention_nothing_to_say(family: str) -> None:
    one = reader(family)
    count = one.groups["head 0"]

    held = one.read(IDS, ("head 0",), clamps=[Clamp("head 0", torch.arange(count), torch.zeros(count))])

    assert held.activations.abs().max() == 0
    assert one.read(IDS, ("head 0",)).activations.min() > 0


@every_family
def test_attention_adds_up_to_one_and_the_implementation_is_put_back(family: str) -> None:
    one = reader(family)
    before = one.network.config._attn_implementation

    weights = one.attention(IDS[0])

    assert weights.shape == (2, one.groups["head 0"], 6, 6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert one.network.config._attn_implementation == before
    assert one.causal == (family != "bert")
    assert bool(weights.triu(1).any()) == (not one.causal)


def test_hooks_are_found_by_the_names_that_dictionaries_use() -> None:
    parts = transformers.anatomy(made("gpt2"), 2)

    assert parts.place("blocks.1.hook_resid_pre") == (parts.blocks[1].block, True, 16)
    assert parts.place("blocks.1.hook_resid_post") == (parts.blocks[1].block, False, 16)
    assert parts.place("blocks.0.mlp.hook_post") == (parts.blocks[0].mlp, True, 64)
    for wrong in ("blocks.2.hook_resid_pre", "blocks.0.hook_nothing"):
        with pytest.raises(ValueError, match=f"hook '{wrong}' is none that is known, of blocks 0 to 1"):
            parts.place(wrong)


class Strange(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(2, 2))])


def test_a_network_of_another_family_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match="no list of blocks called h, layers"):
        transformers.anatomy(nn.Linear(2, 2), 1)
    with pytest.raises(ValueError, match=r"block layers.0 has no output projection of its attention: self_attn.o_proj"):
        transformers.anatomy(Strange(), 1)


class Forgetful:
    """The same reader, but it keeps no state."""

    def __init__(self, whole: Hooked) -> None:
        self.whole, self.read_at_once = whole, []

    def __getattr__(self, name: str):
        return getattr(self.whole, name)

    def read(self, ids, groups, state=None, **more):
        self.read_at_once.append(ids.shape[1])
        return replace(self.whole.read(ids, groups, state, **more), **self.kept())

    def kept(self):
        return {"state": None}


class Counting(Forgetful):
    def kept(self):
        return {}


@pytest.mark.parametrize("family", sorted(set(SHAPES) - {"bert"}))
def test_what_is_written_from_kept_keys_and_values_is_what_is_written_from_all_tokens_read_anew(family: str) -> None:
    anew, kept = Forgetful(reader(family)), Counting(reader(family))
    start = torch.tensor([1, 15, 16])

    wanted, drawn = (sample(one, start, 40, (0.7, 1.0), seed=3) for one in (anew, kept))

    assert torch.equal(drawn, wanted)
    assert kept.read_at_once == [3] + [1] * 29 + [32] * 10  # 32 tokens are all that it holds
    assert anew.read_at_once == [*range(3, 32), *[32] * 11]


def test_a_masked_model_keeps_no_state_and_rows_of_several_lengths_have_none() -> None:
    assert reader("bert").read(IDS, ()).state is None
    assert reader("gpt2").read(IDS, (), lengths=torch.tensor([6, 3])).state is None


@pytest.mark.parametrize("family", sorted(set(SHAPES) - {"bert"}))
def test_units_read_on_from_a_state_are_those_of_the_whole_text(family: str) -> None:
    one = reader(family)
    groups = ("residual 1", "head 0", "mlp 1")
    whole = one.read(IDS, groups, logits=True)

    first = one.read(IDS[:, :4], groups)
    rest = one.read(IDS[:, 4:], groups, first.state, logits=True)

    torch.testing.assert_close(rest.activations, whole.activations[:, 4:])
    torch.testing.assert_close(rest.logits, whole.logits[:, 4:])
