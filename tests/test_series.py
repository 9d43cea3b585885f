"""Checkpoints as a series: which are shown, in what order, and what becomes of those that cannot be."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from generator.artifact import ArtifactStore
from generator.library import Library
from generator.pipeline import check_claims
from generator.plan import make_plan
from generator.progress import Quiet
from generator.settings import Settings
from generator.spec import BuildError, BuildErrors
from generator.weights import checkpoints, write_weights
from tests.conftest import SITE_TOML, SmallSite
from tests.test_cli import run

ROW = """
[models.course]
source = "char-rnn"
corpus = "tiny-corpus"
checkpoints = "runs/*.safetensors"
"""
TEXT = "x = 'a string'\n"
FIGURE = (
    f"id: cells\nkind: activation-text\nmodel: course\nunits: [{{index: 1}}]\ntext: {{literal: {json.dumps(TEXT)}}}\n"
)
CLAIM = "\n```claim\nid: c\nfigure: cells\nexpect: {}\ntext: It is so.\n```\n"


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of one training, at steps 1, 20 and 3, and one of a wider network."""
    folder = tmp_path_factory.mktemp("runs")
    for number in range(10):
        (folder / f"{number}.py").write_text("def f(x):\n    return 'a string', x\n" * 20)
    recipe = {"embedding": 4, "batch": 2, "window": 16, "rate": 0.05, "steps": 20, "keep": [1, 3]}
    rows = {
        name: {"source": "char-rnn", "corpus": "texts", "train": {**recipe, "width": width}}
        for name, width in (("course", 8), ("wide", 9))
    }
    settings = Settings(title="x", models=rows, datasets={"texts": {"source": "text", "path": "*.py"}})
    library = Library(settings, folder, ArtifactStore(folder / "store"))
    for name in rows:
        for trained in library.train(name):
            path = folder / name / f"step-{trained.step}.safetensors"
            write_weights(path, trained.weights, library.card(name, trained, 1.0))
    return folder


@pytest.fixture
def site(small_site: SmallSite, runs: Path) -> SmallSite:
    shutil.copytree(runs / "course", small_site.content / "runs")
    small_site.toml(SITE_TOML + ROW)
    return small_site


def report(site: SmallSite) -> dict:
    return json.loads((site.out / "report.json").read_text())


def steps(site: SmallSite) -> list[object]:
    return [one["step"] for one in report(site)["figures"][0]["steps"]]


def test_checkpoints_are_ordered_by_the_number_in_their_names_not_by_the_alphabet(site: SmallSite) -> None:
    site.figure(FIGURE + "checkpoint: all\n")
    done = site.build()

    assert (done.computed, steps(site)) == (3, [1, 3, 20])


def test_checkpoints_without_a_number_are_ordered_by_their_cards_or_else_by_time(site: SmallSite) -> None:
    folder = site.content / "runs"
    for old, new in (("step-20", "last"), ("step-1", "start"), ("step-3", "early")):
        for suffix in (".safetensors", ".json"):
            (folder / (old + suffix)).rename(folder / (new + suffix))
    by_card = [one.name for one in checkpoints(site.content, "runs/*.safetensors")]
    for time, name in enumerate(("last", "start", "early")):
        (folder / f"{name}.json").unlink()
        os.utime(folder / f"{name}.safetensors", (time + 1, time + 1))

    assert by_card == [1, 3, 20]
    assert [one.name for one in checkpoints(site.content, "runs/*.safetensors")] == ["last", "start", "early"]


def test_a_figure_shows_the_newest_unless_it_asks_for_another(site: SmallSite) -> None:
    keys = []
    for asked in ("", "checkpoint: 20\n", "checkpoint: newest\n", "checkpoint: 3\n"):
        site.figure(FIGURE + asked)
        site.build()
        keys.append(report(site)["figures"][0]["key"])

    assert len(set(keys[:3])) == 1, "the same artifact, however it is asked for"
    assert keys[3] != keys[0]
    assert '<p class="step-name">Step 3</p>' in site.read()


def test_a_timeline_shares_the_artifacts_of_single_figures(site: SmallSite) -> None:
    site.figure(FIGURE)
    site.build()
    site.figure(FIGURE + "checkpoint: all\n")
    timeline = site.build()
    site.figure(FIGURE + "checkpoint: [20, 1]\n")

    assert timeline.computed == 2
    assert site.build().computed == 0
    assert steps(site) == [1, 20], "in the order of training, whatever that of the list"


