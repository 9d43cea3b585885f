"""What a language model would say after each of its layers: the logit lens, token by token.

The residual stream of every layer goes through the model's last norm and its head, as only that of the last layer
does (nostalgebraist, "Interpreting GPT: the logit lens", 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru).
Early layers may keep what they know in other directions than the head reads, so that a wrong guess does not show
that nothing is known (Belrose et al., "Eliciting latent predictions with the tuned lens", 2023,
https://arxiv.org/abs/2303.08112).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator import interp, readers
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.short_texts import label, short_text
from generator.spec import BuildError, FigureOptions, TextChoice

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from generator.inputs import Inputs
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-transformer
text: {literal: "the cat sat on the mat."}
caption: What the model would say after each layer.
"""

GUESSES = 3  # told of each cell, the best of them in sight


class Options(FigureOptions):
    model: str = Field(description="a language model of site.toml, causal or masked")
    text: TextChoice = Field(description="the text; of up to 64 tokens")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The lens on the last layer must give the model's own logits; where it does not, it is no lens on this model."""
    reader = readers.reader_of(inputs.model)
    if not isinstance(reader, interp.hooked.Hooked) or reader.unembed is None:
        raise BuildError(
            f"model {inputs.model.name} has no head that gives tokens, so there is nothing to look through"
        )
    streams = [group for group in reader.groups if group.startswith("residual ")]
    if not streams:
        raise BuildError(f'model {inputs.model.name}: its `groups` leave out the residual stream, "residual *"')
    text = short_text(inputs, options.text)
    read = reader.read(text.ids[None], streams, logits=True)
    if read.logits is None or not bool(read.logits.isfinite().all()):
        raise BuildError(f"model {inputs.model.name}: its logits are not numbers (NaN or infinite)")
    widths = [reader.groups[group] for group in streams]
    scores = [reader.unembed(one) for one in torch.split(read.activations[0], widths, 1)]  # each (tokens, vocabulary)
    if not torch.allclose(scores[-1], read.logits[0], rtol=1e-3, atol=1e-3):
        raise BuildError(f"model {inputs.model.name}: its head, put on {streams[-1]}, does not give its own logits")

    said = scores[-1].log_softmax(1)
    # Where the model foretells, what is right after a token is the next one; nothing is known of the last.
    right = (text.ids.roll(-1) if reader.causal else text.ids)[: len(text.ids) - int(reader.causal)]
    rows: list[dict[str, Any]] = []
    measures: dict[str, float] = {"layers": len(streams), "tokens": len(text.ids)}
    for group, one in zip(streams, scores, strict=True):
        layer, logs = group.removeprefix("residual "), one.log_softmax(1)
        rows.append({"layer": layer, "cells": cells(reader, logs, right)})
        measures |= {f"layer-{layer}.{name}": value for name, value in compared(logs, said, right).items()}
    data = {
        "document": text.document, "tokens": text.labels, "rows": rows[::-1], "causal": reader.causal,
        "right": [label(reader.token(number)) for number in right.tolist()],
    }  # fmt: skip
    return Artifact(data=data, measures=measures)


def cells(reader: interp.reading.Reader, logs: Tensor, right: Tensor) -> list[dict[str, Any]]:
    """The best guesses at each token, and whether the first of them is right.

    logs: log probabilities, (tokens, tokens of the vocabulary). right: (tokens that it is known of,).
    """
    shares, numbers = logs.exp().topk(min(GUESSES, logs.shape[1]), 1)
    hits = (numbers[: len(right), 0] == right).tolist()
    found = []
    for place, (own, theirs) in enumerate(zip(numbers.tolist(), shares.tolist(), strict=True)):
        guesses = [
            {"token": label(reader.token(number)), "share": round(share, 3)}
            for number, share in zip(own, theirs, strict=True)
        ]
        level = 10 + round(10 * guesses[0]["share"])
        found.append({"guesses": guesses, "level": level, "right": place < len(hits) and hits[place]})
    return found


def compared(logs: Tensor, said: Tensor, right: Tensor) -> dict[str, float]:
    """How often a layer's first guess is right, how often it is the model's own, and how far apart both are.

    logs, said: log probabilities, (tokens, tokens of the vocabulary). The divergence is that of what the model
    says from what the layer says (Kullback and Leibler, 1951, https://doi.org/10.1214/aoms/1177729694), in nats, the
    mean over tokens.
    """
    first = logs.argmax(1)
    return {
        "right": float((first[: len(right)] == right).float().mean()),
        "agreement": float((first == said.argmax(1)).float().mean()),
        "divergence": float((said.exp() * (said - logs)).sum(1).mean().clamp_min(0)),
    }
