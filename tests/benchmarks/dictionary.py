"""A dictionary of sparse features over the words of Python's standard library, the same for both sides.

Its activations are those of an encoder with random weights on the residual stream before the first block, which is an
embedding of the token and one of its position; each feature is active on some two tokens of a hundred.
"""

from __future__ import annotations

import re
import sysconfig
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WORD = re.compile(r" ?\w+| ?[^\w\s]|\s+")
UNKNOWN = "?"
SPARSE = 2.05  # standard deviations above which two of a hundred lie


@dataclass(frozen=True)
class Dictionary:
    """ids: (sequences, length). words: of the vocabulary. embedding: (vocabulary, width). places: (length, width).

    encoder: (width, features). bias: (features,).
    """

    ids: np.ndarray
    words: list[str]
    embedding: np.ndarray
    places: np.ndarray
    encoder: np.ndarray
    bias: np.ndarray


def dictionary(tokens: int, features: int, length: int, vocabulary: int, width: int) -> Dictionary:
    wanted, found = tokens // length * length, []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        found += WORD.findall(path.read_text("utf-8", errors="replace"))
        if len(found) >= wanted:
            break
    words = [UNKNOWN, *(word for word, _ in Counter(found).most_common(vocabulary - 1) if word != UNKNOWN)]
    index = {word: number for number, word in enumerate(words)}
    ids = np.array([index.get(word, 0) for word in found[:wanted]]).reshape(-1, length)
    source = np.random.default_rng(0)
    embedding = source.standard_normal((len(words), width), dtype=np.float32)
    places = 0.1 * source.standard_normal((length, width), dtype=np.float32)
    encoder = source.standard_normal((width, features), dtype=np.float32)
    encoder /= np.linalg.norm(encoder, axis=0)
    return Dictionary(ids, words, embedding, places, encoder, np.full(features, -SPARSE, np.float32))
