"""What a figure may know of a network, whichever source it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from generator import interp


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
