"""Writing with a network: what it reads at each step, and what is drawn."""

import pytest
import torch
from torch import Tensor

from generator.interp.reading import Reading
from generator.interp.sampling import sample


class Next:
    """Foretells the token after the last, of five, nearly always; notes what it reads. Holds four tokens, or any."""

    causal = True
    special = frozenset([4])

    def __init__(self, context: int | None, stateful: bool) -> None:
        self.context, self.stateful, self.read_so_far = context, stateful, []

    def read(self, ids: Tensor, groups: tuple[()], state: object = None, *, logits: bool) -> Reading:
        self.read_so_far.append(ids[0].tolist())
        scores = torch.nn.functional.one_hot((ids + 1) % 5, 5) * 50.0
        return Reading(torch.zeros(*ids.shape, 0), scores, "state" if self.stateful else None)


@pytest.mark.parametrize(
    ("context", "stateful", "expected"),
    [
        (4, False, [[1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]),
        (6, False, [[0, 1, 2, 3, 0], [0, 1, 2, 3, 0, 1], [1, 2, 3, 0, 1, 2]]),
        (6, True, [[0, 1, 2, 3, 0], [1], [1, 2, 3, 0, 1, 2]]),
        (None, True, [[0, 1, 2, 3, 0], [1], [2]]),
        (None, False, [[0, 1, 2, 3, 0], [0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1, 2]]),
    ],
    ids=["full", "soon full", "soon full with a state", "with a state", "without one"],
)
def test_a_reader_reads_what_its_state_does_not_stand_for_and_no_more_than_it_holds(
    context: int | None, stateful: bool, expected: list[list[int]]
) -> None:
    reader = Next(context, stateful)
    written = sample(reader, torch.tensor([0, 1, 2, 3, 0]), 3, (1.0,), seed=0)

    assert written.tolist() == [[1, 2, 3]]
    assert reader.read_so_far == expected
