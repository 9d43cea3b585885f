"""Features of a sparse dictionary: directions that a sparse autoencoder found in a layer, few of them active at once.

The encoder says how active each feature is, the decoder which direction it stands for (Bricken et al., 2023,
https://transformer-circuits.pub/2023/monosemantic-features). Architectures and names of weights are those of
SAELens (https://decoderesearch.github.io/SAELens/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from .reading import Clamp

ARCHITECTURES = ("standard", "jumprelu", "topk")
NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")


@dataclass(frozen=True)
class Dictionary:
    """encoder: (width, features), decoder: (features, width), their biases as wide as what they give.

    centred: whether the decoder's bias is taken off first. threshold: (features,), below which a feature is silent
    (JumpReLU; Rajamanoharan et al., 2024, https://arxiv.org/abs/2407.14435), or None. most: how many features may be
    active at a token (TopK; Gao et al., 2024, https://arxiv.org/abs/2406.04093), or None.
    """

    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    decoder_bias: Tensor
    centred: bool = True
    threshold: Tensor | None = None
    most: int | None = None

    @property
    def count(self) -> int:
        """How many features there are."""
        return len(self.decoder)

    def read(self, values: Tensor) -> Tensor:
        """How active each feature is: (batch, time, width) to (batch, time, features), none below 0."""
        centred = values - self.decoder_bias if self.centred else values
        before = centred @ self.encoder + self.encoder_bias
        active = before.relu()
        if self.threshold is not None:
            return active * (before > self.threshold)
        if self.most is not None:
            strongest = active.topk(min(self.most, self.count), dim=-1)
            return active.new_zeros(active.shape).scatter(-1, strongest.indices, strongest.values)
        return active

    def decode(self, features: Tensor) -> Tensor:
        """What the dictionary makes of a layer: (…, features) to (…, width)."""
        return features @ self.decoder + self.decoder_bias

    def hold(self, values: Tensor, clamp: Clamp) -> Tensor:
        """Only the features' own directions change, so that what the dictionary misses of the layer stays."""
        numbers = clamp.numbers.to(values.device)
        missing = clamp.values.to(values) - self.read(values)[..., numbers]  # (batch, time, held)
        return values + missing @ self.decoder[numbers]


def dictionary(
    tensors: Mapping[str, Tensor], architecture: str, *, centred: bool, most: int | None = None
) -> Dictionary:
    """A dictionary of its weights by their names. ValueError where one is missing, or has another shape."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r} is not known, only {', '.join(ARCHITECTURES)}")
    names = NAMES + (("threshold",) if architecture == "jumprelu" else ())
    missing = [name for name in names if name not in tensors]
    if missing:
        raise ValueError(f"there is no {missing[0]}, only {', '.join(sorted(tensors))}")
    if tensors["W_enc"].ndim != 2:
        raise ValueError(f"W_enc is {tuple(tensors['W_enc'].shape)}; it should be (width, features)")
    width, count = tensors["W_enc"].shape
    shapes = {"b_enc": (count,), "W_dec": (count, width), "b_dec": (width,), "threshold": (count,)}
    for name in names[1:]:
        if tuple(tensors[name].shape) != shapes[name]:
            raise ValueError(f"{name} is {tuple(tensors[name].shape)}; beside this W_enc it should be {shapes[name]}")
    if architecture == "topk" and not (isinstance(most, int) and most > 0):
        raise ValueError("it does not say how many features are active at once: k")
    threshold = tensors["threshold"] if architecture == "jumprelu" else None
    encoder, encoder_bias, decoder, decoder_bias = (tensors[name] for name in NAMES)
    most = most if architecture == "topk" else None
    return Dictionary(encoder, encoder_bias, decoder, decoder_bias, centred, threshold, most)
