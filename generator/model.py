"""What a figure may know of a network, whichever source it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


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

    classes: names of the logits, in order; empty where the network has none. symbols: the characters
    of a text model, the first standing for all unknown ones.
    """

    name: str
    network: nn.Module
    classes: tuple[str, ...] = ()
    image: ImageInput | None = None
    symbols: str = ""

    def layers(self) -> list[str]:
        return [name for name, _ in self.network.named_modules() if name]

    def normalise(self, images: Tensor) -> Tensor:
        """Images in [0, 1], (batch, channels, height, width), as the network wants them; differentiable."""
        assert self.image is not None, f"model {self.name} takes no images"
        shape = (1, -1, 1, 1)
        mean, deviation = (images.new_tensor(values).view(shape) for values in (self.image.mean, self.image.deviation))
        return (images - mean) / deviation

    def encode(self, text: str) -> list[int]:
        """Indices of the characters of `text`; unknown ones become 0."""
        index = {symbol: number for number, symbol in enumerate(self.symbols)}
        return [index.get(character, 0) for character in text]

    def decode(self, indices: list[int]) -> str:
        return "".join(self.symbols[index] for index in indices)
