"""Sweeps on the digits, and what is trained for them."""

import json
from statistics import stdev

import pytest
import torch

from generator.figures.sweep import HEIGHT, MARGIN, line, written
from generator.interp.linear import roughness
from generator.library import Library
from generator.plan import make_plan
from generator.progress import Quiet
from generator.spec import BuildErrors
from tests.conftest import SITE_TOML, SmallSite

SWEEP = """
id: calm
kind: sweep
model: tiny-linear
setting: l2
values: [0, 0.001, 10]
classes: ["3", "8"]
"""


def measures_of(site: SmallSite) -> dict[str, float]:
    (figure,) = json.loads((site.out / "report.json").read_text())["figures"]
    return dict(figure["measures"])


def test_a_stronger_penalty_gives_smoother_pictures_and_the_best_value_is_neither_end(quick_site: SmallSite) -> None:
    quick_site.toml(SITE_TOML.replace("{ steps = 200 }", "{}"))  # a penalty shows late
    quick_site.figure(SWEEP)
    quick_site.build()
    measures = measures_of(quick_site)
    roughnesses = [measures[f"{value}.roughness"] for value in ("0", "0.001", "10")]

    assert roughnesses == sorted(roughnesses, reverse=True)
    assert measures["best"] == 0.001
    assert measures["best.accuracy"] == measures["0.001.accuracy"] > 0.95
    assert measures["10.loss"] > measures["0.001.loss"]
    assert quick_site.read().count("<img") == 6


def test_several_seeds_give_means_with_intervals_and_are_kept_one_by_one(small_site: SmallSite) -> None:
    small_site.figure(SWEEP.replace("values: [0, 0.001, 10]", "values: [0, 0.01]\nseeds: [3, 4, 5]"))
    small_site.build()
    (figure,) = json.loads((small_site.out / "report.json").read_text())["figures"]
    alone = []
    for seed in (3, 4, 5):
        small_site.figure(SWEEP.replace("setting: l2", "setting: seed").replace("[0, 0.001, 10]", f"[{seed}, 9]"))
        small_site.toml(SITE_TOML.replace("{ steps = 200 }", "{ steps = 200, l2 = 0 }"))
        small_site.build()
        alone.append(measures_of(small_site)[f"{seed}.accuracy"])
    low, high = figure["intervals"]["0.accuracy"]

    assert figure["measures"]["0.accuracy"] == pytest.approx(sum(alone) / 3)
    assert low < figure["measures"]["0.accuracy"] < high
    assert high - low == pytest.approx(2 * 4.303 * stdev(alone) / 3**0.5)


@pytest.mark.parametrize("seeds", ["[1]", "[1, 1]", "[1, 2]\nsetting: seed"])
def test_seeds_that_give_no_interval_are_told(small_site: SmallSite, seeds: str) -> None:
    body = SWEEP if "setting" not in seeds else SWEEP.replace("setting: l2\n", "")
    small_site.figure(body + f"seeds: {seeds}\n")

    with pytest.raises(BuildErrors, match="seeds: "):
        small_site.build()


