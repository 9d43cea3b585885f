"""Which parts of an image a score rests on: attribution by gradients, by paths of gradients, and by covering.

A score goes from images (batch, channels, height, width) to one number per image, (batch,); a map is
(batch, height, width). Saliency, integrated gradients and occlusion are Captum's. Grad-CAM is our own: Captum's
reads the layer's output after the whole pass, when an in-place ReLU may have overwritten it.
Networks must be in eval mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from torch import Tensor, nn

from .hooks import first_tensor

Score = Callable[[Tensor], Tensor]
BATCH = 8  # images that the network sees at once: those of 224 pixels stay in a CPU's cache, and 32 take twice as long


def saliency(score: Score, images: Tensor) -> Tensor:
    """The largest |derivative of the score| over the channels of each pixel; (batch, height, width), none negative.

    Simonyan, Vedaldi and Zisserman, 2013, section 3.1, https://arxiv.org/abs/1312.6034.
    """
    gradients: Tensor = Saliency(score).attribute(images.detach().requires_grad_(), abs=True)
    return gradients.detach().amax(1)


def integrated_gradients(score: Score, images: Tensor, baselines: Tensor, steps: int = 128) -> Tensor:
    """The gradient integrated on the straight line from the baselines to the images; signed, summed over channels.

    A map's sum is score(image) - score(baseline), up to the error of Gauss and Legendre's rule with `steps` nodes.
    Sundararajan, Taly and Yan, 2017, equation 1, https://arxiv.org/abs/1703.01365.
    """
    integrated: Tensor = IntegratedGradients(score).attribute(
        images.detach().requires_grad_(), baselines, n_steps=steps, internal_batch_size=max(BATCH, len(images))
    )
    return integrated.detach().float().sum(1)


def occlusion(score: Score, images: Tensor, baselines: Tensor, window: int, stride: int) -> Tensor:
    """How much the score falls where a square of `window` pixels is covered by the baselines; signed.

    A pixel has the mean of all windows that cover it. Zeiler and Fergus, 2014, section 4.2,
    https://arxiv.org/abs/1311.2901.
    """
    channels, height, width = images.shape[1:]
    fallen: Tensor = Occlusion(score).attribute(
        images.detach(),
        sliding_window_shapes=(channels, min(window, height), min(window, width)),
        strides=(channels, min(stride, height), min(stride, width)),
        baselines=baselines,
        perturbations_per_eval=max(1, BATCH // len(images)),
    )
    return fallen[:, 0]  # all channels are covered together


def grad_cam(network: nn.Module, layer: str, images: Tensor, classes: Sequence[int]) -> Tensor:
    """Where a layer speaks for class `classes[i]` in image i; (batch, height, width) of the layer, none negative.

    ReLU of the sum of the layer's channels, each weighted by the mean over all positions of the logit's
    derivative: equations 1 and 2 of Selvaraju et al., 2017, https://arxiv.org/abs/1610.02391. The gradient is
    only ever taken to the layer's output, where the graph begins: nothing is kept of the layers before it. The
    images pass in batches.
    """
    found: list[Tensor] = []

    def cut(module: nn.Module, inputs: Any, output: Any) -> Any:
        first = output[0] if isinstance(output, tuple) else output
        found[:] = [first.detach().requires_grad_()]
        torch.set_grad_enabled(True)
        passed = found[0].clone()  # what follows may change it in place
        return (passed, *output[1:]) if isinstance(output, tuple) else passed

    maps = []
    handle = network.get_submodule(layer).register_forward_hook(cut)
    try:
        for start in range(0, len(images), BATCH):
            found.clear()
            with torch.no_grad():
                scores = first_tensor(network(images[start : start + BATCH]))
                if not found:
                    raise KeyError(f"layer {layer!r} does not run in a forward pass")
                (activation,) = found  # (batch, channels, height, width)
                if activation.ndim != 4:
                    raise ValueError(f"layer {layer!r} gives {tuple(activation.shape)}, which has no height and width")
                asked = torch.as_tensor(classes[start : start + BATCH], device=scores.device)
                chosen = scores.gather(1, asked[:, None]).sum()
                (gradient,) = (
                    torch.autograd.grad(chosen, activation, allow_unused=True) if chosen.requires_grad else (None,)
                )
            if gradient is None:
                raise ValueError(f"the logits do not depend on what layer {layer!r} gives")
            weights = gradient.mean((2, 3))  # (batch, channels)
            maps.append(torch.einsum("bc,bchw->bhw", weights, activation.detach()).relu())
    finally:
        handle.remove()
    return torch.cat(maps)
