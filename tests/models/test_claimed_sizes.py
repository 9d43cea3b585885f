"""What a checkpoint says of itself is believed where its weights fit it: a few bytes claim no gigabytes."""

from pathlib import Path
from typing import Any

import pytest
import torch

from generator.interp.recurrent import CharRNN
from generator.models import char_rnn, linear_svm
from generator.spec import BuildError
from generator.weights import Weights

SHAPE = {"cell": "lstm", "layers": 1, "width": 4, "embedding": 3}
READER = Weights(CharRNN(2, **SHAPE).state_dict(), {"shape": SHAPE, "symbols": "ab"})  # type: ignore[arg-type]
CLASSIFIER = Weights(
    {"linear.weight": torch.ones(2, 4), "linear.bias": torch.ones(2)},
    {"classes": ["a", "b"], "channels": 1, "height": 2, "width": 2},
)


def read(about: dict[str, Any]) -> None:
    settings = char_rnn.Settings(source="char-rnn")
    char_rnn.load("m", settings, Weights(READER.tensors, {**READER.about, **about}), 0, Path())


def judge(about: dict[str, Any]) -> None:
    settings = linear_svm.Settings(source="linear-svm")
    linear_svm.load("m", settings, Weights(CLASSIFIER.tensors, {**CLASSIFIER.about, **about}), 0, Path())


def test_what_fits_is_loaded() -> None:
    read({})
    judge({})


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        (
            {"shape": {**SHAPE, "width": 8192, "layers": 8}},
            "does not fit its own shape: rnn.weight_hh_l7 is not 8192 wide",
        ),
        ({"shape": {**SHAPE, "embedding": 4096}}, "does not fit its own shape: embedding.weight is not 4096 wide"),
        ({"shape": {**SHAPE, "width": 10**12}}, "the checkpoint's shape: width: "),
        ({"shape": 3}, "the checkpoint's shape: "),
        ({"symbols": 3}, "the checkpoint's symbols are no text"),
        ({"symbols": "abc"}, "does not fit its own shape: "),
    ],
)
def test_a_reader_that_claims_more_than_it_holds_is_told(about: dict[str, Any], reason: str) -> None:
    with pytest.raises(BuildError, match=reason):
        read(about)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"height": 4096, "width": 4096}, "does not fit what it says of itself: linear.weight is not 16777216 wide"),
        ({"height": 10**12}, "what the checkpoint says of itself: height: "),
        ({"classes": "ab"}, "what the checkpoint says of itself: classes: "),
        ({"classes": ["a"]}, "does not fit what it says of itself: "),
    ],
)
def test_a_classifier_that_claims_more_than_it_holds_is_told(about: dict[str, Any], reason: str) -> None:
    with pytest.raises(BuildError, match=reason):
        judge(about)
