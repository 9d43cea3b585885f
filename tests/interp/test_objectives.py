import pytest
import torch

from generator.interp.objectives import (
    caricature,
    channel,
    direction,
    diversity,
    energy,
    logit,
    nearness,
    neuron,
    positions,
)


def score(objective, **outputs):
    return objective.score(outputs, torch.arange(objective.images))


def test_channel_is_the_mean_over_positions_of_each_images_own_channel():
    activation = torch.arange(24.0).view(2, 3, 2, 2)

    assert score(channel("a", [0, 2]), a=activation).tolist() == [1.5, 21.5]  # means of 0..3 and of 20..23


def test_channel_of_a_layer_without_positions_is_the_unit_itself():
    assert score(channel("a", [1, 0]), a=torch.arange(6.0).view(2, 3)).tolist() == [1, 3]


def test_channel_of_a_transformer_is_the_mean_over_its_tokens():
    activation = torch.tensor([[[1.0, 9.0], [2.0, 9.0], [6.0, 9.0]]])  # (1, tokens, channels)

    assert score(channel("a", [0]), a=activation).tolist() == [3]


def test_a_part_of_the_images_keeps_its_own_channels():
    activation = torch.arange(12.0).view(2, 3, 2, 1)

    assert channel("a", [0, 1, 2]).score({"a": activation}, torch.tensor([2, 0])).tolist() == [4.5, 6.5]


def test_neuron_is_one_position_and_the_centre_if_none_is_given():
    activation = torch.arange(18.0).view(1, 2, 3, 3)

    assert score(neuron("a", [1]), a=activation).tolist() == [13]
    assert score(neuron("a", [1], (0, 2)), a=activation).tolist() == [11]


def test_tokens_have_no_centre():
    with pytest.raises(ValueError, match="no centre; name a position"):
        score(neuron("a", [1]), a=torch.zeros(1, 3, 2))
    assert score(neuron("a", [1], (2, 0)), a=torch.arange(6.0).view(1, 3, 2)).tolist() == [5]


def test_logit_is_the_score_of_each_images_own_class():
    assert score(logit([2, 0], layer="a"), a=torch.arange(6.0).view(2, 3)).tolist() == [2, 3]


def test_direction_is_the_dot_product_and_falls_with_the_angle():
    activation = torch.tensor([[3.0, 4.0], [0.0, 5.0], [-1.0, 0.0]])
    along = torch.tensor([[1.0, 0.0]] * 3)

    assert score(direction("a", along), a=activation).tolist() == [3, 0, -1]
    torch.testing.assert_close(score(direction("a", along, 2), a=activation), torch.tensor([3 * 0.36, 0.0, -0.01]))


def test_a_direction_along_one_axis_is_that_channel():
    activation = torch.randn(2, 3, 4, 4)

    torch.testing.assert_close(
        score(direction("a", torch.eye(3)[:2]), a=activation), score(channel("a", [0, 1]), a=activation)
    )


def test_caricature_wants_at_each_position_what_was_there():
    target = torch.tensor([[[[1.0, 0.0]], [[0.0, 2.0]]]])  # two channels, two positions
    swapped = target.flip(3)

    assert score(caricature("a", target), a=target).tolist() == [2.5]  # (1 + 4) / 2, the cosines 1
    assert score(caricature("a", target), a=swapped).tolist() == [0]


def test_energy_is_the_mean_square_and_has_no_sign():
    activation = torch.tensor([[[[1.0, -3.0]]], [[[0.0, 2.0]]]])

    assert score(energy("a", 2), a=activation).tolist() == [5.0, 2.0]
    assert score(energy("a", 2), a=-activation).tolist() == [5.0, 2.0]


def test_nearness_is_one_at_the_target_and_zero_at_nothing():
    target = torch.tensor([[3.0, 4.0]])

    assert score(nearness("a", target), a=target).tolist() == [1]
    assert score(nearness("a", target), a=torch.zeros(1, 2)).tolist() == [0]


def test_diversity_is_zero_for_twins_and_one_for_strangers_within_a_group():
    one, other = torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    activation = torch.stack([one, one, one, other]).unsqueeze(3)  # (4, channels, 2, 1)

    assert score(diversity("a", 4, 2), a=activation).tolist() == [0, 0, 1, 1]


def test_objectives_add_up_and_are_weighted():
    both = channel("a", [0, 1]) + 0.5 * diversity("b", 2)
    outputs = {"a": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "b": torch.eye(2).view(2, 2, 1, 1)}

    assert both.layers == ("a", "b")
    assert both.group == 2
    assert score(both, **outputs).tolist() == [1.5, 4.5]


def test_objectives_of_different_images_are_not_added():
    with pytest.raises(ValueError, match="of 1 and of 2 images"):
        channel("a", [0]) + channel("a", [0, 1])
    with pytest.raises(ValueError, match="groups of 2 and of 3"):
        diversity("a", 6, 2) + diversity("a", 6, 3)


def test_groups_must_fill_the_images():
    with pytest.raises(ValueError, match="3 images are not groups of 2"):
        diversity("a", 3, 2)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 20, 3), (2, 3)])
def test_every_layout_has_its_channels_in_the_middle(shape):
    assert positions(torch.zeros(shape)).shape[:2] == (2, 3)


@pytest.mark.parametrize(("one", "other"), [(2, 3), (3, 2)])
def test_groups_that_do_not_fit_each_other_are_not_added(one: int, other: int):
    with pytest.raises(ValueError, match=f"groups of {one} and of {other} images"):
        diversity("a", 6, one) + diversity("a", 6, other)


def test_a_sum_looks_at_the_groups_of_its_parts():
    single, pairs = channel("a", range(6)), diversity("b", 6, 2)

    assert [(single + pairs).group, (pairs + single).group, (pairs + pairs).group] == [2, 2, 2]
    assert (pairs + single).layers == ("b", "a")
    with pytest.raises(ValueError, match="objectives of 6 and of 2 images"):
        single + channel("a", [0, 1])
