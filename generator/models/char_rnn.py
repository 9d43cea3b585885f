"""Source `char-rnn`: a character-level LSTM, GRU or plain RNN, trained on any text.

After Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/.
"""

from __future__ import annotations

import copy
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.data import Document
from generator.deferred import Deferred
from generator.filling import believed, check_widths, fill, needed
from generator.model import Model
from generator.spec import BuildError, Options, UnitPagesOptions
from generator.stopping import between_steps
from generator.weights import Desk, Trained, Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

# What stands for an unknown character comes first; then all that plain text is written in.
SYMBOLS = "\ufffd\n\t" + "".join(map(chr, range(32, 127)))
INDEX = np.zeros(128, dtype=np.uint8)  # of a code point among them; the last one stands for all beyond
INDEX[[ord(symbol) for symbol in SYMBOLS[1:]]] = range(1, len(SYMBOLS))
PIECE = 2**20  # characters encoded at once

SPLITS = ("train", "validation", "test")  # that training reads
MOST = {"validation": 100_000, "test": 200_000}  # characters on which losses are measured: on the way, at the end
POINTS = 40  # of a curve, where the recipe does not say how many
PAUSE = 60.0  # seconds between what is kept of a training under way
LONG = 2_000_000  # characters from which on a trial of the pace is worth its time


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
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear", description="how the rate falls after its height"
    )
    warm: float = Field(0.02, ge=0, le=1, description="share of the steps in which the rate rises to its height")
    clip: float = Field(1.0, gt=0, description="the largest norm of a step's gradient")
    decay: float = Field(0.01, ge=0, description="weight decay of AdamW")
    sparsity: float = Field(0.0, ge=0, description="price of activity in the last layer, which makes units sparse")
    steadiness: float = Field(0.0, ge=0, description="price of its change from one character to the next")
    half: bool | None = Field(None, description="products in bfloat16; what is faster on this machine if not given")
    threads: int | None = Field(None, ge=1, description="of the processor; as many as are fastest if not given")
    check: int | None = Field(None, ge=1, description="steps between measurements of the held-out loss")
    seed: int = 0
    keep: tuple[int, ...] = Field((), description="steps whose weights are kept, besides the last")


