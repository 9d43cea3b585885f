import torch

from generator.interp.objectives import channel, energy, logit


def test_channel_is_the_mean_over_positions_of_each_images_own_channel():
    activation = torch.arange(24.0).view(2, 3, 2, 2)

    score = channel(activation, [0, 2])

    assert score.tolist() == [1.5, 21.5]  # means of 0..3 and of 20..23


def test_channel_of_a_layer_without_positions_is_the_unit_itself():
    assert channel(torch.arange(6.0).view(2, 3), [1, 0]).tolist() == [1, 3]


def test_logit_is_the_score_of_each_images_own_class():
    assert logit(torch.arange(6.0).view(2, 3), [2, 0]).tolist() == [2, 3]


def test_energy_is_the_mean_square_and_has_no_sign():
    activation = torch.tensor([[[[1.0, -3.0]]], [[[0.0, 2.0]]]])

    assert energy(activation).tolist() == [5.0, 2.0]
    assert energy(-activation).tolist() == [5.0, 2.0]
