"""sae_vis: its feature-centric dashboard, by its own defaults, as one file."""

from __future__ import annotations

import re
from types import SimpleNamespace

import torch
from sae_vis.data_config_classes import SaeVisConfig
from sae_vis.data_storing_fns import SaeVisData
from sae_vis.model_fns import AutoEncoder, AutoEncoderConfig
from transformer_lens import HookedTransformer, HookedTransformerConfig

from tests.benchmarks.child import Task, answer, task
from tests.benchmarks.dictionary import dictionary


def main(given: Task) -> None:
    made = dictionary(**given.setting)
    (_, length), (vocabulary, width) = made.ids.shape, made.embedding.shape
    config = HookedTransformerConfig(
        n_layers=1, d_model=width, n_ctx=length, d_head=16, n_heads=4, d_vocab=vocabulary, attn_only=True, seed=0
    )
    model = HookedTransformer(config)
    model.tokenizer = SimpleNamespace(
        vocab={word: number for number, word in enumerate(made.words)}, padding_side="right"
    )
    encoder = AutoEncoder(AutoEncoderConfig(d_in=width, d_hidden=made.encoder.shape[1]))
    with torch.no_grad():
        model.embed.W_E.copy_(torch.from_numpy(made.embedding))
        model.pos_embed.W_pos.copy_(torch.from_numpy(made.places))
        encoder.W_enc.copy_(torch.from_numpy(made.encoder))
        encoder.b_enc.copy_(torch.from_numpy(made.bias))
    wanted = SaeVisConfig(hook_point="blocks.0.hook_resid_pre", features=range(made.encoder.shape[1]))
    found = SaeVisData.create(encoder, model, torch.from_numpy(made.ids), wanted)
    page = given.folder / "dashboard.html"
    found.save_feature_centric_vis(page)
    passages = sum(
        len(group.seq_data) for one in found.feature_data_dict.values() for group in one.sequence_data.seq_group_data
    )
    outside = len(re.findall(r"""(?:src|href)=["']https?:""", page.read_text()))
    answer(page.stat().st_size, passages=passages, outside=outside)


if __name__ == "__main__":
    main(task())