def test_one_more_checkpoint_computes_one_more_step(site: SmallSite, runs: Path) -> None:
    (site.content / "runs" / "step-20.safetensors").unlink()
    site.figure(FIGURE + "checkpoint: all\n")
    site.build()
    shutil.copy(runs / "course" / "step-20.safetensors", site.content / "runs")

    assert site.build().computed == 1
    assert steps(site) == [1, 3, 20]


def test_measures_at_a_step_are_quoted_and_claimed(site: SmallSite) -> None:
    site.figure(
        FIGURE + "checkpoint: all\n",
        "\n`{value} cells.error@3`, and of the model `{value:.4f} course.bits@1`.\n" + CLAIM.format("error@1 >= 0"),
    )
    site.build()
    card = json.loads((site.content / "runs" / "step-1.json").read_text())
    page = re.sub(r"<[^>]+>", "", site.read())

    assert f"{card['measures']['bits']:.4f}." in page
    assert report(site)["claims"][0]["status"] == "holds"


def test_a_claim_on_a_timeline_has_a_history_and_one_on_a_figure_where_it_asks_for_one(site: SmallSite) -> None:
    site.figure(FIGURE + "checkpoint: all\n", CLAIM.format("hidden-1.high >= 100"))
    site.build()
    (timeline,) = report(site)["claims"]
    site.figure(FIGURE, CLAIM.format("hidden-1.high >= 100\nhistory: true"))
    second = site.build()
    (asked,) = report(site)["claims"]

    assert [one["step"] for one in timeline["history"]] == [1, 3, 20]
    assert asked["history"] == timeline["history"]
    assert second.computed == 0
    assert "timeline" not in site.read(), "the figure itself shows the newest alone"
    assert "It was broken at each of the 3 checkpoints." in site.read()


def test_a_claim_on_a_model_has_a_history_of_its_cards(site: SmallSite) -> None:
    cards = [json.loads((site.content / "runs" / f"step-{step}.json").read_text()) for step in (1, 3, 20)]
    losses = [card["measures"]["loss"] for card in cards]
    site.post(f"---\ntitle: T\ndate: 2026-01-02\n---\n{CLAIM.replace('cells', 'course').format(f'loss < {losses[1]}')}")
    site.build()
    (claim,) = report(site)["claims"]

    assert [one["value"] for one in claim["history"]] == losses
    assert [one["status"] for one in claim["history"]] == ["broken", "broken", "holds"]


def test_units_of_a_concept_are_chosen_at_the_newest_and_shown_at_every_step(site: SmallSite) -> None:
    sought = (
        FIGURE.replace("{index: 1}", "{concept: inside-string}") + "dataset: tiny-corpus\ndocuments: 4\nlength: 200\n"
    )
    site.figure(sought + "checkpoint: all\n")
    site.build()
    shown = set(re.findall(r'<strong class="name">([^<]+)', site.read()))
    alone = set()
    for step in (1, 3):
        site.figure(sought + f"checkpoint: {step}\n")
        site.build()
        alone |= set(re.findall(r'<strong class="name">([^<]+)', site.read()))

    assert len(shown) == 1
    assert alone != shown, "left to themselves, the steps would have shown another unit"


def test_a_checkpoint_of_other_shapes_is_left_out_and_named(site: SmallSite, runs: Path) -> None:
    shutil.copy(runs / "wide" / "step-3.safetensors", site.content / "runs" / "step-3.safetensors")
    (site.content / "runs" / "step-3.json").unlink()
    site.figure(FIGURE + "checkpoint: all\n", CLAIM.format("error >= 0"))
    done = site.build()
    (claim,) = report(site)["claims"]

    (gap,) = done.gaps
    assert "step 3: its weights have other shapes than those of course: " in gap
    assert "Not shown: its weights have other shapes" in site.read()
    assert [one["status"] for one in claim["history"]] == ["holds", "unknown", "holds"]
    assert site.build().computed == 0, "and nothing of it is kept"


