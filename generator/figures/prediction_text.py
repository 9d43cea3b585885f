"""What a model expects next: under each character of a text its best guesses, coloured by their probability.

The guess that came true is framed. After the second picture of Karpathy, "The unreasonable effectiveness of recurrent
neural networks", 2015, https://karpathy.github.io/2015/05/21/rnn-effectiveness/.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator import interp, readers
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.spec import BuildError, FigureOptions, TextChoice

if TYPE_CHECKING:
    import torch

    from generator.inputs import Inputs
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-text
text: {literal: "def f(x):\\n    return x <b>"}
caption: What the model expects.
"""

LONGEST = 1000  # tokens shown: more of them nobody reads
MIDDLE, HIGHEST = 10, 20  # levels of colour: of probability 0 and of 1


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that reads text and expects what comes next")
    text: TextChoice = Field(description="the text that is read")
    guesses: int = Field(5, ge=1, le=10, description="shown under each character")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The guesses under a token are for the token after it, as the model makes them when it has read so far."""
    reader = readers.reader_of(inputs.model)
    if not reader.causal:
        raise BuildError(f"model {inputs.model.name} sees what comes after a token, so it does not expect the next one")
    context, text, document = inputs.text(options.text)
    tokens = reader.tokens(context + text)
    shown = (tokens.spans[:, 1] > len(context)) & (tokens.spans[:, 1] > tokens.spans[:, 0])
    first = int(shown.nonzero()[0]) if bool(shown.any()) else len(shown)
    count = len(tokens.ids) - first
    if not 0 < count <= LONGEST:
        raise BuildError(f"text: {count} tokens; from 1 to {LONGEST} can be shown with predictions")
    found = predicted(reader, tokens.ids, first)  # (count, tokens of the vocabulary), probabilities
    if not bool(found.isfinite().all()):
        raise BuildError(f"model {inputs.model.name}: some predictions are not numbers; was its training stable?")
    best, guesses = found.topk(min(options.guesses, found.shape[1]), dim=1)
    come = tokens.ids[first + 1 :]  # what came, for all but the last
    true = found[:-1].gather(1, come[:, None])[:, 0]
    ranks = (found[:-1] > true[:, None]).sum(1)
    lines: list[list[dict[str, Any]]] = [[]]
    for place in range(count):
        start, end = tokens.spans[first + place].tolist()
        written = (context + text)[start:end]
        last = place + 1 == count  # nothing is known of what comes after it
        lines[-1].append(
            {
                "text": written,
                "guesses": told(reader, guesses[place], best[place], None if last else int(come[place])),
                "true": None if last else round(float(true[place]), 4),
            }
        )
        if written.endswith("\n"):
            lines.append([])
    data: dict[str, Any] = {
        "document": document,
        "lines": [line for line in lines if line],
        "guesses": guesses.shape[1],
        "unit": "character" if count == len(text) else "token",
    }
    measures: dict[str, float] = {"characters": len(text), "tokens": count}
    if count > 1:
        loss = float(-true.clamp_min(1e-30).log().mean())
        measures |= {"loss": loss, "bits": loss / math.log(2), "first": float((ranks == 0).float().mean())}
        measures["among"] = float((ranks < guesses.shape[1]).float().mean())
        data |= {name: round(measures[name], 4) for name in ("loss", "bits", "first", "among")}
    return Artifact(data=data, measures=measures)


def told(
    reader: interp.reading.Reader, numbers: torch.Tensor, shares: torch.Tensor, come: int | None
) -> list[dict[str, Any]]:
    """The guesses for one place: tokens of the vocabulary, (guesses,), their probabilities, and which of them came.

    come: the token that did, None where it is not known.
    """
    return [
        {
            "text": reader.token(number),
            "probability": round(share, 4),
            "level": MIDDLE + round((HIGHEST - MIDDLE) * share),
            "true": number == come,
        }
        for number, share in zip(numbers.tolist(), shares.tolist(), strict=True)
    ]


def predicted(reader: interp.reading.Reader, ids: torch.Tensor, first: int) -> torch.Tensor:
    """Probabilities of what comes after each token from `first` on, (tokens, tokens of the vocabulary)."""
    found: torch.Tensor | None = None
    for piece in interp.reading.record(reader, [ids], (), logits=True):
        if piece.logits is None:
            raise BuildError("the model has no head: it reads text, and does not say what it expects next")
        if found is None:
            found = torch.empty(len(ids) - first, piece.logits.shape[1])
        late = piece.positions >= first
        found[piece.positions[late] - first] = piece.logits[late].float().softmax(1)
    assert found is not None
    return found
