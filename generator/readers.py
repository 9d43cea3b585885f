"""How a model reads text, and that it does."""

from __future__ import annotations

from generator import interp
from generator.model import Model
from generator.spec import BuildError


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
