import math
from collections import namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from generator.interp.hooks import OUTPUT, activations, capture, device, first_tensor, maps, positions, shapes


class Pair(nn.Module):
    def forward(self, x):
        return x + 1, x + 2


class Failing(nn.Module):
    def forward(self, x):
        raise ArithmeticError("this layer fails")


class Counting(nn.Module):
    runs = 0

    def forward(self, x):
        self.runs += 1
        return x


def hooks_of(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_capture_gives_the_output_of_each_named_layer():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.randn(5, 3)

    with capture(model, "0", "2") as found:
        out = model(x)

    assert list(found) == ["0", "2"]
    torch.testing.assert_close(found["0"], model[0](x))
    torch.testing.assert_close(found["2"], out)


def test_capture_keeps_the_last_run():
    model = nn.Sequential(nn.Identity())

    with capture(model, "0") as found:
        model(torch.zeros(1))
        model(torch.ones(1))

    assert found["0"] == 1


def test_of_several_outputs_the_first_is_kept():
    with capture(model := nn.Sequential(Pair()), "0") as found:
        model(torch.zeros(1))

    assert found["0"] == 1


def test_no_hook_is_left_after_a_normal_pass():
    model = nn.Sequential(nn.ReLU())

    with capture(model, "0"):
        assert hooks_of(model) == 1

    assert hooks_of(model) == 0


def test_no_hook_is_left_when_a_module_raises():
    model = nn.Sequential(nn.ReLU(), Failing())

    with pytest.raises(ArithmeticError), capture(model, "0"):
        model(torch.zeros(1))
    with pytest.raises(ArithmeticError):
        activations(model, torch.zeros(1), "0", "1")

    assert hooks_of(model) == 0


@pytest.mark.parametrize("layer", ["2", "no.such"])
def test_an_unknown_layer_is_named_with_the_known_ones_and_leaves_no_hook(layer):
    model = nn.Sequential(nn.ReLU(), nn.ReLU())

    with pytest.raises(KeyError, match="the model has 0, 1"), capture(model, "0", layer):
        pass

    assert hooks_of(model) == 0


def test_activations_end_the_pass_at_the_last_wanted_layer():
    model = nn.Sequential(nn.ReLU(), nn.Identity(), Failing())
    x = torch.tensor([-1.0, 2.0])

    found = activations(model, x, "1", "0")

    assert set(found) == {"0", "1"}
    assert found["1"].tolist() == [0.0, 2.0]
    assert hooks_of(model) == 0


def test_activations_run_no_layer_beyond_the_last():
    model = nn.Sequential(nn.ReLU(), Counting())

    activations(model, torch.zeros(1), "0", "0")

    assert model[1].runs == 0


def test_a_layer_that_does_not_run_is_named():
    model = nn.Sequential(nn.ReLU())
    model[0].unused = nn.ReLU()

    with pytest.raises(KeyError, match=r"'0\.unused' does not run"):
        activations(model, torch.zeros(1), "0.unused")


def test_gradients_flow_back_from_activations():
    x = torch.ones(3, requires_grad=True)

    activations(nn.Sequential(nn.Identity(), Failing()), x, "0")["0"].sum().backward()

    assert x.grad.tolist() == [1, 1, 1]


def test_the_device_is_that_of_the_parameters():
    assert device(nn.Linear(1, 1, device="meta")).type == "meta"
    assert device(nn.ReLU()).type == "cpu"


def test_the_empty_name_is_what_the_network_returns():
    class Named(nn.Module):
        def forward(self, x):
            return {"hidden": None, "logits": 2 * x, "more": x}

    assert activations(Named(), torch.ones(2), OUTPUT)[OUTPUT].tolist() == [2, 2]


@pytest.mark.parametrize("together", [True, False])
def test_an_in_place_operation_does_not_change_what_was_kept(together):
    model = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True), nn.Identity())
    x = torch.tensor([-1.0, 2.0])

    if together:
        found = activations(model, x, "0", "2")
    else:
        with capture(model, "0", "2") as found:
            model(x)

    assert found["0"].tolist() == [-1, 2]
    assert found["2"].tolist() == [0, 2]


def test_the_first_tensor_is_found_in_whatever_a_module_returns():
    @dataclass
    class Output:
        loss: None
        logits: torch.Tensor

    tensor = torch.ones(1)

    other = torch.zeros(1)
    called = namedtuple("Outputs", ["aux", "logits"])
    for output in (
        tensor,
        (tensor, other),
        [None, tensor],
        {"a": (tensor,), "b": other},
        {"aux": other, "logits": tensor},
        {"loss": None, "out": tensor},
        Output(None, tensor),
        called(other, tensor),
    ):
        assert first_tensor(output) is tensor
    with pytest.raises(TypeError, match="returned str, in which there is no tensor"):
        first_tensor("logits")


def test_shapes_are_those_of_all_layers_in_the_order_in_which_they_run():
    model = nn.Sequential(nn.Linear(3, 4), Pair(), nn.Identity())
    model[2].forward = lambda pair: "no tensor"

    assert shapes(model, torch.zeros(2, 3)) == {"0": (2, 4), "1": (2, 4)}
    assert hooks_of(model) == 0
    with pytest.raises(ArithmeticError):
        shapes(nn.Sequential(failing := Failing()), torch.zeros(1))
    assert not failing._forward_hooks


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((2, 3), (2, 3, 1, 1)), ((2, 5, 3), (2, 3, 1, 5)), ((2, 3, 4, 5), (2, 3, 4, 5)), ((2, 3, 4, 5, 6), (2, 3, 20, 6))],
    ids=["units", "tokens", "maps", "volumes"],
)
def test_every_layout_is_maps_of_its_channels(shape, expected):
    output = torch.arange(float(math.prod(shape))).view(shape)
    channel = output[1, :, 2] if len(shape) == 3 else output[1, 2]

    assert maps(output).shape == expected
    assert torch.equal(maps(output)[1, 2].flatten(), channel.flatten())
    assert positions(output).shape == (2, 3, math.prod(expected[2:]))


def test_one_number_for_each_image_is_no_map():
    with pytest.raises(ValueError, match=r"an output of shape \(4,\) is neither maps, nor tokens"):
        maps(torch.zeros(4))
