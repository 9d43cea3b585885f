"""How a model reads text, and that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import interp
from generator.model import Model
from generator.spec import BuildError

if TYPE_CHECKING:
    from torch import Tensor


def reader_of(model: Model) -> interp.reading.Reader:
    """How the model reads text; BuildError where it reads none."""
    if model.reader is None:
        raise BuildError(f"model {model.name} reads no text")
    return model.reader


def recurrent(model: Model) -> interp.recurrent.Recurrent:
    """The reader of a character model; BuildError where the model is another."""
    if not isinstance(model.reader, interp.recurrent.Recurrent):
        raise BuildError(f"model {model.name} is no character model")
    return model.reader


def check_numbers(model: str, activations: Tensor) -> None:
    """BuildError where an activation of the model is not a number."""
    if not bool(activations.isfinite().all()):
        raise BuildError(f"model {model}: some activations are not numbers (NaN or infinite); was its training stable?")
