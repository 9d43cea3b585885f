import numpy as np
import pytest
import torch

from generator.interp import svm


def literal_loss(scores, label):
    """CS231n's formula, word for word."""
    loss = 0.0
    for j in range(len(scores)):
        if j != label:
            loss += max(0.0, scores[j] - scores[label] + 1)
    return loss


def test_the_example_of_the_cs231n_notes_has_its_loss():
    # three classes with scores 13, -7, 11, the first being true; there the margin is 10, here it is 1
    scores = torch.tensor([[13.0, -7.0, 11.0]]) / 10

    assert svm.hinge(scores, torch.tensor([0])).item() == pytest.approx(8 / 10)


def test_the_hinge_loss_is_that_of_a_slow_double_loop():
    generator = torch.Generator().manual_seed(0)
    scores, labels = torch.randn(20, 5, generator=generator) * 2, torch.randint(5, (20,), generator=generator)

    loss = svm.hinge(scores, labels)

    expected = torch.tensor(
        [literal_loss(row.tolist(), label) for row, label in zip(scores, labels.tolist(), strict=True)]
    )
    torch.testing.assert_close(loss, expected)


def test_the_gradient_is_that_of_automatic_differentiation():
    generator = torch.Generator().manual_seed(1)
    scores = (torch.randn(20, 5, generator=generator) * 2).requires_grad_()
    labels = torch.randint(5, (20,), generator=generator)
    (expected,) = torch.autograd.grad(svm.hinge(scores, labels).sum(), scores)

    torch.testing.assert_close(svm.hinge_gradient(scores.detach(), labels), expected)


def test_a_class_outside_the_margin_has_no_gradient():
    gradient = svm.hinge_gradient(torch.tensor([[0.0, 0.5, -2.0]]), torch.tensor([0]))

    assert gradient.tolist() == [[-1.0, 1.0, 0.0]]


def train(features, labels, penalty=0.01, **more):
    settings = {"steps": 400, "batch": 50, "rate": 0.1, "seed": 0, **more}
    penalties = torch.full((features.shape[1],), penalty)
    *_, (_, weight, bias) = svm.train(features, labels, 2, penalty=penalties, **settings)
    return weight, bias


@pytest.fixture
def examples():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    features = torch.randn(200, 3, generator=generator) * 0.3
    features[:, 0] += 4 * labels - 2
    return features, labels


def test_two_separate_clouds_are_told_apart_by_the_feature_that_parts_them(examples):
    weight, bias = train(*examples)

    assert ((examples[0] @ weight.T + bias).argmax(1) == examples[1]).all()
    assert weight[1, 0] > 5 * weight[1, 1:].abs().max()


def test_steps_on_the_way_are_kept_and_change_nothing(examples):
    features, labels = examples
    settings = {"penalty": torch.full((3,), 0.01), "steps": 100, "batch": 50, "rate": 0.1, "seed": 0}

    kept = list(svm.train(features, labels, 2, keep=(1, 80), **settings))
    ((_, last, _),) = svm.train(features, labels, 2, **settings)

    assert [step for step, *_ in kept] == [1, 80, 100]
    assert torch.equal(kept[-1][1], last)
    assert kept[0][1].abs().max() < kept[1][1].abs().max()


def test_a_feature_with_a_heavy_penalty_is_not_used_and_does_not_break_the_descent(examples):
    features, labels = examples
    penalty = torch.tensor([1e9, 0.01, 0.01])

    ((_, weight, _),) = svm.train(features, labels, 2, penalty=penalty, steps=100, batch=50, rate=0.1, seed=0)

    assert weight[:, 0].abs().max() < 1e-6
    assert weight.isfinite().all()


def test_two_points_find_the_weights_known_on_paper():
    # Points ±1, one of each class. By symmetry the rows are (-w, w) and the loss is max(0, 1 - 2w) + 2 penalty w²,
    # which is least at w = 1 / (2 penalty) where that is below 1/2, as for penalty 2: w = 1/4.
    features, labels = torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1])

    weight, bias = train(features, labels, penalty=2.0, steps=4000, rate=0.02)

    torch.testing.assert_close(weight, torch.tensor([[-0.25], [0.25]]), atol=0.005, rtol=0)
    torch.testing.assert_close(bias, torch.zeros(2), atol=0.005, rtol=0)


def test_two_points_that_lie_to_one_side_find_the_bias_known_on_paper():
    # Points 0 and 2. Without loss rows (-w, w) and biases (b, -b) need 1 ≤ 2b and 1 ≤ 4w - 2b; the least w is 1/2.
    features, labels = torch.tensor([[0.0], [2.0]]), torch.tensor([0, 1])

    weight, bias = train(features, labels, penalty=0.01, steps=4000, rate=0.02)

    torch.testing.assert_close(weight, torch.tensor([[-0.5], [0.5]]), atol=0.01, rtol=0)
    torch.testing.assert_close(bias, torch.tensor([0.5, -0.5]), atol=0.01, rtol=0)


@pytest.mark.parametrize(("rates", "expected"), [((1, 3 / 4, 2 / 4, 1 / 4), 2.375), ((1, 2 / 3, 1 / 3), 11 / 6)])
def test_the_answer_is_the_mean_of_the_second_half_and_the_rate_falls_in_a_line(rates, expected):
    """Of one example within the margin, whose class gains as much at each step as the rate is."""
    features, labels = torch.ones(1, 1), torch.tensor([1])

    weight, bias = train(features, labels, penalty=0.0, steps=len(rates), rate=0.01)

    assert expected == pytest.approx(np.cumsum(rates)[len(rates) // 2 :].mean())
    torch.testing.assert_close(weight, 0.01 * torch.tensor([[-expected], [expected]]))
    torch.testing.assert_close(bias, 0.01 * torch.tensor([-expected, expected]))


def test_equal_seeds_give_equal_weights_and_other_seeds_others(examples):
    first, second, other = (train(*examples, seed=seed)[0] for seed in (3, 3, 4))

    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_progress_ends_with_all_steps_done(examples):
    told = []
    train(*examples, steps=120, report=lambda done, total: told.append((done, total)))

    assert told == [(50, 120), (100, 120), (120, 120)]