class Settings(UnitPagesOptions):
    """A row of site.toml."""

    source: Literal["char-rnn"]
    checkpoints: str | None = Field(None, description="a glob of files, relative to the content folder")
    corpus: str | None = Field(None, description="the text data set that training reads")
    train: Recipe | None = None


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    return {}


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The network with its weights, or, where these hold no tensors, as `seed` initialises it."""
    weights = needed(name, "char-rnn", weights, ("shape", "symbols"))
    symbols = weights.about["symbols"]
    if not isinstance(symbols, str) or not symbols:
        raise BuildError(f"model {name}: the checkpoint's symbols are no text")
    shape = believed(name, Shape, weights.about["shape"], "the checkpoint's shape")
    torch.manual_seed(seed)
    try:
        top = f"rnn.weight_hh_l{shape.layers - 1}"
        check_widths(weights, {"embedding.weight": shape.embedding, top: shape.width})
        network = interp.recurrent.CharRNN(len(symbols), **shape.model_dump())
        if weights.tensors:
            fill(network, weights)
    except ValueError as error:
        raise BuildError(f"model {name}: the checkpoint does not fit its own shape: {error}") from error
    network.eval().requires_grad_(False)
    return Model(name, network, reader=interp.recurrent.Recurrent(network, symbols))


def train(settings: Settings, splits: Mapping[str, Sequence[Document]], desk: Desk) -> Iterator[Trained]:
    """Follow the recipe, from where it was stopped if it was. The measures are of text that training did not read.

    What is needed to go on is kept every minute and on Ctrl-C. Where a loss is no number, the last weights given are
    those that were measured last, and a BuildError says so.
    """
    recipe = settings.train or Recipe()
    texts = {split: encoded(splits[split])[: MOST.get(split)] for split in SPLITS}
    for split, text in texts.items():
        if len(text) < 2:
            raise BuildError(f"the corpus has {len(text)} characters for {split}; give it more text, or more files")
    torch.manual_seed(recipe.seed)
    network = interp.recurrent.CharRNN(len(SYMBOLS), **recipe.model_dump(include=set(Shape.model_fields)))
    unfinished = desk.kept()
    pace = chosen_pace(network, recipe) if unfinished is None else interp.training.Pace(**unfinished.data["pace"])
    with interp.training.one_core_each(), between_steps() as asked:
        try:
            training = interp.training.Training(network, texts["train"], plan(recipe, pace))
        except ValueError as error:
            raise BuildError(f"the corpus: {error}") from error
        pace = replace(pace, half=training.plan.half)
        course = Course(recipe, texts["validation"])
        if unfinished is not None:
            training.restore({name: torch.from_numpy(array) for name, array in unfinished.arrays.items()})
            course.restore(unfinished.data)

        def checkpoint() -> Trained:
            told = {"curve": list(course.curve), **asdict(pace), "seconds": course.seconds()}
            return trained(network, recipe, training.done, texts["test"], told)

        def keep() -> None:
            arrays = {name: tensor.numpy() for name, tensor in training.state().items()}
            desk.keep(Artifact(arrays, {"pace": asdict(pace), **course.state()}))

        kept, good = time.monotonic(), None
        while training.done < recipe.steps:
            try:
                loss = training.step()
                if course.add(loss, network, training.done):
                    good = training.state()
            except FloatingPointError as error:
                if good is not None:
                    training.restore(good)
                    course.losses = []
                    keep()
                    yield checkpoint()
                found = "there are no good weights" if good is None else f"the weights of step {training.done} are good"
                raise BuildError(f"{error}; {found}. Lower the `rate` of its recipe, or `clip`") from error
            desk.report(training.done, recipe.steps, course.told())
            if training.done in recipe.keep or training.done == recipe.steps:
                yield checkpoint()
            if asked.is_set() or time.monotonic() - kept >= PAUSE:
                keep()
                kept = time.monotonic()
            if asked.is_set():
                raise KeyboardInterrupt(
                    f"stopped after step {training.done} of {recipe.steps}; the same command goes on from there."
                )


class Course:
    """The losses of a training on its way.

    curve: points of (characters read, mean training loss since the point before, held-out loss), in nats per character.
    """

    def __init__(self, recipe: Recipe, held_out: torch.Tensor) -> None:
        self.recipe, self.held_out = recipe, held_out
        self.start = time.monotonic()  # had it never been stopped
        self.every = recipe.check or max(1, recipe.steps // POINTS)
        self.curve: list[tuple[int, float, float]] = []
        self.losses: list[float] = []  # since the last point

    def add(self, loss: float, network: interp.recurrent.CharRNN, step: int) -> bool:
        """Whether the held-out loss was measured after this step. FloatingPointError where it is no number."""
        self.losses.append(loss)
        if step % self.every and step != self.recipe.steps:
            return False
        held_out = interp.recurrent.cross_entropy(network, self.held_out)
        if not math.isfinite(held_out):
            raise FloatingPointError(f"after step {step} the held-out loss is no number")
        mean = math.fsum(self.losses) / len(self.losses)
        read = step * self.recipe.batch * self.recipe.window
        self.curve.append((read, round(mean, 4), round(held_out, 4)))
        self.losses = []
        return True

    def told(self) -> str:
        """The loss that was measured last, in words."""
        if not self.curve:
            return ""
        held_out = self.curve[-1][2]
        return f"held-out loss {held_out:.3f} nats, {held_out / math.log(2):.3f} bits per character"

    def seconds(self) -> float:
        """How long the training has taken, without what lay between."""
        return round(time.monotonic() - self.start, 1)

    def state(self) -> dict[str, Any]:
        """All that is to be kept of it, JSON-able."""
        return {"curve": self.curve, "losses": self.losses, "seconds": self.seconds()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.start -= state["seconds"]
        self.curve = [(int(read), mean, held_out) for read, mean, held_out in state["curve"]]
        self.losses = list(state["losses"])


def trained(
    network: interp.recurrent.CharRNN, recipe: Recipe, step: int, held_out: torch.Tensor, course: Mapping[str, Any]
) -> Trained:
    """A checkpoint in float16, as a file keeps it: what is measured is what a reader gets."""
    tensors = {name: tensor.half().float() for name, tensor in network.state_dict().items()}
    kept = copy.deepcopy(network)
    kept.load_state_dict(tensors)
    loss = interp.recurrent.cross_entropy(kept, held_out)
    about = {"shape": recipe.model_dump(include=set(Shape.model_fields)), "symbols": SYMBOLS}
    measures = {"loss": round(loss, 4), "bits": round(loss / math.log(2), 4)}
    return Trained(step, Weights(tensors, about), measures, course)


def plan(recipe: Recipe, pace: interp.training.Pace) -> interp.training.Plan:
    """The recipe as the instrument wants it, at a pace."""
    names = {field.name for field in fields(interp.training.Plan)} - set(asdict(pace))
    return interp.training.Plan(**recipe.model_dump(include=names), **asdict(pace))


def chosen_pace(network: interp.recurrent.CharRNN, recipe: Recipe) -> interp.training.Pace:
    """As the recipe says; what it leaves open is measured, unless the training is over sooner than a trial."""
    halves = (False, True) if recipe.half is None else (recipe.half,)
    if recipe.steps * recipe.batch * recipe.window < LONG or (recipe.threads and len(halves) == 1):
        return interp.training.Pace(recipe.threads or 1, halves[0])
    counts = interp.training.doublings() if recipe.threads is None else (recipe.threads,)
    start = interp.training.Pace(counts[0], halves[0])
    return interp.training.measured(network, plan(recipe, start), counts, halves)


def encoded(documents: Sequence[Document]) -> torch.Tensor:
    """The documents one after another, by name, with two newlines between; (characters,) indices, one byte each.

    Numbers in names count by size, so that the parts of a cut file stay in order.
    """
    told = [(by_number(one.name), number, len(one.text)) for number, one in enumerate(documents)]
    total = sum(length for *_, length in told) + 2 * max(0, len(told) - 1)
    indices = np.full(total, SYMBOLS.index("\n"), dtype=np.uint8)
    at = 0
    for _, number, length in sorted(told):
        text = documents[number].text
        for start in range(0, length, PIECE):
            piece = text[start : start + PIECE].encode("utf-32-le", "surrogatepass")
            codes = np.minimum(np.frombuffer(piece, dtype="<u4"), len(INDEX) - 1)
            indices[at : at + len(codes)] = INDEX[codes]
            at += len(codes)
        at += 2
    return torch.from_numpy(indices)


def by_number(name: str) -> list[tuple[int, str]]:
    """A key that sorts part 2 before part 10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]
