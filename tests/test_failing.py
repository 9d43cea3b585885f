"""Figures that fail: the others are computed and kept, and a build that goes on says in the page what is missing."""

import json
from io import StringIO

import pytest
from click.testing import CliRunner

from generator.cli import main
from generator.pipeline import Outcome, Stage, build
from generator.progress import Plain
from generator.spec import BuildErrors
from tests.conftest import SITE_TOML, SmallSite
from tests.runners import sites

NETWORK = """
import torch
from torch import nn

from tests import nets


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        with open(__file__ + ".calls", "a") as calls:
            calls.write("x")
        raise RuntimeError("the <b>third</b> gate is stuck")


def make():
    return {0}()
"""
ROW = sites.NETWORK.format("broken", "broken:make")
POST = """---
title: A post
date: 2026-01-02
description: The best is `{value} first.a.logit` a.
---

```figure
id: first
kind: class-image
model: broken
classes: [a]
steps: 1
size: 32
caption: It has `{value} first.a.logit` of it.
```

```figure
id: written
kind: sample
model: tiny-text
length: 30
temperatures: [1.0]
```

It wrote `{value} written.characters` characters, and the image scores `{value} first.a.rank`.

```claim
id: believed
figure: first
expect: natural > 3
text: The image is clear.
```

```figure
id: last
kind: class-image
model: broken
classes: [b]
steps: 1
size: 32
```
"""


@pytest.fixture
def failing(small_site: SmallSite) -> SmallSite:
    (small_site.content / "broken.py").write_text(NETWORK.replace("{0}", "Broken"))
    small_site.toml(SITE_TOML + ROW)
    small_site.post(POST)
    return small_site


def calls(site: SmallSite) -> int:
    """How often the network was asked."""
    file = site.content / "broken.py.calls"
    return len(file.read_text()) if file.exists() else 0


def going_on(site: SmallSite, before: Outcome | None = None) -> Outcome:
    stage = Stage(keep_going=True, failed=before.failed if before else {})
    return build(site.content, site.out, site.store, stage=stage)


def test_all_that_fail_are_told_after_all_others_are_kept_and_no_site_is_written(failing: SmallSite) -> None:
    with pytest.raises(BuildErrors) as caught:
        failing.build()

    told = [str(error) for error in caught.value.errors]
    assert [line.partition(": ")[0] for line in told] == ["content/posts/a.md:7", "content/posts/a.md:34"]
    assert all("the <b>third</b> gate is stuck" in line for line in told)
    assert not failing.out.exists() or not list(failing.out.glob("posts/*"))
    assert going_on(failing).computed == 0  # the other figure was kept


def test_a_site_that_goes_on_says_in_the_figures_place_why_it_failed(failing: SmallSite) -> None:
    done = going_on(failing)
    page = failing.read()

    assert len(done.failed) == 2
    assert done.computed == 1
    assert page.count('data-status="failed"') == 2
    assert page.count("RuntimeError: the &lt;b&gt;third&lt;/b&gt; gate is stuck") >= 2
    assert "<b>third</b>" not in page
    assert page.count('<figure id="written" class="figure sample"') == 1


def test_what_a_failed_figure_measures_is_a_question_mark_and_its_claims_are_unknown(failing: SmallSite) -> None:
    done = going_on(failing)
    page = failing.read()
    (claim,) = json.loads((failing.out / "report.json").read_text())["claims"]

    assert 'value="30"' in page
    assert (
        page.count('class="value unknown" title="RuntimeError: the &lt;b&gt;third') == 2
    )  # in the caption and in the prose
    assert "The best is ? a." in page
    assert (claim["status"], done.broken) == ("unknown", ())
    assert "gate is stuck" in claim["reason"]


def test_the_account_says_which_figures_failed(failing: SmallSite) -> None:
    going_on(failing)
    figures = {one["id"]: one for one in json.loads((failing.out / "report.json").read_text())["figures"]}

    assert "gate is stuck" in figures["first"]["failure"]
    assert figures["first"]["measures"] == {}
    assert figures["written"]["failure"] is None


def test_a_mended_figure_is_shown(failing: SmallSite) -> None:
    before = going_on(failing)
    (failing.content / "broken.py").write_text(NETWORK.replace("{0}", "nets.vision"))
    done = going_on(failing, before)

    assert (done.computed, done.failed) == (2, {})
    assert "data-status" not in failing.read().replace('data-kind="claim" data-status', "")


def test_a_figure_that_is_known_to_fail_is_not_tried_again_before_it_changes(failing: SmallSite) -> None:
    before = going_on(failing)
    asked = calls(failing)
    failing.post(POST + "\nAnother word.\n")

    assert asked
    assert going_on(failing, before).failed == before.failed
    assert calls(failing) == asked
    assert "Another word" in failing.read()
    going_on(failing)  # a build of its own does
    assert calls(failing) > asked


def test_a_control_that_fails_leaves_the_figure(failing: SmallSite) -> None:
    source = NETWORK.replace("{0}", "nets.vision") + "\n\nnumber = 0\n"
    source = source.replace(
        "    return nets.vision()", "    return nets.vision() if not torch.initial_seed() > 1000 else Broken()"
    )
    (failing.content / "broken.py").write_text(source)
    failing.post(POST.replace("id: last", "id: last\ncontrol: random-weights"))
    done = going_on(failing)
    page = failing.read()

    assert len(done.failed) == 1
    assert page.count("gate is stuck") >= 1
    assert page.count('data-status="failed"') == 0


def test_a_model_that_cannot_be_trained_leaves_the_rest(failing: SmallSite) -> None:
    failing.toml(SITE_TOML.replace('path = "texts/*.py"', 'path = "texts/none.txt"'))
    failing.post("---\ntitle: A post\ndate: 2026-01-02\n---\n\nIt needs `{value} tiny-text.bits` bits.\n")
    done = going_on(failing)

    assert "tiny-text" in done.failed
    assert ">?</span> bits" in failing.read()


def test_a_model_whose_training_fails_is_told_as_failed(failing: SmallSite) -> None:
    failing.toml(SITE_TOML.replace("batch = 4", "batch = 4000", 1))
    failing.post("---\ntitle: A post\ndate: 2026-01-02\n---\n\nIt needs `{value} tiny-text.bits` bits.\n")
    told = StringIO()
    done = build(failing.content, failing.out, failing.store, Plain(told), stage=Stage(keep_going=True))

    assert "too few for 4000 streams" in str(done.failed["tiny-text"])
    assert told.getvalue().startswith("[1/1] tiny-text: failed in ")


def test_the_command_lists_what_failed_and_exits_with_one(failing: SmallSite) -> None:
    result = CliRunner().invoke(main, ["build", "--keep-going"])

    assert result.exit_code == 1
    assert result.stderr.count("error: ") == 2
    assert "1 page" not in result.stderr
    assert 'data-status="failed"' in failing.read()
    again = CliRunner().invoke(main, ["build", "--keep-going"])
    assert (again.exit_code, again.stderr.count("error: ")) == (1, 2)  # a failure is never taken for a kept result
