"""What a figure may know of a network, whichever source it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from generator import interp

NO_MEMORY = re.compile("can't allocate memory|not enough memory|out of memory", re.IGNORECASE)  # of PyTorch
CHANNELS = re.compile(r"to have (?P<wanted>[13]) channels?, but got (?P<given>[13]) channels? instead")


def advice(problem: BaseException) -> str:
    """What PyTorch raised, and what would be right where that is known.

    >>> advice(RuntimeError("input[1, 3, 8, 8] to have 1 channels, but got 3 channels instead")).partition("; ")[2]
    'the network takes images of 1 channel: write channels = 1 in site.toml'
    """
    message = str(problem) if isinstance(problem, OSError) else str(problem.args[0] if problem.args else problem)
    if isinstance(problem, MemoryError) or NO_MEMORY.search(message):
        told = message.partition("\n")[0] or "no more could be had"
        return f"out of memory ({told}); fewer --workers at once, or a smaller figure, take less"
    found = CHANNELS.search(message)
    wanted = f"{found['wanted']} channel{'s' * (found['wanted'] != '1')}" if found else ""
    more = f"; the network takes images of {wanted}: write channels = {wanted[0]} in site.toml" if found else ""
    return f"{message}{more}"


@dataclass(frozen=True)
class ImageInput:
    """The images that a network wants: (channels, height, width), from [0, 1] to (image - mean) / deviation."""

    channels: int = 3
    height: int = 224
    width: int = 224
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class Model:
    """A network in eval mode with frozen parameters, and the meaning of its inputs and outputs.

    classes: names of the logits, in order; empty where the network has none. reader: how the network reads text,
    None where it reads none.
    """

    name: str
    network: nn.Module
    classes: tuple[str, ...] = ()
    image: ImageInput | None = None
    reader: interp.reading.Reader | None = None

    def layers(self) -> list[str]:
        return [name for name, _ in self.network.named_modules() if name]

    def normalise(self, images: Tensor) -> Tensor:
        """Images in [0, 1], (batch, channels, height, width), as the network wants them; differentiable."""
        assert self.image is not None, f"model {self.name} takes no images"
        shape = (1, -1, 1, 1)
        mean, deviation = (images.new_tensor(values).view(shape) for values in (self.image.mean, self.image.deviation))
        return (images - mean) / deviation