def test_a_truncated_checkpoint_is_left_out_but_where_it_is_the_newest(site: SmallSite) -> None:
    site.figure(FIGURE + "checkpoint: all\n")
    whole = {path: path.read_bytes() for path in (site.content / "runs").glob("*.safetensors")}
    for card in (site.content / "runs").glob("*.json"):
        card.unlink()
    early, last = (site.content / "runs" / f"step-{step}.safetensors" for step in (3, 20))
    early.write_bytes(whole[early][:-100])
    done = site.build()
    last.write_bytes(whole[last][:-100])

    assert "step-3.safetensors cannot be read" in done.gaps[0]
    with pytest.raises(BuildErrors, match=r"step-20\.safetensors cannot be read"):
        site.build()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("checkpoint: 4\n", "model course has no checkpoint 4; known: 1, 3, 20"),
        ("checkpoint: [1, 1]\n", "the same checkpoint twice; name each once"),
        ("checkpoint: all\ndiff: [1, 3]\n", "give checkpoint or diff, not both"),
        ("diff: [1, 5]\n", "model course has no checkpoint 5"),
        ("checkpoint: all\nmeasures: [erorr]\n", "measures: there is none called 'erorr'; did you mean 'error'?"),
    ],
)
def test_a_checkpoint_that_is_not_there_is_told_with_its_line(site: SmallSite, asked: str, message: str) -> None:
    path = site.figure(FIGURE + asked)
    line = path.read_text().splitlines().index(asked.splitlines()[-1]) + 1

    with pytest.raises(BuildErrors) as caught:
        site.build()

    assert f"a.md:{line}: figure cells: {message}" in str(caught.value)


def test_two_checkpoints_of_one_step_are_told(site: SmallSite) -> None:
    runs = site.content / "runs"
    shutil.copy(runs / "step-3.safetensors", runs / "again-3.safetensors")
    site.figure(FIGURE + "checkpoint: all\n")

    with pytest.raises(BuildErrors, match=r"two checkpoints of step 3, again-3\.safetensors and step-3\.safetensors"):
        site.build()


def test_a_model_that_the_build_trains_has_no_checkpoints(small_site: SmallSite) -> None:
    small_site.figure(FIGURE.replace("model: course", "model: tiny-text") + "checkpoint: 3\n")

    with pytest.raises(BuildErrors, match="model tiny-text has no checkpoints to choose from"):
        small_site.build()


def test_two_checkpoints_stand_side_by_side_with_the_units_that_changed_most(site: SmallSite) -> None:
    site.figure(
        FIGURE + "diff: [1, 20]\n",
        "\nThe median is `{value:.2f} cells.changes.median`.\n",
    )
    site.toml(SITE_TOML + ROW + 'dataset = "tiny-corpus"\n')
    site.build()
    page = site.read()

    assert page.count('<div class="step"') == 2
    assert 'class="timeline side-by-side"' in page
    assert "Units that changed most" in page
    assert "units of the same number" in page


def test_a_diff_without_a_data_set_says_what_it_wants(site: SmallSite) -> None:
    site.figure(FIGURE + "diff: [1, 20]\n")

    with pytest.raises(BuildErrors, match=r"figure cells: diff: dataset: Field required"):
        site.build()


def test_a_number_may_stand_in_a_heading_and_in_the_description(site: SmallSite) -> None:
    more = "".join(f"\n## Part {number}\n" for number in range(3))
    site.post(
        "---\ntitle: T\ndate: 2026-01-02\ndescription: It has {value} cells.characters, and `{value:.1f} cells.units`.\n"
        f"---\n\n## All `{{value}} cells.characters` of them\n{more}\n```figure\n{FIGURE}```\n"
    )
    site.build()
    page = site.read()

    assert f'<meta name="description" content="It has {len(TEXT)}, and 1.0.">' in page
    assert f"It has {len(TEXT)}, and 1.0." in site.read("index.html")
    assert re.search(rf'<h2 id="all-of-them">All <data class="value"[^>]*>{len(TEXT)}</data> of them</h2>', page)
    assert re.search(rf'<a href="#all-of-them">All <data class="value"[^>]*>{len(TEXT)}</data> of them</a>', page)


def test_an_unknown_number_in_the_description_is_told(site: SmallSite) -> None:
    site.post(
        f"---\ntitle: T\ndate: 2026-01-02\ndescription: It has {{value}} cells.charcters.\n---\n\n```figure\n{FIGURE}```\n"
    )

    with pytest.raises(BuildErrors, match=r"a\.md:4: cells has no measure 'charcters'; did you mean 'characters'\?"):
        site.build()


def test_a_number_with_its_interval_needs_one(site: SmallSite) -> None:
    site.figure(FIGURE, "\n`{value:.2f±} cells.error`\n")

    with pytest.raises(BuildErrors, match=r"cells\.error has no interval to write after ±"):
        site.build()


def test_a_claim_whose_figure_fails_is_unknown_and_the_others_are_judged(site: SmallSite) -> None:
    other = FIGURE.replace("id: cells", "id: other").replace("{index: 1}", "{index: 99}")
    site.figure(
        FIGURE,
        f"\n```figure\n{other}```\n" + CLAIM.format("error >= 0")
        + CLAIM.replace("cells", "other").replace("id: c\n", "id: d\n").format("error >= 0"),
    )  # fmt: skip

    verdicts = check_claims(make_plan(site.content, site.store, Quiet()), site.store, Quiet())

    assert [one.status for one in verdicts] == ["holds", "unknown"]
    assert "the model has no unit 99" in verdicts[1].now.reason


