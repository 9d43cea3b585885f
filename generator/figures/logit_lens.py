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
    right = text.ids.roll(-1) if reader.causal else text.ids
    known = len(right) - reader.causal
    rows: list[dict[str, Any]] = []
    measures: dict[str, float] = {"layers": len(streams), "tokens": len(right)}
    for group, one in zip(streams, scores, strict=True):
        logs = one.log_softmax(1)
        best = logs.exp().topk(GUESSES, 1)
        cells = [
            [
                {"token": label(reader.token(number)), "share": round(share, 3)}
                for number, share in zip(*pair, strict=True)
            ]
            for pair in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
        rows.append(
            {
                "layer": group.removeprefix("residual "),
                "cells": [
                    {"guesses": guesses, "level": 10 + round(10 * guesses[0]["share"]), "right": place < known and hit}
                    for place, (guesses, hit) in enumerate(
                        zip(cells, (best.indices[:, 0] == right).tolist(), strict=True)
                    )
                ],
            }
        )
        name = f"layer-{rows[-1]['layer']}"
        measures[f"{name}.right"] = float((best.indices[:known, 0] == right[:known]).float().mean())
        measures[f"{name}.agreement"] = float((best.indices[:, 0] == said.argmax(1)).float().mean())
        measures[f"{name}.divergence"] = float((said.exp() * (said - logs)).sum(1).mean().clamp_min(0))
    data = {
        "document": text.document, "tokens": text.labels, "rows": rows[::-1], "causal": reader.causal,
        "right": [label(reader.token(number)) for number in right[:known].tolist()],
    }  # fmt: skip
    return Artifact(data=data, measures=measures)
