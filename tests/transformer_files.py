"""Small transformers of the library's own classes, with random weights, saved as their makers would publish them."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from generator.interp import vision

assert vision.torchvision  # first: transformers imports it as it is, which fails where its operators are missing

VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", *"abcdefghij", "the", "cat", "sat", "on", "mat", "##s", "."]
SIZE = len(VOCABULARY)
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}),
    "llama": ("LlamaForCausalLM", {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32}),
    "qwen2": ("Qwen2ForCausalLM", {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32}),
    "gpt_neox": ("GPTNeoXForCausalLM", {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 32}),
    "bert": ("BertForMaskedLM", {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 32}),
}  # fmt: skip


def made(family: str) -> Any:
    """The network, with the weights of seed 0."""
    name, shape = SHAPES[family]
    kind = getattr(transformers, name)
    special = {"pad_token_id": 3, "bos_token_id": 1, "eos_token_id": 2}
    torch.manual_seed(0)
    return kind(kind.config_class(vocab_size=SIZE, **shape, **special)).eval()


def saved(family: str, folder: Path) -> Path:
    """The network and a tokenizer of words, as files."""
    words = Tokenizer(models.WordPiece({word: number for number, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if family == "bert":
        words.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
    special = {
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "mask_token": "[MASK]",
    }
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=32, **special).save_pretrained(folder)
    made(family).save_pretrained(folder)
    return folder
