"""The source `python`: a network of the author's own, made by a function that site.toml names, with their checkpoints.

The factory is called without arguments and returns a torch.nn.Module; its checkpoint is a state dict. A network that
reads text has `symbols` or a `tokenizer` of its own; each of its modules whose output is (batch, time, width) is then
a group of units. The code of the factory's module, of the tokenizer's, and of the author's code that they import, is
part of every key, so that a changed network is computed again. Naming a factory runs its module: it is code that the
author chose to run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.callables import NAMED, callable_digest, find_callable
from generator.deferred import Deferred
from generator.filling import fill
from generator.groups import GroupOptions, chosen_groups, dictionary_digests, dictionary_sites
from generator.model import ImageInput, Model
from generator.spec import BuildError, UnitPagesOptions, nearest
from generator.weights import Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")


class Settings(UnitPagesOptions, GroupOptions):
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
    tokenizer: str | None = Field(
        None,
        pattern=NAMED,
        description='"module:callable" of a text model; called without arguments, it returns an object with '
        "encode(text), which gives ids, and decode(ids)",
    )
    context: int = Field(256, ge=2, description="tokens that a text model reads at once")


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    """The code of the factory and the tokenizer. Importing it may be slow, so it is found and read, not run."""
    found: dict[str, Any] = {"factory": callable_digest("factory", settings.factory)}
    if settings.tokenizer is not None:
        found["tokenizer"] = callable_digest("tokenizer", settings.tokenizer)
    if settings.dictionaries:
        found["dictionaries"] = dictionary_digests(settings, root)
    return found


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The network that the factory makes after torch.manual_seed(seed), with the checkpoint's weights if any."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = made(name, "factory", settings.factory)
    if not isinstance(network, torch.nn.Module):
        raise BuildError(
            f"model {name}: factory {settings.factory} returned {type(network).__name__}, not a torch.nn.Module"
        )
    if weights is not None and weights.tensors:
        try:
            fill(network, weights)
        except ValueError as error:
            raise BuildError(f"model {name}: the checkpoint does not fit the network: {error}") from error
    image = None
    if settings.height and settings.width:
        image = ImageInput(settings.channels, settings.height, settings.width, settings.mean, settings.deviation)
    network = network.eval().requires_grad_(False)
    return Model(name, network, settings.classes, image, reader_of(name, network, settings, root))


def reader_of(name: str, network: torch.nn.Module, settings: Settings, root: Path) -> interp.reading.Reader | None:
    """How the network reads text; None where the row gives neither symbols nor a tokenizer."""
    if settings.symbols and isinstance(network, interp.recurrent.CharRNN):
        return interp.recurrent.Recurrent(network, settings.symbols)
    if settings.tokenizer is not None:
        own = made(name, "tokenizer", settings.tokenizer)
        lacking = [method for method in ("encode", "decode") if not callable(getattr(own, method, None))]
        if lacking:
            raise BuildError(
                f"model {name}: tokenizer {settings.tokenizer} returned {type(own).__name__}, which has no {lacking[0]}"
            )
        words = interp.tokenising.adapted(own)
    elif settings.symbols:
        words = interp.tokenising.characters(settings.symbols)
    else:
        return None
    try:
        sites = interp.hooked.given(network, settings.context)
    except Exception as error:  # whatever the author's network makes of a trial
        raise BuildError(f"model {name}: reading a trial of ids failed: {type(error).__name__}: {error}") from error
    if not sites:
        raise BuildError(f"model {name}: none of its modules gives (batch, time, width), so there is no unit to read")

    def place(hook: str) -> tuple[torch.nn.Module, bool, int]:
        if hook not in sites:
            raise ValueError(f"hook {hook!r} is no module that gives (batch, time, width){nearest(hook, sites)}")
        return sites[hook].module, False, sites[hook].units.count

    def run(ids: torch.Tensor, there: torch.Tensor, state: None) -> tuple[torch.Tensor | None, None]:
        scores = interp.hooks.first_tensor(network(ids))
        foretells = scores.shape[:2] == ids.shape and scores.ndim == 3 and words.size in (None, scores.shape[2])
        return scores if foretells else None, None

    groups = chosen_groups(name, settings, {**sites, **dictionary_sites(settings, root, place)})
    return interp.hooked.Hooked(network, groups, words, settings.context, run, masked=False)


def made(name: str, what: str, named: str) -> Any:
    """What the author's callable returns."""
    make = find_callable(what, named)
    try:
        return make()
    except Exception as error:
        raise BuildError(f"model {name}: {what} {named}: {type(error).__name__}: {error}") from error
