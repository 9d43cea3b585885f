"""Reading a network's layers as it runs. No hook outlives its `with`, whatever happens inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def capture(model: nn.Module, *layers: str) -> Iterator[dict[str, Tensor]]:
    """Fill a dict with the output of each named layer; the hooks are gone on leaving, also on error.

    Of a layer that gives several tensors, the first; of one that runs several times, the last run.
    """
    found: dict[str, Tensor] = {}
    with _hooked(model, layers, found.__setitem__):
        yield found


def activations(model: nn.Module, inputs: Any, *layers: str) -> dict[str, Tensor]:
    """The outputs of the named layers, and no more work than they need: the pass ends at the last of them."""
    found: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        found[name] = output
        if len(found) == len(set(layers)):
            raise _Reached

    with _hooked(model, layers, keep), suppress(_Reached):
        model(inputs)
    missed = [name for name in layers if name not in found]
    if missed:
        raise KeyError(f"layer {missed[0]!r} does not run in a forward pass")
    return found


def device(model: nn.Module) -> torch.device:
    """Where the model's parameters are; a model without any runs on the CPU."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


class _Reached(Exception):
    pass


@contextmanager
def _hooked(model: nn.Module, layers: tuple[str, ...], keep: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call keep(name, output) whenever a named layer has run."""
    modules = dict(model.named_modules())
    unknown = [name for name in layers if not name or name not in modules]
    if unknown:
        raise KeyError(f"no layer {unknown[0]!r}; the model has {', '.join(filter(None, modules))}")

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, inputs, output: keep(name, output[0] if isinstance(output, tuple) else output)

    handles = [modules[name].register_forward_hook(hook(name)) for name in dict.fromkeys(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
