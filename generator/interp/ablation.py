"""What a network loses when some of its units are held still: the loss at every token, with and without them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .moments import Moments
from .reading import Clamp, Progress, Reader, record


@torch.inference_mode()
def losses(
    reader: Reader,
    documents: Sequence[Tensor],
    clamps: Sequence[Clamp] = (),
    progress: Progress = lambda done, total: None,
) -> Tensor:
    """Of predicting the token after each, in nats, (tokens of all documents,), document after document.

    documents: the ids of each, (tokens,), of any integer type; one at least. NaN at the last token of a document, which
    nothing follows. ValueError where the reader predicts nothing, or sees what comes.
    """
    if not reader.causal:
        raise ValueError("it sees what comes after a token, so it does not expect the next one")
    lengths = torch.tensor([len(ids) for ids in documents])
    starts = lengths.cumsum(0) - lengths
    following = torch.cat([ids.roll(-1).long() for ids in documents])
    found = torch.full((len(following),), torch.nan)
    for piece in record(reader, documents, (), clamps=clamps, logits=True, progress=progress):
        if piece.logits is None:
            raise ValueError("it has no head: it reads text, and does not say what it expects next")
        places = starts[piece.documents] + piece.positions
        found[places] = F.cross_entropy(piece.logits.float(), following[places], reduction="none")
    found[(starts + lengths - 1)[lengths > 0]] = torch.nan
    return found


@torch.inference_mode()
def means(reader: Reader, documents: Sequence[Tensor], groups: Sequence[str]) -> dict[str, Tensor]:
    """The mean activation of every unit of the groups over all tokens, (units,) each."""
    sizes = [reader.groups[group] for group in groups]
    found = Moments(sum(sizes))
    for piece in record(reader, documents, groups):
        found.add(piece.activations)
    return dict(zip(groups, torch.split(found.mean.float(), sizes), strict=True))
