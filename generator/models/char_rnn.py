"""Source `char-rnn`: a character-level LSTM, GRU or plain RNN, trained on any text.

After Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.data import Document
from generator.deferred import Deferred
from generator.model import Model
from generator.spec import BuildError, Options, UnitPagesOptions
from generator.weights import Trained, Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

# What stands for an unknown character comes first; then all that plain text is written in.
SYMBOLS = "\ufffd\n\t" + "".join(map(chr, range(32, 127)))
HELD_OUT = 200_000  # characters on which the held-out loss is measured


class Shape(Options):
    """What the network is made of. A checkpoint brings its own."""

    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    layers: int = Field(1, ge=1, le=8)
    width: int = Field(384, ge=1, le=8192, description="hidden units of a layer")
    embedding: int = Field(64, ge=1, le=4096, description="numbers that stand for a character")


class Recipe(Shape):
    """How to train it."""

    steps: int = Field(2000, ge=1, description="gradient steps")
    window: int = Field(128, ge=2, description="characters of a stream read in one step")
    rate: float = Field(4e-3, gt=0, description="learning rate at its height")
    batch: int = Field(64, ge=1, description="streams of text read side by side")
    half: bool = Field(False, description="products in bfloat16: faster where the processor has it")
    seed: int = 0
    keep: tuple[int, ...] = Field((), description="steps whose weights are kept, besides the last")


class Settings(UnitPagesOptions):
    """A row of site.toml."""

    source: Literal["char-rnn"]
    checkpoints: str | None = Field(None, description="a glob of files, relative to the content folder")
    corpus: str | None = Field(None, description="the text data set that training reads")
    train: Recipe | None = None


def fingerprint(settings: Settings) -> dict[str, Any]:
    return {}


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The network with its weights, or, where these hold no tensors, as `seed` initialises it."""
    if weights is None:
        raise BuildError(f"model {name}: a char-rnn has no weights of its own; give `checkpoints` or a `train` recipe")
    about = weights.about
    if "shape" not in about or "symbols" not in about:
        raise BuildError(f"model {name}: the checkpoint does not say its shape and symbols; was it made by a char-rnn?")
    torch.manual_seed(seed)
    network = interp.recurrent.CharRNN(len(about["symbols"]), **Shape.model_validate(about["shape"]).model_dump())
    if weights.tensors:
        try:
            network.load_state_dict(dict(weights.tensors))
        except RuntimeError as error:
            raise BuildError(f"model {name}: the checkpoint does not fit its own shape: {error}") from error
    network.eval().requires_grad_(False)
    return Model(name, network, reader=interp.recurrent.Recurrent(network, about["symbols"]))


def train(
    settings: Settings, splits: Mapping[str, list[Document]], report: Callable[[int, int], None]
) -> Iterator[Trained]:
    """Follow the recipe. The measures are of text that training did not read, with the weights as they are kept."""
    recipe = settings.train or Recipe()
    torch.manual_seed(recipe.seed)
    shape = {key: getattr(recipe, key) for key in Shape.model_fields}
    network = interp.recurrent.CharRNN(len(SYMBOLS), **shape)
    held_out = encoded(splits["test"])[:HELD_OUT]
    about = {"shape": shape, "symbols": SYMBOLS}
    steps = interp.recurrent.train(
        network,
        encoded(splits["train"]),
        **recipe.model_dump(include={"steps", "batch", "window", "rate", "half", "seed"}),
    )
    for step, _ in steps:
        report(step, recipe.steps)
        if step in recipe.keep or step == recipe.steps:
            # float16, as a checkpoint keeps them: what is measured is what a reader gets.
            tensors = {name: tensor.half().float() for name, tensor in network.state_dict().items()}
            kept = copy.deepcopy(network)
            kept.load_state_dict(tensors)
            loss = interp.recurrent.cross_entropy(kept, held_out)
            yield Trained(step, Weights(tensors, about), {"loss": round(loss, 4), "bits": round(loss / math.log(2), 4)})


def encoded(documents: list[Document]) -> torch.Tensor:
    """The documents one after another, by name, with two newlines between; (characters,) indices."""
    text = "\n\n".join(one.text for one in sorted(documents, key=lambda one: one.name))
    index = {symbol: number for number, symbol in enumerate(SYMBOLS)}
    return torch.tensor([index.get(character, 0) for character in text])
