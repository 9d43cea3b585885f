"""Where transformers keep their neurons, heads and residual stream, found from how their modules are called.

What enters the output projection of an MLP are its neurons after the activation function (and the gate, where there
is one); what enters that of attention is what its heads gather; what a block gives is the residual stream. So a block
is known by the names of these two projections, and that serves BERT, GPT-2, GPT-NeoX, Llama and most that follow them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .hooked import Directions, Heads, Site
from .hooks import device

BLOCKS = ("h", "layers", "layer", "blocks")  # what lists of blocks are called
ATTENTION = (  # output projections of attention, by their names in a block
    "self_attn.o_proj", "attention.output.dense", "attn.c_proj", "attention.dense", "self_attn.out_proj",
    "self_attn.dense", "self_attention.dense", "attn.out_proj", "attn.attention.out_proj", "attention.out_lin",
)  # fmt: skip
MLP = (  # output projections of MLPs
    "mlp.down_proj", "output.dense", "mlp.c_proj", "mlp.dense_4h_to_h", "mlp.fc2", "mlp.fc_out", "fc2", "ffn.lin2",
)  # fmt: skip
CACHES = ("cache", "past_key_values")  # keys and values, as newer and older versions of the library call them
NORMS = ("norm", "ln_f", "final_layer_norm", "final_layernorm")  # the last norm, beside the blocks

# Where the hooks of TransformerLens lie (https://transformerlensorg.github.io/TransformerLens/), by which
# dictionaries of features say what they were trained on.
HOOK = re.compile(r"blocks\.(?P<block>\d+)\.(?P<place>hook_resid_pre|hook_resid_post|hook_mlp_out|hook_attn_out|"
                  r"mlp\.hook_post|attn\.hook_z)")  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block and its two output projections."""

    block: nn.Module
    attention: nn.Module
    mlp: nn.Module


@dataclass(frozen=True)
class Anatomy:
    """The blocks of a transformer, how many heads each has, and what stands beside the list of them."""

    blocks: tuple[Block, ...]
    heads: int
    beside: nn.Module

    def sites(self) -> dict[str, Site]:
        """Groups `mlp 3`, `head 3` and `residual 3`, which is the stream as block 3 gives it, of every block from 0."""
        found = {}
        for number, one in enumerate(self.blocks):
            into_mlp, into_attention = projection(one.mlp), projection(one.attention)
            found[f"mlp {number}"] = Site(one.mlp, True, Directions(len(into_mlp)))
            found[f"head {number}"] = Site(one.attention, True, Heads(into_attention, self.heads))
            found[f"residual {number}"] = Site(one.block, False, Directions(into_mlp.shape[1]))
        return found

    def place(self, hook: str) -> tuple[nn.Module, bool, int]:
        """The module that a hook's name stands for, whether it is about what enters it, and how wide that is.

        ValueError where the name is another, or there is no such block.
        """
        parts = HOOK.fullmatch(hook)
        if parts is None or int(parts["block"]) >= len(self.blocks):
            raise ValueError(f"hook {hook!r} is none that is known, of blocks 0 to {len(self.blocks) - 1}")
        one = self.blocks[int(parts["block"])]
        neurons, stream = projection(one.mlp).shape
        return {
            "hook_resid_pre": (one.block, True, stream),
            "hook_resid_post": (one.block, False, stream),
            "hook_mlp_out": (one.mlp, False, stream),
            "hook_attn_out": (one.attention, False, stream),
            "mlp.hook_post": (one.mlp, True, neurons),
            "attn.hook_z": (one.attention, True, len(projection(one.attention))),
        }[parts["place"]]


def anatomy(network: nn.Module, heads: int) -> Anatomy:
    """Find the blocks of a transformer. ValueError that names what is missing where it is of no known family."""
    modules = dict(network.named_modules())
    lists = {
        name: module
        for name, module in modules.items()
        if isinstance(module, nn.ModuleList) and name.rpartition(".")[2] in BLOCKS and len(module)
    }
    if not lists:
        raise ValueError(f"it has no list of blocks called {', '.join(BLOCKS)}")
    if any("encoder" in name for name in lists) and any("decoder" in name for name in lists):
        raise ValueError("it has an encoder and a decoder; only one stack of blocks is read")
    name = max(lists, key=lambda one: len(lists[one]))
    found = []
    for number, block in enumerate(lists[name]):
        inside = dict(block.named_modules())
        parts = []
        for what, known in (("attention", ATTENTION), ("MLP", MLP)):
            right = next((one for one in known if one in inside), None)
            if right is None:
                raise ValueError(f"block {name}.{number} has no output projection of its {what}: {', '.join(known)}")
            parts.append(inside[right])
        if len(projection(parts[0])) % heads:
            raise ValueError(f"what enters the attention of block {number} cannot be shared by {heads} heads")
        found.append(Block(block, *parts))
    return Anatomy(tuple(found), heads, modules[name.rpartition(".")[0]])


def projection(module: nn.Module) -> Tensor:
    """The matrix of a projection, (in, out); that of GPT-2 is kept the other way round than nn.Linear's."""
    weight: Tensor = module.get_parameter("weight").detach()
    return weight.T if isinstance(module, nn.Linear) else weight


def run(network: Any, ids: Tensor, there: Tensor, kept: Any) -> tuple[Tensor | None, Any]:
    """As `Hooked.run`: to logits, None where the network has no head, and to keys and values, by what they are called.

    The network itself extends those that it is given (https://huggingface.co/docs/transformers/kv_cache). None where
    it keeps none, as one that fills in masks.
    """
    # A mask would have to tell of the tokens before, too; without one, all of them count.
    output = network(input_ids=ids, **({"attention_mask": there.long()} if kept is None else kept))
    name = next((one for one in CACHES if one in output), None)
    return getattr(output, "logits", None), None if name is None else {name: output[name]}


def attention(network: Any, ids: Tensor) -> Tensor:
    """The weights of every head on one text: from each token to each, so that rows sum to 1.

    ids: (time,). Returns (layers, heads, time, time). Only the plain implementation of attention forms them, so it
    is chosen for this pass.
    """
    chosen = network.config._attn_implementation
    network.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            output = network(input_ids=ids[None].to(device(network)), output_attentions=True)
    finally:
        network.set_attn_implementation(chosen)
    return torch.cat(output.attentions).float().cpu()


def unembedding(network: Any, parts: Anatomy) -> Callable[[Tensor], Tensor] | None:
    """From the residual stream to logits, as after the last block: the last norm, if it has one, and the head.

    None where the network has no head. nostalgebraist, "Interpreting GPT: the logit lens", 2020.
    """
    last = network.get_output_embeddings()
    if last is None:
        return None
    # Of a masked model the head also has a layer of its own before the last one.
    head = next(child for child in network.children() if any(one is last for one in child.modules()))
    norm = next((getattr(parts.beside, name) for name in NORMS if hasattr(parts.beside, name)), nn.Identity())

    def unembed(stream: Tensor) -> Tensor:
        with torch.inference_mode():
            scores: Tensor = head(norm(stream.to(device(network))))
        return scores.float().cpu()

    return unembed
