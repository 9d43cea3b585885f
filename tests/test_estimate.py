"""`whatfires plan`: what a build would compute, estimated from a sample, and nothing lost of what the sample cost."""

import pytest
from click.testing import CliRunner

from generator.artifact import ArtifactStore
from generator.cli import main
from generator.estimate import Estimate, Group, estimate, lasting
from generator.pipeline import with_units
from generator.plan import make_plan
from generator.progress import Quiet
from tests.conftest import SmallSite
from tests.runners.sites import HEAD, IMAGE
from tests.test_failing import NETWORK, ROW

SAMPLE = "```figure\nid: s{0}\nkind: sample\nmodel: tiny-text\nlength: {0}\ntemperatures: [1.0]\n```\n\n"
LINEAR = "```figure\nid: seen\nkind: templates\nmodel: tiny-linear\n```\n\n"


def estimated(site: SmallSite, sample: int = 2) -> Estimate:
    plan = with_units(make_plan(site.content, site.store, Quiet(), loading=False), Quiet())
    return estimate(plan, site.store, Quiet(), sample)


def test_work_is_divided_and_the_longest_figure_and_what_every_worker_loads_are_not() -> None:
    many = Group("unit-card", "net", kept=2, missing=100, seconds=3.0, error=0.1, first=7.0, stored=10, shown=20)
    long = Group("atlas", "net", kept=1, missing=1, seconds=60.0, error=0.0, first=0.0, stored=100, shown=0)
    done = Group("dream", "net", kept=9, missing=0, seconds=500.0, error=0.0, first=40.0, stored=1, shown=1)
    found = Estimate([many, long, done])

    assert found.missing == 101
    assert [found.seconds(workers) for workers in (1, 2, 64)] == [367, 187, 67]
    assert found.bytes() == (1100, 2000)


def test_only_a_sample_of_each_kind_and_model_is_computed_and_it_is_kept(small_site: SmallSite) -> None:
    small_site.post(HEAD + "".join(SAMPLE.format(length) for length in range(30, 36)) + LINEAR)
    found = estimated(small_site)
    groups = {(one.kind, one.model): one for one in found.groups}

    assert set(groups) == {("sample", "tiny-text"), ("templates", "tiny-linear")}
    assert (groups["sample", "tiny-text"].kept, groups["sample", "tiny-text"].missing) == (2, 4)
    assert (groups["templates", "tiny-linear"].missing, found.missing) == (0, 4)
    assert found.seconds(1) > 0
    assert small_site.build().computed == 4


def test_a_figure_of_the_sample_is_computed_without_its_control(small_site: SmallSite) -> None:
    small_site.post(HEAD + IMAGE.format("a", "tiny-vision", "a").replace("steps", "control: random-weights\nsteps"))
    (group,) = estimated(small_site, sample=1).groups

    assert (group.kept, group.missing) == (1, 1)
    assert small_site.build().computed == 1


def test_what_is_kept_serves_as_the_sample(small_site: SmallSite) -> None:
    small_site.post(HEAD + SAMPLE.format(30) + SAMPLE.format(31))
    small_site.build()
    small_site.post(HEAD + "".join(SAMPLE.format(length) for length in range(30, 40)))
    kept = len(list(small_site.store.folder.glob("??/*.npz")))
    (group,) = estimated(small_site).groups

    assert (group.kept, group.missing) == (2, 8)
    assert group.seconds is not None
    assert len(list(small_site.store.folder.glob("??/*.npz"))) == kept


def test_without_a_sample_nothing_is_computed_and_that_is_said(small_site: SmallSite) -> None:
    result = CliRunner().invoke(main, ["plan", "--sample", "0", "--store", str(small_site.store.folder)])

    assert result.exit_code == 0
    assert "Not measured, and not in it: 1 figure of sample, tiny-text." in result.stdout


def test_figures_that_fail_are_no_sample(small_site: SmallSite) -> None:
    (small_site.content / "broken.py").write_text(NETWORK.replace("{0}", "Broken"))
    small_site.toml((small_site.content / "site.toml").read_text() + ROW)
    small_site.post(HEAD + IMAGE.format("a", "broken", "a"))

    assert [one.missing for one in estimated(small_site).unknown] == [1]


def test_the_command_says_what_a_build_would_take_on_so_many_workers(small_site: SmallSite) -> None:
    store = ["--store", str(small_site.store.folder)]
    small_site.post(HEAD + "".join(SAMPLE.format(length) for length in range(30, 36)))
    result = CliRunner().invoke(main, ["plan", *store, "--workers", "4"])

    assert result.exit_code == 0
    assert "4 figures on 4 workers: about " in result.stdout
    assert "The store grows by about " in result.stdout
    assert CliRunner().invoke(main, ["build", *store]).exit_code == 0
    assert "Nothing is to be computed." in CliRunner().invoke(main, ["plan", *store]).stdout


@pytest.mark.parametrize(("seconds", "told"), [(119, "119 s"), (121, "2.02 min"), (200_000, "2.31 d")])
def test_times_are_told_in_their_unit(seconds: float, told: str) -> None:
    assert lasting(seconds) == told


def test_a_store_that_knows_nothing_is_no_error(small_site: SmallSite) -> None:
    assert ArtifactStore(small_site.store.folder).has("0" * 64) is False
    assert estimated(small_site, sample=0).seconds(1) == 0