def test_each_value_is_trained_once_and_kept_like_any_model(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    train = Library.train

    def count(self: Library, name: str) -> object:
        trained.append(name)
        return train(self, name)

    monkeypatch.setattr(Library, "train", count)
    small_site.figure(SWEEP.replace("values: [0, 0.001, 10]", "values: [0, 0.01]"))
    small_site.build()
    small_site.figure(SWEEP.replace("values: [0, 0.001, 10]", "values: [0.01, 0, 1]").replace("8", "9"))
    small_site.build()
    small_site.figure("id: t\nkind: templates\nmodel: tiny-linear\n")  # whose l2 is 0.01
    small_site.build()

    assert trained == [f"tiny-linear with l2 = {value}" for value in (0, 0.01, 1)]


def test_the_recipe_of_a_sweep_is_part_of_its_key_though_the_model_has_a_checkpoint(small_site: SmallSite) -> None:
    def key(toml: str) -> str:
        small_site.toml(toml)
        (job,) = make_plan(small_site.content, small_site.store, Quiet()).jobs.values()
        return job.key

    (small_site.content / "step-1.safetensors").write_bytes(b"one")
    toml = SITE_TOML.replace("train = { steps = 200 }", 'checkpoints = "*.safetensors"\ntrain = {}')
    small_site.figure(SWEEP)

    assert key(toml) == key(toml)
    assert key(toml) != key(toml.replace("train = {}", "train = { steps = 900 }"))


def test_a_network_whose_weights_are_no_pictures_shows_what_it_measures(quick_site: SmallSite) -> None:
    quick_site.figure("id: s\nkind: sweep\nmodel: tiny-text\nsetting: cell\nvalues: [gru, rnn]\n")
    quick_site.build()
    measures = measures_of(quick_site)

    assert "<img" not in quick_site.read()
    assert measures["best.loss"] == min(measures["gru.loss"], measures["rnn.loss"])
    assert "best" not in measures, "the name of a cell is no number"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("l2", "smothness", r"a.md:10: figure calm: the recipe of model tiny-linear has no setting 'smothness'; did you mean 'smoothness'\?"),
        ("[0, 0.001, 10]", "[0, much]", r"a.md:11: figure calm: l2: Input should be a valid number.*, not 'much'"),
        ("[0, 0.001, 10]", "[0, -1]", r"a.md:11: figure calm: l2: Input should be greater than or equal to 0, not -1"),
        ("[0, 0.001, 10]", "[0, 0.0]", r"a.md:11: figure calm: values: the value 0 is there twice"),
        ("tiny-linear", "tiny-vision", r"a.md:9: figure calm: model tiny-vision has no `train` recipe"),
        ("tiny-linear", "tiny-linea", r"a.md:9: figure calm: unknown model 'tiny-linea'; did you mean 'tiny-linear'\?"),
        ('"8"', '"x"', r"figure calm: layer linear has no row 'x'; known: 0, 1"),
        ("values", "control: random-weights\nvalues", r"a.md:11: figure calm: it trains its networks itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_told_with_its_line(quick_site: SmallSite, old: str, new: str, message: str) -> None:
    quick_site.figure(SWEEP.replace(old, new))

    with pytest.raises(BuildErrors, match=message):
        quick_site.build()


def test_where_the_training_data_is_missing_otherwise_stands_in(quick_site: SmallSite) -> None:
    quick_site.toml(
        SITE_TOML + '\n[datasets.far]\nsource = "image-folder"\npath = "nowhere"\n\n[models.far-linear]\n'
        'source = "linear-svm"\ndataset = "far"\ntrain = {}\n'
    )
    figure = SWEEP.replace("tiny-linear", "far-linear")
    quick_site.figure(figure)

    with pytest.raises(BuildErrors, match=r"a.md:9: figure calm: data set far: "):
        quick_site.build()
    quick_site.figure(figure + "otherwise: {model: tiny-linear}\n")
    quick_site.build()

    assert "far is not at hand" in quick_site.read()


def test_noise_is_rough_and_a_slope_is_not() -> None:
    noise = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    slope = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    chequers = (torch.arange(32)[:, None] + torch.arange(32)).remainder(2).mul(2.0).sub(1).expand(1, 1, 32, 32)

    found = [float(roughness(one)) for one in (noise, slope, chequers, torch.zeros(1, 1, 8, 8))]

    assert found[0] == pytest.approx(0.80, abs=0.03)
    assert found[1] < 0.01
    assert found[2] > 0.99
    assert found[3] == 0


def test_the_highest_score_is_at_the_top_and_equal_ones_are_in_the_middle() -> None:
    assert line([0.2, 0.4, 0.3]) == [[10, HEIGHT - MARGIN], [30, MARGIN], [50, HEIGHT / 2]]
    assert line([0.5, 0.5]) == [[10, HEIGHT / 2], [30, HEIGHT / 2]]


def test_a_value_has_one_name_however_it_is_written() -> None:
    assert [written(value) for value in (1e-5, 0.10, 1.0, False, "A b")] == ["1e-05", "0.1", "1", "false", "a-b"]
