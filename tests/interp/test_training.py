"""Training of character networks: that it learns, and that to stop it changes nothing."""

import math
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch

from generator.interp import training
from generator.interp.recurrent import CharRNN, cross_entropy
from generator.interp.training import Pace, Plan, Training, measured, one_core_each

TEXT = (torch.arange(4000) % 4).to(torch.uint8)  # 0 1 2 3 0 1 2 3 …: a text that can be learnt
PLAN = Plan(steps=60, batch=4, window=16, rate=0.02)


def network(cell: str = "lstm", layers: int = 1) -> CharRNN:
    torch.manual_seed(0)
    return CharRNN(4, cell, layers, width=16, embedding=4)


@pytest.mark.parametrize("half", [False, True])
def test_training_learns_a_text_that_repeats(half: bool) -> None:
    """In bfloat16, autocast that is entered once keeps stale copies of the weights: the loss would stay."""
    under_way = Training(network(), TEXT, replace(PLAN, half=half))
    losses = [under_way.step() for _ in range(PLAN.steps)]

    assert losses[0] == pytest.approx(math.log(4), abs=0.3)
    assert losses[-1] < 0.1
    assert cross_entropy(under_way.network, TEXT) < 0.1


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("cell", "layers"), [("lstm", 2), ("gru", 1), ("rnn", 1)])
def test_a_training_that_was_stopped_ends_with_the_same_bits(cell: str, layers: int, half: bool) -> None:
    plan = replace(PLAN, steps=9, half=half, schedule="cosine")
    whole = Training(network(cell, layers), TEXT, plan)
    losses = [whole.step() for _ in range(9)]
    stopped = Training(network(cell, layers), TEXT, plan)
    for _ in range(4):
        stopped.step()
    state = stopped.state()
    stopped.step()  # of which nothing was kept
    again = Training(network(cell, layers), TEXT, plan)
    again.restore(state)

    assert [again.step() for _ in range(5)] == losses[4:]
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_streams_are_contiguous_and_their_state_is_carried() -> None:
    """What the second step reads follows what the first one read; with a fresh state its loss would be another."""
    one = Training(network(), TEXT, replace(PLAN, rate=0.0, decay=0.0))
    one.step()
    carried = one.step()
    other = Training(network(), TEXT, replace(PLAN, rate=0.0, decay=0.0))
    other.step()
    other.carried = None

    assert other.step() != carried


@pytest.mark.parametrize(("schedule", "middle"), [("linear", 0.5), ("cosine", 0.5), ("constant", 1.0)])
def test_the_rate_rises_to_its_height_and_falls_by_its_schedule(schedule: str, middle: float) -> None:
    plan = Plan(steps=121, batch=1, window=2, rate=2.0, warm=21.5 / 121, schedule=schedule)  # type: ignore[arg-type]

    assert plan.rate_at(0) == pytest.approx(2.0 / 21)
    assert plan.rate_at(21) == pytest.approx(2.0)
    assert plan.rate_at(71) == pytest.approx(2.0 * middle)
    assert plan.rate_at(120) < (2.1 if schedule == "constant" else 0.03)


def test_a_loss_that_is_no_number_leaves_the_weights_of_the_step_before() -> None:
    under_way = Training(network(), TEXT, PLAN)
    under_way.step()
    before = {name: tensor.clone() for name, tensor in under_way.state().items()}
    under_way.carried = (torch.full((1, 4, 16), math.nan), torch.zeros(1, 4, 16))

    with pytest.raises(FloatingPointError, match="in step 2 the loss or its gradient is no number"):
        under_way.step()
    assert under_way.done == 1
    for name, tensor in under_way.state().items():
        assert "carried" in name or torch.equal(tensor, before[name]), name


def test_a_text_too_short_for_the_streams_is_refused() -> None:
    with pytest.raises(ValueError, match="10 characters are too few for 4 streams of 17: give a longer text"):
        Training(network(), TEXT[:10], PLAN)


