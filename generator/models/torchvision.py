"""The source `torchvision`: its networks that classify images, by name, with its weights or the author's.

Weights that are not on this machine yet are downloaded by torchvision from pytorch.org, and checked there
against the digest in their file name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.deferred import Deferred
from generator.filling import fill
from generator.model import ImageInput, Model
from generator.spec import BuildError, UnitPagesOptions, nearest
from generator.weights import Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")


class Settings(UnitPagesOptions):
    """[models.NAME] with source = "torchvision"."""

    source: Literal["torchvision"]
    architecture: str = Field(description="a classification network of torchvision.models, such as googlenet")
    weights: str = Field(
        "default", description='"default", "random", or the name of an entry of its weights, such as IMAGENET1K_V1'
    )
    checkpoints: str = Field("", description="a glob of state dicts, read instead of torchvision's weights")
    classes: tuple[str, ...] = Field(
        (), description="names of the logits; those that the weights were trained on if not given"
    )
    size: int | None = Field(
        None, ge=8, le=2048, description="pixels on a side; the size the weights were tested at if not given"
    )


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    """Nothing: the name of the weights and torchvision's version, both in every key, decide them."""
    return {}


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The network with torchvision's weights, with those of a checkpoint, or untrained."""
    models = interp.vision.models
    known = models.list_models(module=models)
    if settings.architecture not in known:
        hint = nearest(settings.architecture, known)
        raise BuildError(f"model {name}: torchvision has no architecture {settings.architecture!r}{hint}")
    entry = chosen_weights(name, settings)
    meta = models.get_model_weights(settings.architecture).DEFAULT
    classes = settings.classes or tuple((entry or meta).meta["categories"])
    own = weights is not None or entry is None  # not torchvision's tensors

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if own:
            extra = {"init_weights": True} if settings.architecture in ("googlenet", "inception_v3") else {}
            network = models.get_model(settings.architecture, weights=None, num_classes=len(classes), **extra)
        else:
            try:
                network = models.get_model(settings.architecture, weights=entry)
            except OSError as error:
                raise BuildError(
                    f"model {name}: the weights of {settings.architecture} could not be downloaded ({error}); "
                    'give `checkpoints` a state dict of your own, or weights = "random"'
                ) from error
    if weights is not None and weights.tensors:
        try:
            fill(network, weights)
        except ValueError as error:
            raise BuildError(f"model {name}: the checkpoint is not one of {settings.architecture}: {error}") from error
    preset = (entry or meta).transforms()
    size = settings.size or preset.crop_size[0]
    image = ImageInput(3, size, size, tuple(preset.mean), tuple(preset.std))
    network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Model(name, network, classes, image)


def chosen_weights(name: str, settings: Settings) -> Any:
    """The entry of the architecture's weights that the settings name; None for random ones."""
    if settings.weights == "random":
        return None
    entries = interp.vision.models.get_model_weights(settings.architecture)
    if settings.weights.lower() == "default":
        return entries.DEFAULT
    if settings.weights not in entries.__members__:
        hint = nearest(settings.weights, ["default", "random", *entries.__members__])
        raise BuildError(f"model {name}: {settings.architecture} has no weights {settings.weights!r}{hint}")
    return entries[settings.weights]
