"""Read-outs of classifiers: the rows of weights that give their scores, the scores, and what measures are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.deferred import Deferred
from generator.model import Model
from generator.seeing import prepared
from generator.spec import BuildError, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
else:
    torch = Deferred("torch")

BATCH = 500  # images at once


@dataclass(frozen=True)
class Rows:
    """Rows of a layer's weights, (rows, ...), and what they stand for: classes, or channels by number."""

    layer: str
    weights: Tensor
    names: tuple[str, ...]

    def chosen(self, names: Sequence[str] | None, numbers: Sequence[int] | None = None) -> Rows:
        """Only the rows of these names, or numbers, in their order; BuildError where there is no such row."""
        for name in names or ():
            if name not in self.names:
                raise BuildError(f"layer {self.layer} has no row {name!r}{nearest(name, self.names)}")
        for number in numbers or ():
            if not 0 <= number < len(self.names):
                raise BuildError(f"layer {self.layer} has no row {number}; it has {len(self.names)}, from 0")
        if names is None and numbers is None:
            return self
        indices = list(numbers) if numbers is not None else [self.names.index(name) for name in names or ()]
        return Rows(self.layer, self.weights[indices], tuple(self.names[index] for index in indices))


def class_numbers(model: Model, names: Sequence[str]) -> list[int]:
    """The logits of classes; BuildError where the model has no class of a name, or does not classify images."""
    if model.image is None or not model.classes:
        raise BuildError(f"model {model.name} does not classify images")
    for name in names:
        if name not in model.classes:
            raise BuildError(f"model {model.name} has no class {name!r}{nearest(name, model.classes)}")
    return [model.classes.index(name) for name in names]


def layer_gives_logits(model: Model, layer: str, width: int) -> bool:
    """Whether the layer's channels are the model's classes: it is the last to be made, and as wide."""
    return bool(model.classes) and width == len(model.classes) and layer == model.layers()[-1]


def row_names(model: Model, count: int) -> tuple[str, ...]:
    """The model's classes, where there are as many, or else numbers."""
    return model.classes if len(model.classes) == count else tuple(map(str, range(count)))


def linear_layers(model: Model) -> dict[str, nn.Linear]:
    """By name, in the order in which they were made."""
    return {name: module for name, module in model.network.named_modules() if isinstance(module, torch.nn.Linear)}


def picture_rows(model: Model, layer: str | None) -> Rows:
    """Rows that can be drawn, (rows, channels, height, width): of a linear layer on the image, or first filters."""
    if model.image is None:
        raise BuildError(f"model {model.name} takes no images, so its weights are no pictures")
    shape = (model.image.channels, model.image.height, model.image.width)
    drawable: dict[str, Tensor] = {}
    for name, module in model.network.named_modules():
        if isinstance(module, torch.nn.Linear) and module.in_features == np.prod(shape):
            drawable[name] = module.weight.detach().view(-1, *shape)
        elif isinstance(module, torch.nn.Conv2d) and module.in_channels == shape[0] and module.groups == 1:
            drawable[name] = module.weight.detach()
    if not drawable:
        raise BuildError(f"model {model.name} has no layer whose weights act on the image itself")
    wanted = next(iter(drawable)) if layer is None else layer
    if wanted not in drawable:
        raise BuildError(
            f"the weights of layer {wanted!r} of model {model.name} are no pictures{nearest(wanted, drawable)}"
        )
    weights = drawable[wanted].cpu().float()
    return Rows(wanted, weights, row_names(model, len(weights)))


def class_rows(model: Model) -> Rows:
    """The rows that give the scores: of the last linear layer with one output per class."""
    if not model.classes:
        raise BuildError(f"model {model.name} has no classes")
    fitting = {
        name: module for name, module in linear_layers(model).items() if module.out_features == len(model.classes)
    }
    if not fitting:
        raise BuildError(
            f"model {model.name} has no linear layer with one output for each of its {len(model.classes)} classes"
        )
    name, module = list(fitting.items())[-1]
    return Rows(name, module.weight.detach().cpu().float(), model.classes)


def scores(model: Model, pixels: NDArray[np.uint8]) -> Iterator[Tensor]:
    """Scores of images (images, height, width, channels), batch by batch: (batch, classes), float64.

    Images of another size are resized, and colour becomes grey or grey colour, as the network wants it. BuildError
    where the model does not classify images, or a score is not a number: such a one would win against all others.
    """
    class_numbers(model, ())
    for inputs in prepared(model, pixels, BATCH):
        with torch.inference_mode():
            found = interp.hooks.first_tensor(model.network(inputs)).double().cpu()
        if not bool(found.isfinite().all()):
            raise BuildError(f"model {model.name}: some scores are not numbers (NaN or infinite)")
        yield found


def safe_name(label: str) -> str:
    """A class's name as part of the name of a measure.

    >>> safe_name("Arctic fox, white fox")
    'arctic-fox-white-fox'
    """
    return re.sub(r"[^\w]+", "-", label.lower()).strip("-_") or "unnamed"


def layer_part(layer: str) -> str:
    """A layer's name as part of the name of a measure: its capitals stay, for they may tell it from another.

    >>> layer_part("Mixed_5b.branch1")
    'Mixed_5b-branch1'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", layer).strip("-_")


def level(share: float) -> int:
    """The theme's colour class of a number in [-1, 1]: 0 deep blue, 10 light, 20 deep red."""
    return round(10 + 10 * max(-1.0, min(1.0, share)))


def pair_measures(what: str, names: Sequence[str], matrix: Sequence[Sequence[float]]) -> dict[str, float]:
    """A measure WHAT.ROW.COLUMN for every ordered pair of different rows."""
    return {
        f"{what}.{safe_name(row)}.{safe_name(column)}": matrix[i][j]
        for i, row in enumerate(names)
        for j, column in enumerate(names)
        if i != j
    }


def alike(cosines: Sequence[Sequence[float]]) -> list[int]:
    """An order in which neighbours are alike: from the closest pair, what is nearest to an end comes next."""
    count = len(cosines)
    pairs = ((i, j) for i in range(count) for j in range(i + 1, count))
    order = list(max(pairs, key=lambda pair: cosines[pair[0]][pair[1]], default=range(count)))
    left = sorted(set(range(count)) - set(order))
    while left:
        start = max(left, key=lambda number: cosines[order[0]][number])
        end = max(left, key=lambda number: cosines[order[-1]][number])
        if cosines[order[0]][start] > cosines[order[-1]][end]:
            order.insert(0, start)
            left.remove(start)
        else:
            order.append(end)
            left.remove(end)
    return order
