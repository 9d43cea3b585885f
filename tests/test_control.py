"""A figure beside the same figure of random weights."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from generator.figures import KINDS
from generator.pipeline import build, check_claims
from generator.plan import make_plan
from generator.progress import Quiet
from generator.spec import BuildErrors, FigureOptions, Job
from tests.conftest import SITE_TOML, SmallSite

FIGURE = """
id: coloured
kind: activation-text
model: tiny-text
units: [{group: cell, index: 0}]
text: {dataset: tiny-corpus, length: 40}
control: random-weights
caption: A caption.
"""


def job_of(site: SmallSite) -> Job:
    (job,) = make_plan(site.content, site.store, Quiet()).jobs.values()
    return job


def control_key(site: SmallSite, figure: str = FIGURE) -> str:
    site.figure(figure)
    control = job_of(site).control
    assert control is not None
    return control.key


def test_asking_for_a_control_leaves_the_key_of_the_figure_as_it_was(small_site: SmallSite) -> None:
    small_site.figure(FIGURE)
    with_control = job_of(small_site)
    small_site.figure(FIGURE.replace("control: random-weights\n", ""))
    without = job_of(small_site)

    assert with_control.key == without.key
    assert without.control is None


def test_the_key_of_a_control_is_neither_the_figure_s_nor_that_of_another_seed(small_site: SmallSite) -> None:
    control = control_key(small_site)
    figure = job_of(small_site).key

    assert len({figure, control, control_key(small_site, FIGURE + "seed: 1\n")}) == 3


@pytest.mark.parametrize(("old", "new"), [("length: 40", "length: 41"), ("tiny-text", "third-text")])
def test_an_option_or_another_model_changes_the_key_of_a_control(small_site: SmallSite, old: str, new: str) -> None:
    small_site.toml(SITE_TOML + SITE_TOML[SITE_TOML.index("[models.tiny-text]") :].partition("[models.second-text]")[0]
                    .replace("tiny-text", "third-text").replace("width = 8", "width = 9"))  # fmt: skip

    assert control_key(small_site) != control_key(small_site, FIGURE.replace(old, new))


def test_a_control_says_in_its_ingredients_that_its_weights_are_random(small_site: SmallSite) -> None:
    small_site.figure(FIGURE)
    control = job_of(small_site).control

    assert control is not None
    assert control.ingredients["weights"] == {"random": True, "seed": 1001}


def test_a_changed_caption_recomputes_neither_the_figure_nor_its_control(small_site: SmallSite) -> None:
    small_site.figure(FIGURE)
    first = small_site.build()
    small_site.figure(FIGURE.replace("A caption", "Another"))
    second = small_site.build()

    assert (first.computed, second.computed) == (2, 0)


def test_a_figure_and_its_control_are_one_figure_with_ids_of_their_own(quick_site: SmallSite) -> None:
    quick_site.figure(FIGURE)
    quick_site.build()
    page = quick_site.read()
    ids = re.findall(r'\bid="([^"]+)"', page)
    (figure,) = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    texts = re.findall(r'<pre class="text".*?</pre>', figure, re.DOTALL)

    assert len(ids) == len(set(ids))
    assert {"coloured.readout", "coloured.control.readout"} <= set(ids)
    assert "the same with random weights" in figure
    assert len(texts) == 2
    assert texts[0] != texts[1]


def test_the_measures_of_a_control_are_quoted_claimed_and_reported(quick_site: SmallSite) -> None:
    claim = "\n```claim\nid: c\nfigure: t\nexpect: control.cosine.0.8 < 0.3\ntext: Chance.\n```\n"
    quick_site.figure(
        "id: t\nkind: templates\nmodel: tiny-linear\nclasses: ['0', '8']\ncontrol: random-weights\n",
        "\nBy chance `{value:.3f} t.control.cosine.0.8`.\n" + claim,
    )
    quick_site.build()
    report = json.loads((quick_site.out / "report.json").read_text())
    (figure,) = report["figures"]
    chance = figure["measures"]["control.cosine.0.8"]
    plan = make_plan(quick_site.content, quick_site.store, Quiet())

    assert f"{abs(chance):.3f}" in re.sub(r"<[^>]+>", "", quick_site.read())
    assert figure["measures"]["cosine.0.8"] != chance
    assert len(figure["files"]) == 6, "two templates and the data of the figure, and of its control"
    assert all((quick_site.out / path).exists() for path in figure["files"])
    assert [verdict.now.value for verdict in check_claims(plan, quick_site.store, Quiet())] == [chance]


def test_again_computes_a_figure_and_its_control(small_site: SmallSite) -> None:
    small_site.figure(FIGURE)
    small_site.build()

    assert build(small_site.content, small_site.out, small_site.store, again=["coloured"]).computed == 2


def test_a_factory_that_brings_its_weights_itself_has_no_control(small_site: SmallSite, tmp_path: Path) -> None:
    (tmp_path / "fixed_net.py").write_text(
        "import torch\n\n\ndef make():\n    net = torch.nn.Linear(3, 2)\n"
        "    torch.nn.init.constant_(net.weight, 0.5)\n    torch.nn.init.zeros_(net.bias)\n"
        "    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), net)\n"
    )
    small_site.toml(SITE_TOML.replace("tests.nets:vision", "fixed_net:make").replace(', "c", "d", "e"', ""))
    small_site.figure("id: c\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 1\ncontrol: random-weights\n")

    with pytest.raises(
        BuildErrors, match=r"a.md:12: figure c \(control\): model tiny-vision has the same weights whatever the seed"
    ):
        small_site.build()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("control: random", r"a.md:9: control: Input should be 'random-weights', not 'random'"),
        ("controll: random-weights", r"a.md:9: .*unknown key 'controll'; did you mean 'control'\?"),
    ],
)
def test_a_misspelt_control_is_told_with_its_line(quick_site: SmallSite, line: str, message: str) -> None:
    quick_site.figure(f"id: s\nkind: sample\n{line}\nmodel: tiny-text\nlength: 9\n")

    with pytest.raises(BuildErrors, match=message):
        quick_site.build()


def test_a_figure_without_a_model_has_no_control(quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ModuleType("kind_without_model")
    kind.Options = FigureOptions  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, kind.__name__, kind)
    monkeypatch.setitem(KINDS.ours, "plain", kind.__name__)
    quick_site.figure("id: s\nkind: plain\ncontrol: random-weights\n")

    with pytest.raises(BuildErrors, match=r"a.md:9: figure s: it reads no model, so there is no control"):
        quick_site.build()
