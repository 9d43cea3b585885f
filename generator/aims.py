"""What an author asks to be raised in an image: a class by its name, or one channel of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from generator import interp
from generator.deferred import Deferred
from generator.model import Model
from generator.readouts import class_numbers
from generator.spec import BuildError, Options, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")


class Unit(Options):
    """What to raise: a class by its name, or one channel of a layer."""

    name: str | None = Field(None, alias="class", description="a class of the model")
    layer: str | None = Field(None, description="a layer of the model")
    unit: int | None = Field(None, ge=0, description="its channel, from 0")

    @model_validator(mode="before")
    @classmethod
    def _a_word_is_a_class(cls, given: Any) -> Any:
        return {"class": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.name is None) == (self.layer is None) or (self.layer is None) != (self.unit is None):
            raise ValueError("give the name of a class, or both layer and unit")
        return self


@dataclass(frozen=True)
class Aim:
    """A unit to raise in one image: what it is called, and how large the outputs of its layer are there."""

    layer: str
    unit: int
    label: str
    scale: float


def aimed(model: Model, wanted: Unit, original: Tensor) -> Aim:
    """The unit that the author means; BuildError where the model has none such."""
    if wanted.name is not None:
        layer, unit, label = interp.hooks.OUTPUT, class_numbers(model, [wanted.name])[0], wanted.name
    else:
        layer, unit = str(wanted.layer), int(wanted.unit or 0)
        label = f"channel {unit} of {layer}"
        known(model, layer)
    given = interp.hooks.positions(output(model, layer, original))
    if unit >= given.shape[1]:
        raise BuildError(f"layer {layer} of model {model.name} has channels 0 to {given.shape[1] - 1}, not {unit}")
    # Units of all layers are weighed alike against nearness, which is a share.
    return Aim(layer, unit, label, max(float(given.abs().mean()), 1e-12))


def known(model: Model, layer: str) -> None:
    """BuildError where the model has no such layer."""
    if layer not in model.layers():
        raise BuildError(f"model {model.name} has no layer {layer!r}{nearest(layer, model.layers())}")


def output(model: Model, layer: str, images: Tensor) -> Tensor:
    """What a layer gives for images in [0, 1]; BuildError where that has no channels."""
    with torch.no_grad():
        found: Tensor = interp.hooks.activations(model.network, model.normalise(images), layer)[layer]
    if found.ndim < 2:
        raise BuildError(f"layer {layer} of model {model.name} gives one number for an image, so it has no direction")
    return found
