"""How a network runs fastest on this machine: measured on the network itself, for nothing here can be assumed.

A pace changes the last digits of what is computed, so whoever wants the same images again keeps it.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, fx, nn

from .hooks import activations, device

RUNS = 1  # timed passes of each way, after one that warms up: a measure must cost less than it saves
GAIN = 1.15  # how much faster a way must be to be worth another rounding, or the memory of a larger batch
NEARLY = 1.5  # how much slower a way may be in which images do not depend on their neighbours
SIZES = {"cpu": (1, 4, 8), "cuda": (1, 16, 64, 128)}  # of batches: those that are tried
SHARE = 0.5  # of the free memory that a batch may take
MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True)
class Pace:
    """half: products in bfloat16. channels_last: the memory layout. batch: images at once.

    alike: whether an image comes out the same, to the last bit, in a smaller batch; if not, batches are filled up.
    """

    half: bool = False
    channels_last: bool = False
    batch: int = 1
    alike: bool = False


def prepared(network: nn.Module, layers: Sequence[str], pace: Pace) -> nn.Module:
    """A copy for looking at `layers` only: frozen, in eval mode, batch norms folded, laid out as `pace` says."""
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    fold(copied, keep=layers)
    if pace.half and device(copied).type == "cpu":
        keep_strided_whole(copied)
    layout = torch.channels_last if pace.channels_last else torch.contiguous_format
    return copied.to(memory_format=layout)  # type: ignore[call-overload, no-any-return]


def outputs(network: nn.Module, images: Tensor, layers: Sequence[str], pace: Pace) -> dict[str, Tensor]:
    """The outputs of layers at a pace; the pass ends at the last of them."""
    if pace.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=pace.half):
        return activations(network, images, *layers)


def keep_strided_whole(network: nn.Module) -> None:
    """Let the strided depthwise convolutions run in float32 even where half precision is asked for, in place.

    oneDNN has no bfloat16 kernel for their gradient and falls back to a plain loop: four such layers of
    EfficientNet-Lite0 took two thirds of its whole gradient, and take a tenth of it in float32 (torch 2.13).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and max(module.stride) > 1:
            module.forward = partial(in_whole, module.forward)  # type: ignore[method-assign]