def test_the_pace_is_that_of_the_fastest_trial_and_the_threads_stay_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two threads are slower here than one, so that four are not tried; halves are faster."""
    tried = []

    def spent(under_way: Training, enough: float) -> float:
        tried.append(Pace(under_way.plan.threads, under_way.plan.half))
        return {Pace(1, False): 4.0, Pace(2, False): 5.0, Pace(1, True): 3.0, Pace(2, True): 2.0}.get(tried[-1], 9.0)

    monkeypatch.setattr(training, "quickest", spent)
    monkeypatch.setattr(training, "halves_run", lambda: True)
    before = torch.get_num_threads()

    assert measured(network(), PLAN, (1, 2, 4)) == Pace(2, True)
    assert Pace(4, False) not in tried
    assert torch.get_num_threads() == before


def test_a_machine_without_half_precision_trains_in_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "halves_run", lambda: False)

    losses = [Training(network(), TEXT, replace(PLAN, half=half)).step() for half in (True, False)]

    assert losses[0] == losses[1]
    assert measured(network(), PLAN, (1,), (True,)) == Pace(1, False)


def test_threads_are_given_back_after_an_error() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(KeyError), one_core_each():
            raise KeyError(torch.get_num_threads())

        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
def test_streams_are_read_by_threads_where_there_are_several(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, readers = Training(network(), TEXT, replace(PLAN, threads=threads)), set()
    gradients = under_way.gradients

    def noted(*given: Any) -> Any:
        readers.add(threading.current_thread())
        return gradients(*given)

    monkeypatch.setattr(under_way, "gradients", noted)
    under_way.step()

    assert (threading.main_thread() in readers) == (threads == 1)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_threads_that_share_the_streams_take_the_same_steps(cell: str) -> None:
    """Five threads for four streams: one each."""
    alone, shared = (Training(network(cell, 2), TEXT, replace(PLAN, threads=count)) for count in (1, 5))
    alone_losses, shared_losses = ([one.step() for _ in range(5)] for one in (alone, shared))

    assert shared_losses == pytest.approx(alone_losses, rel=1e-5)
    for one, other in zip(alone.network.parameters(), shared.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rows", [4, 1])
def test_the_gradient_is_that_of_the_loss_and_the_prices_of_which_some_streams_have_their_share(rows: int) -> None:
    under_way = Training(network(), TEXT, replace(PLAN, sparsity=3.0, steadiness=5.0))
    chunk = under_way.streams[:rows, :17].long()
    loss, gradients, _ = under_way.gradients(chunk, None)

    hidden, _ = under_way.network.rnn(under_way.network.embedding(chunk[:, :-1]))
    logits = under_way.network.head(hidden)
    nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), chunk[:, 1:].flatten())
    price = 3 * hidden.abs().mean() + 5 * (hidden[:, 1:] - hidden[:, :-1]).square().mean()
    expected = torch.autograd.grad(rows / 4 * (nats + price), under_way.parameters)
    assert loss == pytest.approx(rows / 4 * float(nats.detach()))
    for one, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_price_on_activity_makes_hidden_units_quieter_and_is_no_part_of_the_loss(threads: int) -> None:
    dear, free = (Training(network(), TEXT, replace(PLAN, sparsity=price, threads=threads)) for price in (1.0, 0.0))
    assert dear.step() == free.step()
    for one in (dear, free):
        while one.done < PLAN.steps:
            one.step()
    inputs = TEXT[None, :400].long()
    with torch.inference_mode():
        activity = [one.network.rnn(one.network.embedding(inputs))[0].abs().mean() for one in (dear, free)]

    assert activity[0] < activity[1] / 2


def test_a_price_on_change_makes_hidden_units_steadier() -> None:
    changes = []
    for price in (5.0, 0.0):
        one = Training(network(), TEXT, replace(PLAN, steadiness=price))
        while one.done < PLAN.steps:
            one.step()
        with torch.inference_mode():
            hidden, _ = one.network.rnn(one.network.embedding(TEXT[None, :400].long()))
        changes.append(hidden.diff(dim=1).square().mean())

    assert changes[0] < changes[1] / 2


def test_threads_take_the_same_steps_each_time() -> None:
    once, again = (Training(network(), TEXT, replace(PLAN, threads=3)) for _ in range(2))

    assert [once.step() for _ in range(5)] == [again.step() for _ in range(5)]


def test_a_trial_measures_and_changes_nothing() -> None:
    one = network()
    before = [parameter.clone() for parameter in one.parameters()]

    assert measured(one, PLAN, (1,)).threads == 1
    assert all(torch.equal(*pair) for pair in zip(before, one.parameters(), strict=True))


@pytest.mark.parametrize(("first", "steps"), [(3.0, 3), (3.5, 1)])
def test_a_trial_ends_at_its_first_step_where_it_is_hopeless(
    first: float, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than three times as slow as another way was. The fastest step counts."""
    clock = iter([0.0, first, 10.0, 11.5, 20.0, 22.0])
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    under_way = Training(network(), TEXT, PLAN)

    assert training.quickest(under_way, 1.0) == (1.5 if steps == 3 else first)
    assert under_way.done == steps


@pytest.mark.parametrize(("cores", "expected"), [(None, [1]), (1, [1]), (6, [1, 2, 4]), (8, [1, 2, 4, 8])])
def test_threads_are_tried_in_doublings(
    cores: int | None, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    assert training.doublings() == expected