def test_a_measure_that_is_no_number_is_an_error_not_a_claim_that_holds(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.figure(FIGURE, CLAIM.format("error >= 0"))
    monkeypatch.setattr("generator.figures.activation_text.largest_error", lambda *_: float("nan"))

    (verdict,) = check_claims(make_plan(site.content, site.store, Quiet()), site.store, Quiet())

    assert verdict.status == "unknown"
    with pytest.raises(BuildError, match="its measure error is no number but nan"):
        site.build()


def test_the_page_of_all_claims_has_each_with_its_state_and_where_it_is_made(site: SmallSite) -> None:
    site.figure(FIGURE, CLAIM.format("error >= 0") + CLAIM.replace("id: c\n", "id: d\n").format("error < 0"))
    site.build()
    page = site.read("claims.html")

    assert page.count("<tr class=") == 2
    assert 'href="posts/a.html#c"' in page
    assert "1 hold, 1 are broken, 0 are not known." in page
    assert '<a href="../claims.html">Claims</a>' in site.read()


def test_a_site_without_claims_has_no_page_of_them(site: SmallSite) -> None:
    site.figure(FIGURE)
    site.build()

    assert not (site.out / "claims.html").exists()


def test_a_timeline_is_made_again_at_one_of_its_checkpoints_and_no_other_is_computed(site: SmallSite) -> None:
    site.figure(FIGURE + "checkpoint: all\n")
    code, output = run("figure", "cells", "--checkpoint", "3", "--out", "x.json", "--store", "store")
    newest = run("figure", "cells", "--out", "y.json", "--store", "store")[1]
    told = [json.loads(Path(name).read_text()) for name in ("x.json", "y.json")]
    done = site.build()

    assert code == 0
    assert "[1/1] cells at step 3: computed in" in output
    assert "[1/1] cells: computed in" in newest
    assert [one["key"] for one in told] == [one["key"] for one in report(site)["figures"][0]["steps"][1:]]
    assert done.computed == 1


@pytest.mark.parametrize(
    ("asked", "step", "message"),
    [
        ("checkpoint: all\n", "4", "figure cells shows no checkpoint '4'; known: 1, 20, 3"),
        ("", "3", "figure cells shows no checkpoint '3'; it shows the newest alone, its block may ask for others"),
    ],
)
def test_a_checkpoint_that_a_figure_does_not_show_is_told(site: SmallSite, asked: str, step: str, message: str) -> None:
    site.figure(FIGURE + asked)

    assert run("figure", "cells", "--checkpoint", step) == (1, f"error: content/posts/a.md:6: {message}\n")
    assert "give one of them" in run("figure", "cells", "--checkpoint", step, "--control")[1]
    assert "--checkpoint: a page" in run("figure", "cells", "--checkpoint", step, "--out", "x.html")[1]


def test_a_page_alone_has_all_checkpoints_and_tells_which_it_leaves_out(site: SmallSite) -> None:
    site.figure(FIGURE + "checkpoint: all\n")
    (site.content / "runs" / "step-3.safetensors").write_bytes(b"damaged")
    code, output = run("figure", "cells", "--out", "x.html", "--store", "store")
    page = Path("x.html").read_text()

    assert code == 0
    assert "warning: content/posts/a.md:6: left out of the timeline, step 3" in output
    assert [page.count(f'data-step="step {step}"') for step in (1, 3, 20)] == [1, 1, 1]
    assert page.count("Not shown: ") == 1


def test_the_data_of_each_checkpoint_and_of_what_changed_are_offered(site: SmallSite) -> None:
    site.toml(SITE_TOML + ROW + 'dataset = "tiny-corpus"\n')
    site.figure(FIGURE + "diff: [1, 20]\n")
    site.build()
    names = re.findall(r'href="\.\./(data/\w+\.npz)" download="([^"]+)"', site.read())

    assert [name for _, name in names] == ["cells.npz", "cells-1.npz", "cells-changes.npz"]
    assert sorted(path for path, _ in names) == sorted(report(site)["figures"][0]["files"])
    assert all((site.out / path).exists() for path, _ in names)


def test_a_figure_that_compares_checkpoints_has_no_control_and_is_shown_at_no_others(site: SmallSite) -> None:
    compared = "id: cells\nkind: unit-changes\nmodel: course\ncheckpoints: [1, 20]\ndataset: tiny-corpus\n"
    for more, reason in (
        ("control: random-weights\n", "it compares two checkpoints, so there is no control"),
        ("checkpoint: all\n", "it names two itself, so it is shown at no others"),
    ):
        site.figure(compared + more)
        with pytest.raises(BuildErrors, match=reason):
            site.build()


def test_a_comparison_of_checkpoints_is_not_computed_again_for_a_newer_one(site: SmallSite) -> None:
    site.figure(
        "id: cells\nkind: unit-changes\nmodel: course\ncheckpoints: [1, 3]\nlayer: cell\ndataset: tiny-corpus\n"
    )
    first = site.build()
    shutil.copy(site.content / "runs" / "step-20.safetensors", site.content / "runs" / "step-40.safetensors")

    assert (first.computed, site.build().computed) == (1, 0)


def test_an_edited_card_of_an_older_checkpoint_writes_the_page_again(site: SmallSite) -> None:
    site.figure(FIGURE, "\n`{value} course.loss@3`\n")
    site.build()
    card = site.content / "runs" / "step-3.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "measures": {"loss": 123}}))
    site.build()

    assert ">123</data>" in site.read()


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_checkpoint_of_other_shapes_is_a_gap_in_a_timeline_and_shown_by_a_figure_of_its_own(
    site: SmallSite, runs: Path, order: str
) -> None:
    shutil.copy(runs / "wide" / "step-3.safetensors", site.content / "runs" / "step-3.safetensors")
    (site.content / "runs" / "step-3.json").unlink()
    posts = {"a": "checkpoint: all\n", "b": "checkpoint: 3\n"}
    for name in order:
        site.post(f"---\ntitle: T\ndate: 2026-01-02\n---\n\n```figure\n{FIGURE}{posts[name]}```\n", name)
        if name == "b" and order == "ba":
            (site.content / "posts" / "a.md").unlink()
            site.build()
    done = site.build()

    assert len(done.gaps) == 1
    assert "Not shown: its weights have other shapes" in site.read("posts/a.html")
    assert "Not shown" not in site.read("posts/b.html")


def test_a_timeline_starts_with_its_first_checkpoint(site: SmallSite) -> None:
    for step in (3, 20):
        (site.content / "runs" / f"step-{step}.safetensors").unlink()
    site.figure(FIGURE + "checkpoint: all\nmeasures: [error]\n", "\n`{value} cells.error@1`\n")
    site.build()

    assert steps(site) == [1]


def test_a_model_that_is_trained_by_the_build_has_a_plain_figure(small_site: SmallSite) -> None:
    small_site.figure(FIGURE.replace("model: course", "model: tiny-text") + "checkpoint: all\n")
    small_site.build()

    assert "timeline" not in small_site.read()


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ('{"measures": {"loss": NaN}}', None),
        ('{"measures": {"loss": null}}', None),
        ('{"measures": {"loss": "0.3"}}', None),
        ('{"measures": [1, 2]}', None),
        ('{"measures": {"loss": 1}, "intervals": {"loss": 0.1}}', 1.0),
        ("[0.3, 0.2]", "is no JSON object"),
    ],
)
def test_a_card_of_another_program_is_read_for_its_numbers(
    site: SmallSite, card: str, told: float | str | None
) -> None:
    (site.content / "runs" / "step-20.json").write_text(card)
    site.post("---\ntitle: T\ndate: 2026-01-02\n---\n" + CLAIM.replace("cells", "course").format("loss >= 0"))
    if isinstance(told, float):
        site.build()
        assert report(site)["claims"][0]["value"] == told
        return
    with pytest.raises(BuildErrors if told is None else BuildError, match=told or "course has no measure 'loss'"):
        site.build()


def test_check_judges_what_it_can_where_a_model_is_damaged(site: SmallSite) -> None:
    path = site.content / "runs" / "step-20.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    (site.content / "runs" / "step-20.json").unlink()
    block = "id: cells\nkind: gates\nmodel: course\ndataset: tiny-corpus\n"
    site.figure(block, CLAIM.format("documents >= 1"))

    assert run("check")[0] == 2


def test_a_claim_and_a_heading_do_not_share_an_id(site: SmallSite) -> None:
    site.figure(FIGURE, "\n## C\n" + CLAIM.format("error >= 0"))

    with pytest.raises(BuildErrors, match="claim c: a heading has this id, too"):
        site.build()


def test_a_number_without_a_measure_in_the_description_is_told(site: SmallSite) -> None:
    site.post(f"---\ntitle: T\ndescription: It has {{value:.2f}} cells\n---\n\n```figure\n{FIGURE}```\n")

    with pytest.raises(BuildErrors, match=r"a\.md:3: description: a number is written like"):
        site.build()