def in_whole(forward: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What a module gives in float32, whatever autocast says."""
    with torch.autocast(images.device.type, enabled=False):
        return forward(images.float())


def fold(network: nn.Module, keep: Sequence[str] = ()) -> int:
    """Let each convolution do the work of the batch norm that alone follows it, in place: how many were folded.

    Neither may be a layer of `keep`, whose outputs someone wants. A network whose graph cannot be traced, as one
    that decides by its data, stays as it is.
    """
    try:
        graph = fx.symbolic_trace(network).graph
    except Exception:  # whatever the author's forward raises when it meets a stand-in for a tensor
        return 0
    modules = dict(network.named_modules())
    calls = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    folded = 0
    for node in graph.nodes:
        before = node.args[0] if node.args else None
        if node.op != "call_module" or not isinstance(before, fx.Node) or before.op != "call_module":
            continue
        names = (str(before.target), str(node.target))
        convolution, norm = (modules[name] for name in names)
        alone = len(before.users) == 1 and all(calls.count(name) == 1 and name not in keep for name in names)
        if (
            isinstance(convolution, nn.Conv2d)
            and isinstance(norm, nn.BatchNorm2d)
            and alone
            and norm.track_running_stats
        ):
            parent, _, last = names[0].rpartition(".")
            setattr(network.get_submodule(parent), last, nn.utils.fusion.fuse_conv_bn_eval(convolution, norm))
            parent, _, last = names[1].rpartition(".")
            setattr(network.get_submodule(parent), last, nn.Identity())
            folded += 1
    return folded


def measured(network: nn.Module, layers: Sequence[str], example: Tensor) -> Pace:
    """The fastest way to the gradient of `layers` for images such as `example`, (1, channels, height, width).

    Between ways that are nearly as fast, one in which no image depends on its neighbours. Takes as long as some sixty
    passes of one image.
    """
    most = fitting(network, layers, example)
    sizes = [size for size in SIZES.get(example.device.type, SIZES["cpu"]) if size <= most] or [1]

    def timed(ways: Sequence[Pace]) -> dict[Pace, float]:
        return {way: seconds(prepared(network, layers, way), layers, example, way) for way in ways}

    # Layout and precision are chosen where they matter, in a batch; then the size of the batch.
    batch = sizes[len(sizes) // 2]
    ways = timed([Pace(False, False, batch), Pace(False, True, batch), Pace(True, True, batch)])
    layout = fastest(ways)
    others = timed([replace(layout, batch=size) for size in sizes if size != batch])
    chosen = fastest(dict(sorted({layout: ways[layout], **others}.items(), key=lambda one: one[0].batch)))
    for way in [layout, *sorted(ways, key=ways.__getitem__)]:
        if ways[way] < NEARLY * ways[layout] and alike(
            network, layers, example, candidate := replace(way, batch=chosen.batch)
        ):
            return replace(candidate, alike=True)
    return chosen


def fastest(times: dict[Pace, float]) -> Pace:
    """The first of the ways, or a later one that is faster by more than GAIN."""
    best = next(iter(times))
    for way, spent in times.items():
        if spent * GAIN < times[best]:
            best = way
    return best


def seconds(network: nn.Module, layers: Sequence[str], example: Tensor, pace: Pace) -> float:
    """Shortest time of one image's gradient in a batch, forward and backward; the copy is already `prepared`."""
    images = example.expand(pace.batch, -1, -1, -1).clone()
    taken = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        gradient(network, layers, images, pace)
        if images.device.type == "cuda":
            torch.cuda.synchronize()
        taken.append((time.perf_counter() - start) / pace.batch)
    return min(taken[1:])


def gradient(network: nn.Module, layers: Sequence[str], images: Tensor, pace: Pace) -> Tensor:
    """The gradient of the mean of all outputs, of the shape of `images`."""
    leaf = images.detach().clone().requires_grad_()
    found = outputs(network, leaf * 1, layers, pace)  # * 1: the first layer may write in place
    (slope,) = torch.autograd.grad(sum(one.float().flatten(1).mean(1).sum() for one in found.values()), leaf)  # type: ignore[arg-type]
    return slope


def alike(network: nn.Module, layers: Sequence[str], example: Tensor, pace: Pace) -> bool:
    """Whether one image, and three, have the same gradient to the last bit as in a whole batch."""
    copied = prepared(network, layers, pace)
    source = torch.Generator().manual_seed(0)
    images = example + 0.1 * torch.randn(pace.batch, *example.shape[1:], generator=source).to(example)
    whole = gradient(copied, layers, images, pace)
    sizes = {size for size in (1, 2, 3, pace.batch - 1) if 0 < size < pace.batch}
    return all(torch.equal(gradient(copied, layers, images[:size], pace), whole[:size]) for size in sizes)


def fitting(network: nn.Module, layers: Sequence[str], example: Tensor) -> int:
    """How many images at once the free memory holds: what one forward pass keeps, twice over for its gradients."""
    kept = 0
    copied = prepared(network, layers, Pace())

    def count(module: nn.Module, inputs: object, output: object) -> None:
        nonlocal kept
        kept += output.numel() * output.element_size() if isinstance(output, Tensor) else 0

    handles = [module.register_forward_hook(count) for module in copied.modules() if not list(module.children())]
    try:
        with torch.no_grad():
            activations(copied, example, *layers)
    finally:
        for handle in handles:
            handle.remove()
    return max(1, int(free_memory(device(network)) * SHARE / max(1, 3 * kept + 8 * example.numel())))


def free_memory(where: torch.device) -> int:
    """Bytes that can be taken without anything else giving way."""
    if where.type == "cuda":
        return int(torch.cuda.mem_get_info(where)[0])
    if MEMORY.exists():
        lines = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines() if ":" in line)
        return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
