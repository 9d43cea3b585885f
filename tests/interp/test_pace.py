import torch
from torch import nn

from generator.interp import pace
from generator.interp.pace import Pace, alike, fastest, fitting, fold, measured, outputs, prepared
from tests.nets import vision


class Residual(nn.Module):
    """A convolution whose output goes two ways, and one whose output goes to its batch norm alone."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(3)
        self.second = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(3)

    def forward(self, images):
        once = self.first(images)
        return once + self.norm2(self.second(self.norm1(once)))


def lively(network):
    """With batch norms that do something."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
    return network.eval()


def test_folding_changes_nothing_but_who_does_the_work():
    torch.manual_seed(0)
    network, images = lively(Residual()), torch.randn(2, 3, 8, 8)
    before = network(images)

    folded = fold(network)

    assert folded == 1  # the output of `first` is wanted twice, so its norm is not folded into it
    assert isinstance(network.norm2, nn.Identity)
    assert isinstance(network.norm1, nn.BatchNorm2d)
    torch.testing.assert_close(network(images), before, atol=1e-4, rtol=1e-4)


def test_layers_whose_outputs_are_wanted_are_not_folded():
    for layer in ("second", "norm2"):
        assert fold(lively(Residual()), keep=[layer]) == 0


def test_a_network_that_cannot_be_traced_stays_as_it_is():
    class Deciding(Residual):
        def forward(self, images):
            return super().forward(images) if images.sum() > 0 else images

    network = lively(Deciding())

    assert fold(network) == 0
    assert isinstance(network.norm2, nn.BatchNorm2d)


def test_a_strided_depthwise_convolution_runs_otherwise_in_half_precision_alone():
    network = nn.Sequential(nn.Conv2d(4, 4, 3, stride=2, groups=4)).eval()

    assert ["forward" in vars(prepared(network, ["0"], Pace(half))[0]) for half in (False, True)] == [False, True]


def test_a_copy_gives_the_layers_outputs_at_every_pace():
    torch.manual_seed(0)
    network, images = lively(Residual()), torch.randn(2, 3, 8, 8)
    expected = network.norm1(network.first(images))

    for half in (False, True):
        for channels_last in (False, True):
            way = Pace(half, channels_last)
            found = outputs(prepared(network, ["norm1"], way), images, ["norm1"], way)["norm1"]
            torch.testing.assert_close(found.float(), expected, atol=0.1 if half else 1e-5, rtol=0.02)


def test_a_way_must_be_clearly_faster_to_be_chosen():
    slow, little, clearly = Pace(batch=1), Pace(batch=4), Pace(batch=8)

    assert fastest({slow: 1.0, little: 0.9}) == slow
    assert fastest({slow: 1.0, little: 0.9, clearly: 0.5}) == clearly


def test_a_pace_is_measured_on_the_network_itself(monkeypatch):
    """Time is made up here: bfloat16 is the fastest, then layout; larger batches help up to eight."""
    costs = {True: 0.5, False: 1.0}

    def spent(network, layers, example, way):
        return costs[way.half] * (0.8 if way.channels_last else 1) / min(way.batch, 8)

    monkeypatch.setattr(pace, "seconds", spent)
    network, example = vision(), torch.rand(1, 3, 32, 32)

    assert measured(network, ["conv2"], example) == Pace(True, True, 8, True)
    costs[True] = 2.0
    assert measured(network, ["conv2"], example).half is False


def test_between_nearly_equal_ways_one_whose_images_are_independent_is_taken(monkeypatch):
    monkeypatch.setattr(pace, "seconds", lambda network, layers, example, way: 1.0 if way.half else 0.8)
    monkeypatch.setattr(pace, "alike", lambda network, layers, example, way: way.half)

    assert measured(vision(), ["conv2"], torch.rand(1, 3, 32, 32)).half is True


def test_without_independent_images_batches_must_be_filled_up(monkeypatch):
    monkeypatch.setattr(pace, "alike", lambda network, layers, example, way: False)

    assert measured(vision(), ["conv1"], torch.rand(1, 3, 32, 32)).alike is False


def test_images_that_are_mixed_within_a_batch_are_not_alike():
    class Mixing(nn.Module):
        def forward(self, images):
            return images - images.mean(0, keepdim=True)

    example = torch.rand(1, 3, 4, 4)

    assert not alike(nn.Sequential(Mixing(), nn.Sigmoid()), ["1"], example, Pace(batch=4))
    assert alike(nn.ReLU(), [""], example, Pace(batch=4))


def test_a_batch_takes_half_of_the_free_memory_at_most(monkeypatch):
    network, example = nn.Conv2d(3, 100, 1), torch.rand(1, 3, 50, 50)
    one = 3 * 100 * 50 * 50 * 4 + 8 * example.numel()
    monkeypatch.setattr(pace, "free_memory", lambda where: 20 * one)

    assert fitting(network, [""], example) == 10
    monkeypatch.setattr(pace, "free_memory", lambda where: 0)
    assert fitting(network, [""], example) == 1


def test_free_memory_is_a_part_of_what_there_is():
    assert 10**7 < pace.free_memory(torch.device("cpu")) < 10**14


def test_half_precision_spares_the_strided_depthwise_convolutions():
    strided, plain = nn.Conv2d(4, 4, 3, stride=2, groups=4), nn.Conv2d(4, 4, 3)
    network = nn.Sequential(plain, strided)
    pace = Pace(half=True)

    found = outputs(prepared(network, ("0", "1"), pace), torch.randn(1, 4, 9, 9), ("0", "1"), pace)

    assert found["0"].dtype == torch.bfloat16
    assert found["1"].dtype == torch.float32
    torch.testing.assert_close(found["1"], strided(found["0"].float()))
    assert strided.forward == nn.Conv2d.forward.__get__(strided)  # the copy's, not the author's
