"""Areas and correlations against scikit-learn's, SciPy's and answers known on paper."""

import pytest
import torch
from scipy import stats
from sklearn.metrics import roc_auc_score

from generator.interp.selectivity import area_errors, areas, average_ranks, correlations


def test_a_unit_that_copies_the_concept_has_area_one_and_its_negative_zero() -> None:
    concept = torch.tensor([False, True, True, False])

    found = areas(torch.stack([concept.float(), -concept.float()], dim=1), concept[:, None])

    torch.testing.assert_close(found, torch.tensor([[1.0], [0.0]]))


def test_a_unit_that_never_changes_has_area_one_half() -> None:
    found = areas(torch.zeros(6, 1), torch.tensor([True, False, True, False, False, False])[:, None])

    assert float(found) == 0.5


def test_a_concept_that_holds_nowhere_has_no_area() -> None:
    assert bool(areas(torch.randn(5, 2), torch.zeros(5, 1, dtype=torch.bool)).isnan().all())


@pytest.mark.parametrize("distinct", [3, 1000])
def test_areas_are_those_of_scikit_learn_with_and_without_ties(distinct: int) -> None:
    generator = torch.Generator().manual_seed(0)
    activations = torch.randint(distinct, (200, 70), generator=generator).float()
    concepts = torch.rand(200, 3, generator=generator) < 0.3

    found = areas(activations, concepts)

    for unit in (0, 31, 32, 69):
        for concept in range(3):
            expected = roc_auc_score(concepts[:, concept].numpy(), activations[:, unit].numpy())
            assert float(found[unit, concept]) == pytest.approx(expected, abs=1e-6)


def test_progress_counts_units() -> None:
    told: list[tuple[int, int]] = []
    areas(torch.randn(5, 40), torch.arange(5)[:, None] < 2, lambda done, total: told.append((done, total)))

    assert told == [(32, 40), (40, 40)]


def test_ranks_share_their_mean_among_ties() -> None:
    torch.testing.assert_close(
        average_ranks(torch.tensor([[2.0], [1.0], [2.0], [5.0]])).squeeze(1),
        torch.tensor([2.5, 1.0, 2.5, 4.0], dtype=torch.float64),
    )


@pytest.mark.parametrize("positions", [4096, 4097])
def test_ranks_are_those_of_scipy_whether_sorted_or_counted(positions: int) -> None:
    columns = torch.randint(500, (positions, 2), generator=torch.Generator().manual_seed(0)).float()

    expected = stats.rankdata(columns.double().numpy(), axis=0)
    torch.testing.assert_close(average_ranks(columns), torch.from_numpy(expected))


def test_correlations_are_those_of_scipy() -> None:
    generator = torch.Generator().manual_seed(0)
    activations = torch.randint(9, (100, 40), generator=generator).float()
    quantity = torch.arange(100) % 13

    found = correlations(activations, quantity)

    for unit in (0, 39):
        expected = stats.spearmanr(activations[:, unit].numpy(), quantity.numpy()).statistic
        assert float(found[unit]) == pytest.approx(expected, abs=1e-6)


def test_a_unit_that_never_changes_correlates_with_nothing() -> None:
    assert float(correlations(torch.ones(10, 1), torch.arange(10))) == 0


def test_standard_errors_are_those_that_repeated_samples_have() -> None:
    """Of normal activations, whose areas scatter about as the exponential approximation says."""
    generator = torch.Generator().manual_seed(0)
    holds = torch.arange(120)[:, None] < 40
    found = areas(torch.randn(120, 400, generator=generator) + holds, holds)
    expected = area_errors(found.mean(0, keepdim=True), torch.tensor([40.0]), torch.tensor([80.0]))

    assert float(found.std()) == pytest.approx(float(expected), rel=0.1)


def test_a_standard_error_is_that_of_the_formula_worked_by_hand() -> None:
    # A = 0.8, 10 and 20: Q1 = 0.8 / 1.2, Q2 = 1.28 / 1.8; (0.16 + 9 * (Q1 - 0.64) + 19 * (Q2 - 0.64)) / 200
    found = area_errors(torch.tensor([[0.8]]), torch.tensor([10.0]), torch.tensor([20.0]))

    assert float(found) == pytest.approx(0.0936, abs=1e-4)
