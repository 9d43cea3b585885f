"""Reading a network's layers as it runs. No hook outlives its `with`, whatever happens inside.

A layer is named as in `named_modules()`; the empty name, OUTPUT, is the network itself, and its output what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

OUTPUT = ""


@contextmanager
def capture(model: nn.Module, *layers: str) -> Iterator[dict[str, Tensor]]:
    """Fill a dict with the output of each named layer; the hooks are gone on leaving, also on error.

    Of a layer that gives several tensors, the first; of one that runs several times, the last run. What an
    in-place operation does to an output later on does not show.
    """
    found: dict[str, Tensor] = {}
    with _hooked(model, layers, lambda name, output: found.__setitem__(name, output.clone())):
        yield found


def activations(model: nn.Module, inputs: Any, *layers: str) -> dict[str, Tensor]:
    """The outputs of the named layers, and no more work than they need: the pass ends at the last of them."""
    found: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        last = len(found | {name: output}) == len(set(layers))
        # What runs next may write into the output, as ReLU(inplace=True) does; after the last layer nothing runs.
        found[name] = output if last else output.clone()
        if last:
            raise _Reached

    with _hooked(model, layers, keep), suppress(_Reached):
        model(inputs)
    missed = [name for name in layers if name not in found]
    if missed:
        raise KeyError(f"layer {missed[0]!r} does not run in a forward pass")
    return found


def shapes(model: nn.Module, inputs: Any) -> dict[str, tuple[int, ...]]:
    """The shape of every layer's output that is, or begins with, a tensor, in the order in which they run."""
    found: dict[str, tuple[int, ...]] = {}

    def look(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            with suppress(TypeError):
                found[name] = tuple(first_tensor(output).shape)

        return hook

    handles = [module.register_forward_hook(look(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found


def first_tensor(output: Any) -> Tensor:
    """The tensor that a module's output is, or that stands for it: in a dict or data class what is called `logits`
    or `out`, else the first of its tensors; of a tuple or list the first.
    """
    if isinstance(output, Tensor):
        return output
    if is_dataclass(output) and not isinstance(output, type):
        output = {field.name: getattr(output, field.name) for field in fields(output)}
    if isinstance(output, Mapping):
        output = [output[name] for name in ("logits", "out") if name in output] + list(output.values())
    if isinstance(output, tuple | list):
        named = [getattr(output, "logits", None)]  # of a named tuple, such as torchvision's of GoogLeNet
        for part in [*named, *output]:
            with suppress(TypeError):
                return first_tensor(part)
    raise TypeError(f"a layer returned {type(output).__name__}, in which there is no tensor")


def maps(output: Tensor) -> Tensor:
    """A layer's output as maps, (batch, channels, height, width).

    Of a convolution it is that already, and of one in three dimensions a map is its slices, one below the other; of
    tokens, (batch, tokens, channels), a map is one row; of a linear layer, (batch, channels), one point.
    """
    if output.ndim == 2:
        return output[:, :, None, None]
    if output.ndim == 3:
        return output.transpose(1, 2)[:, :, None]
    if output.ndim > 3:
        return output.flatten(2, -2)
    raise ValueError(f"an output of shape {tuple(output.shape)} is neither maps, nor tokens, nor one number per unit")


def positions(output: Tensor) -> Tensor:
    """A layer's output as (batch, channels, positions), whichever of these layouts it has."""
    return maps(output).flatten(2)


def device(model: nn.Module) -> torch.device:
    """Where the model's parameters are; a model without any runs on the CPU."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


class _Reached(Exception):
    pass


@contextmanager
def _hooked(model: nn.Module, layers: tuple[str, ...], keep: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call keep(name, output) whenever a named layer has run."""
    modules = dict(model.named_modules())
    unknown = [name for name in layers if name not in modules]
    if unknown:
        raise KeyError(f"no layer {unknown[0]!r}; the model has {', '.join(filter(None, modules))}")

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, inputs, output: keep(name, first_tensor(output))

    handles = [modules[name].register_forward_hook(hook(name)) for name in dict.fromkeys(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
