"""The networks of benchmarks as Whatfires gives them to its figures; peers run them as their packages give them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from generator import machine
from generator.models import efficientnet_lite
from tests.benchmarks import nets

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

# What our source of EfficientNet-Lite0 calls the parts of the package's network.
PARTS = {"_conv_stem": "stem", "_blocks": "blocks", "_conv_head": "head", "_fc": "logits"}


def network(name: str) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """The network and what it wants done with images in [0, 1]."""
    machine.settle()  # as the command line does
    normalise = partial(nets.normalise, name)
    if name != "efficientnet-lite0":
        return nets.network(name), normalise
    settings = efficientnet_lite.Settings(source="efficientnet-lite")
    return efficientnet_lite.load(name, settings, None, 0, Path()).network, normalise


def layer(name: str) -> str:
    """Our name of a layer that `nets.network` has."""
    first, dot, rest = name.partition(".")
    return PARTS.get(first, first) + dot + rest
