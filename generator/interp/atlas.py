"""Activations of many images at one place each: what they point to, and how they lie beside each other.

Carter, Armstrong, Schubert, Johnson and Olah, 2019, https://distill.pub/2019/activation-atlas.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from .hooks import first_tensor, positions

SHRINKAGE = 0.01  # of the second moment towards its mean: few images do not tell of every direction


@dataclass(frozen=True)
class Sampled:
    """vectors: (images, channels), the activations of each image at one of its positions. support: (images, outputs),
    how much they add to what the network returns. moment: (channels, channels), the mean outer product of the
    activations at all positions. positions: of the layer.
    """

    vectors: Tensor
    support: Tensor
    moment: Tensor
    positions: int


def sampled(network: nn.Module, layer: str, batches: Iterable[Tensor], places: Tensor) -> Sampled:
    """The activations of images at a place of each, given as a share of the layer's positions: (images,) in [0, 1).

    Their support is the derivative of the outputs in the direction of those activations, at their place and nowhere
    else, of every output at once ("attribution" in Carter et al.).
    """
    vectors: list[Tensor] = []
    supports: list[Tensor] = []
    started: list[Tensor] = []  # of the batch under way: the layer's output, and that at one position alone
    moment, size = torch.zeros(()), 0

    def start(module: nn.Module, inputs: Any, output: Any) -> Any:
        nonlocal moment, size
        found = first_tensor(output).detach()
        if found.ndim < 2:
            raise ValueError("it gives one number for an image, so it has no directions")
        if len(vectors) > len(supports):
            raise ValueError("it runs more than once in a forward pass; name one that runs once")
        here = positions(found)  # (batch, channels, positions)
        images, _, size = here.shape
        seen = sum(map(len, vectors))
        at = (places[seen : seen + images] * size).long().to(found.device)
        rows = torch.arange(images, device=found.device)
        vectors.append(here[rows, :, at].float().cpu())
        moment = moment + torch.einsum("bcp,bdp->cd", here.float(), here.float()).cpu() / size
        only = torch.zeros(images, size, dtype=found.dtype, device=found.device)
        only[rows, at] = 1
        layout = {2: (images, 1), 3: (images, size, 1)}.get(found.ndim, (images, 1, *found.shape[2:]))
        started[:] = [found.requires_grad_(), found.detach() * only.view(layout)]
        first = found.clone()  # what runs next may write into it
        return first if isinstance(output, Tensor) else (first, *tuple(output)[1:])

    handle = network.get_submodule(layer).register_forward_hook(start)
    try:
        for images in batches:
            with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # faster forms of attention derive once only
                given = first_tensor(network(images))
                if not given.requires_grad:
                    raise ValueError("nothing that the network returns depends on it")
                supports.append(_forward(given, *started).float().cpu())
    finally:
        handle.remove()
    together = torch.cat(vectors)
    return Sampled(together, torch.cat(supports), moment / len(together), size)


def _forward(given: Tensor, start: Tensor, direction: Tensor) -> Tensor:
    """The derivative of `given` in a direction of `start`, of the shape of `given`.

    A backward pass is linear in what is sent back, and its transpose, a second backward pass, is the forward
    derivative. PyTorch's own forward mode compiles scripts at its first use.
    """
    sent = torch.zeros_like(given, requires_grad=True)
    (slope,) = torch.autograd.grad(given, start, sent, create_graph=True)
    (derivative,) = torch.autograd.grad(slope, sent, direction)
    return derivative


def whitened(directions: Tensor, moment: Tensor) -> Tensor:
    """Directions, (directions, channels), times the inverse of the second moment, made a little rounder first.

    What all activations have in common then counts for less. Carter et al., 2019, "Feature visualization".
    """
    moment = moment.double()
    rounder = (1 - SHRINKAGE) * moment + SHRINKAGE * moment.diagonal().mean() * torch.eye(len(moment)).double()
    found: Tensor = torch.linalg.solve(rounder, directions.double().T).T.to(directions)
    return found


def cells(layout: Tensor, grid: int) -> Tensor:
    """The cell of a grid × grid plane in which each point lies, row by row, (points,); layout: (points, 2).

    The plane is cut at the first and the last hundredth of the points on either axis; what lies beyond is in the
    cells at the edge.
    """
    low, high = torch.quantile(layout, torch.tensor([0.01, 0.99]).to(layout), dim=0)
    share = (layout - low) / (high - low).clamp_min(1e-12)
    column, row = (share * grid).long().clamp(0, grid - 1).unbind(1)
    numbers: Tensor = row * grid + column
    return numbers


def agreement(labels: Tensor, cells: Tensor) -> float:
    """The share of points that have the most frequent label of their cell."""
    counts = torch.zeros(int(cells.max()) + 1, int(labels.max()) + 1)
    counts.index_put_((cells, labels), torch.ones(len(cells)), accumulate=True)
    return float(counts.amax(1).sum() / len(cells))
