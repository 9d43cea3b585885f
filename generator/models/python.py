"""The source `python`: a network of the author's own, made by a function that site.toml names, with their checkpoints.

The factory is called without arguments and returns a torch.nn.Module; its checkpoint is a state dict. The code of
the factory's module, and of the author's code that it imports, is part of every key, so that a changed network
is computed again. Naming a factory runs its module: it is code that the author chose to run.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.callables import NAMED, callable_digest, find_callable
from generator.deferred import Deferred
from generator.model import ImageInput, Model
from generator.spec import BuildError, UnitPagesOptions, nearest
from generator.weights import Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")


class Settings(UnitPagesOptions):
    """[models.NAME] with source = "python"."""

    source: Literal["python"]
    factory: str = Field(
        pattern=NAMED, description='"module:callable"; called without arguments, it returns the network'
    )
    checkpoints: str = Field("", description="a glob of state dicts; the newest is shown")
    height: int | None = Field(
        None, ge=1, le=4096, description="pixels; with height and width the network takes images"
    )
    width: int | None = Field(None, ge=1, le=4096)
    channels: Literal[1, 3] = Field(3, description="of its images")
    mean: tuple[float, ...] = Field(
        (0.0,), description="subtracted from images in [0, 1]; one number, or one per channel"
    )
    deviation: tuple[float, ...] = Field((1.0,), description="what is left is divided by it")
    classes: tuple[str, ...] = Field((), description="names of the logits, in order")
    symbols: str = Field("", description="the characters of a text model, the first standing for all unknown ones")


def fingerprint(settings: Settings) -> dict[str, Any]:
    """The code of the factory. Importing it may be slow, so it is found and read, not run."""
    return {"factory": callable_digest("factory", settings.factory)}


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The network that the factory makes after torch.manual_seed(seed), with the checkpoint's weights if any."""
    factory = find_callable("factory", settings.factory)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            network = factory()
        except Exception as error:
            raise BuildError(f"model {name}: factory {settings.factory}: {type(error).__name__}: {error}") from error
    if not isinstance(network, torch.nn.Module):
        raise BuildError(
            f"model {name}: factory {settings.factory} returned {type(network).__name__}, not a torch.nn.Module"
        )
    if weights is not None and weights.tensors:
        fill(name, network, weights)
    image = None
    if settings.height and settings.width:
        image = ImageInput(settings.channels, settings.height, settings.width, settings.mean, settings.deviation)
    network = network.eval().requires_grad_(False)
    reader = None
    if settings.symbols and isinstance(network, interp.recurrent.CharRNN):
        reader = interp.recurrent.Recurrent(network, settings.symbols)
    return Model(name, network, settings.classes, image, reader)


def fill(name: str, network: torch.nn.Module, weights: Weights) -> None:
    """Load a state dict whose names and shapes must be the network's."""
    wanted = network.state_dict()
    for key in weights.tensors:
        if key not in wanted:
            raise BuildError(
                f"model {name}: the checkpoint holds {key!r}, which the network has not{nearest(key, wanted)}"
            )
    missing = [key for key in wanted if key not in weights.tensors]
    if missing:
        raise BuildError(f"model {name}: the checkpoint lacks {missing[0]!r}{nearest(missing[0], weights.tensors)}")
    for key, tensor in weights.tensors.items():
        theirs, ours = shape(tensor.shape), shape(wanted[key].shape)
        if theirs != ours:
            raise BuildError(f"model {name}: {key!r} is {theirs} in the checkpoint and {ours} in the network")
    network.load_state_dict(dict(weights.tensors))


def shape(sizes: Iterable[int]) -> str:
    return "(" + ", ".join(map(str, sizes)) + ")"
