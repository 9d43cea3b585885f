"""Checkpoints and networks: what a checkpoint says of itself is believed where its weights fit it, and they must fit.

What a file of a few bytes says of itself may be of gigabytes: memory is for what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from generator.spec import BuildError, Options, mistakes, nearest
from generator.weights import Weights

if TYPE_CHECKING:
    from torch import nn

About = TypeVar("About", bound=Options)


def needed(name: str, source: str, weights: Weights | None, says: Iterable[str]) -> Weights:
    """The weights of a model whose source has none of its own; BuildError where they do not say all of `says`."""
    if weights is None:
        raise BuildError(f"model {name}: a {source} has no weights of its own; give `checkpoints` or a `train` recipe")
    absent = [key for key in says if key not in weights.about]
    if absent:
        raise BuildError(f"model {name}: the checkpoint does not say its {absent[0]}; was it made by a {source}?")
    return weights


def believed(name: str, form: type[About], said: Any, what: str) -> About:
    """What a checkpoint says of itself, in a form; BuildError names `what` is wrong."""
    try:
        return form.model_validate(said)
    except ValidationError as error:
        (key, message), *_ = mistakes(error, form)
        raise BuildError(f"model {name}: {what}: {key}: {message}") from error


def check_widths(weights: Weights, widths: Mapping[str, int]) -> None:
    """Before a network of these widths is made: ValueError where a tensor is not as wide as the checkpoint says.

    Weights that hold no tensors, of an untrained network, claim nothing.
    """
    for name, width in widths.items() if weights.tensors else ():
        if name not in weights.tensors or weights.tensors[name].shape[-1:] != (width,):
            raise ValueError(f"{name} is not {width} wide")


def fill(network: nn.Module, weights: Weights) -> None:
    """Give a network the tensors of a checkpoint. ValueError that names the first that does not fit it.

    As `load_state_dict` does, so that modules may still read what older versions of them wrote.
    """
    wanted, tensors = network.state_dict(), dict(weights.tensors)
    try:
        found = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        for name, tensor in tensors.items():
            if name in wanted and tensor.shape != wanted[name].shape:
                theirs, ours = shape(tensor.shape), shape(wanted[name].shape)
                raise ValueError(f"{name!r} is {theirs} in the checkpoint and {ours} in the network") from error
        raise ValueError(str(error)) from error
    for name in found.unexpected_keys:
        raise ValueError(f"it holds {name!r}, which the network has not{nearest(name, wanted)}")
    for name in found.missing_keys:
        raise ValueError(f"it lacks {name!r}{nearest(name, tensors)}")


def shape(sizes: Iterable[int]) -> str:
    return "(" + ", ".join(map(str, sizes)) + ")"
