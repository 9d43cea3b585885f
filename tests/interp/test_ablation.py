import pytest
import torch
from torch.nn import functional as F

from generator.interp.ablation import losses, means
from generator.interp.reading import Clamp
from generator.interp.recurrent import CharRNN, Recurrent


@pytest.fixture
def reader() -> Recurrent:
    torch.manual_seed(0)
    return Recurrent(CharRNN(7, "lstm", 1, width=5, embedding=3).requires_grad_(False), "abcdefg")


def test_losses_are_of_the_character_that_comes_next_document_after_document(reader: Recurrent) -> None:
    documents = [torch.randint(7, (length,)) for length in (3, 300, 1)]
    found = losses(reader, documents)
    logits, _ = reader.network(documents[1][None])

    assert len(found) == 304
    torch.testing.assert_close(found[3:302], F.cross_entropy(logits[0, :-1], documents[1][1:], reduction="none"))
    assert found.isnan().nonzero()[:, 0].tolist() == [2, 302, 303]


def test_ids_may_be_bytes_and_documents_empty(reader: Recurrent) -> None:
    documents = [torch.randint(7, (length,)) for length in (3, 0, 5)]

    found = losses(reader, [ids.to(torch.uint8) for ids in documents])

    torch.testing.assert_close(found, losses(reader, documents), equal_nan=True)


def test_a_unit_that_the_head_does_not_read_costs_nothing_and_another_does(reader: Recurrent) -> None:
    reader.network.head.weight[:, 2] = 0
    reader.network.rnn.weight_hh_l0[:, 2] = 0
    ids = [torch.randint(7, (50,))]
    free, unread, read = (
        losses(reader, ids, clamps)
        for clamps in ((), *((Clamp("hidden", torch.tensor([n]), torch.tensor([3.0])),) for n in (2, 1)))
    )

    torch.testing.assert_close(unread[:-1], free[:-1])
    assert not torch.allclose(read[:-1], free[:-1], atol=0.01)


def test_means_are_of_all_tokens(reader: Recurrent) -> None:
    documents = [torch.randint(7, (length,)) for length in (40, 3)]
    read = torch.cat([reader.read(ids[None], ("cell", "hidden")).activations[0] for ids in documents])
    found = means(reader, documents, ("hidden", "cell"))

    torch.testing.assert_close(torch.cat([found["cell"], found["hidden"]]), read.mean(0))


def test_a_reader_that_sees_what_comes_is_refused(reader: Recurrent) -> None:
    reader.causal = False  # type: ignore[misc]

    with pytest.raises(ValueError, match="sees what comes"):
        losses(reader, [torch.zeros(3, dtype=torch.long)])
