"""Why a figure would be computed again is told by name, old and new; telling it computes and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator import cli
from generator.key import versions
from generator.library import Library
from generator.plan import make_plan
from generator.progress import Quiet
from generator.runners import here
from generator.spec import BuildError
from tests.conftest import forget_code, job_called
from tests.stale_site import FIRST, StaleSite, copied, seer_checkpoint, write_site
from tests.test_staleness import Edit, our_code, pixel, swap, swap_unseen, version_of


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StaleSite:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("explained")
        patch.chdir(folder)
        site = write_site(folder)
        site.build()
    return site


@pytest.fixture
def site(built: StaleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaleSite]:
    monkeypatch.chdir(tmp_path)
    yield copied(built, tmp_path)
    forget_code()
    versions.cache_clear()


@pytest.fixture
def explain(site: StaleSite, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What the command says; it fails if it computes or loads a model, and leaves every file as it is."""

    def said(*names: str) -> str:
        before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
        monkeypatch.setattr(here, "computed", lambda *given: pytest.fail("it computes"))
        monkeypatch.setattr(Library, "_model", lambda *given: pytest.fail("it loads a model"))
        forget_code()
        done = CliRunner().invoke(cli.main, ["explain", *names, "--store", "store"])
        after = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
        assert after == before
        assert done.exit_code == 0, done.output
        return done.output

    return said


def both_checkpoints(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    seer_checkpoint(site, 4)


DIGEST = "[0-9a-f]{7}"
CHANGES: dict[str, tuple[Edit, str, str]] = {
    "an option": (swap("posts/first.md", "length: 12", "length: 13"), "written", "length: 12 → 13"),
    "the seed": (swap("posts/first.md", "seed: 3", "seed: 4"), "written", "seed: 3 → 4"),
    "an item of a list": (swap("posts/first.md", "[1.0]", "[0.5]"), "written", r"temperatures\.0: 1\.0 → 0\.5"),
    "a longer list": (swap("posts/first.md", "[1.0]", "[1.0, 0.5]"), "written", r"temperatures: \[1\.0\] → \[1\.0, 0\.5\]"),
    "the kind": (swap("posts/second.md", "kind: templates\nmodel: seer\nlayer: conv1", "kind: class-image\nmodel: seer\nclasses: [a]"), "filters", "kind: templates → class-image"),
    "a checkpoint": (both_checkpoints, "mapped", rf"checkpoint of model seer: step-3\.safetensors \({DIGEST}\) → step-4\.safetensors \({DIGEST}\)"),
    "the checkpoint before": (both_checkpoints, "grown", rf"the checkpoint before the newest of model seer: {DIGEST} → {DIGEST}"),
    "a setting of a model": (swap("site.toml", '"c"]', '"d"]'), "filters", r"settings of model seer: classes\.2: c → d"),
    "a recipe": (swap("site.toml", "steps = 2", "steps = 3"), "written", "recipe of model pupil: steps: 2 → 3"),
    "data": (swap_unseen("texts/text0.py", "what it does", "what it dose"), "coloured", f"files of data set texts: {DIGEST} → {DIGEST}"),
    "data of a training": (swap_unseen("texts/text0.py", "what it does", "what it dose"), "written", f"files of data set texts, which model pupil is trained on: {DIGEST} → {DIGEST}"),
    "a mask": (pixel("masks/test/cat/0.png"), "labelled", f"files of data set masked: {DIGEST} → {DIGEST}"),
    "an image file": (pixel("cat.png"), "mapped", rf"file cat\.png: {DIGEST} → {DIGEST}"),
    "a concept": (swap_unseen("words.py", "eo", "ei"), "marked", f"code of concept (marked|early): words {DIGEST} → {DIGEST}"),
    "a factory": (swap("layers/convolutions.py", "padding=1", "padding=1, padding_mode='reflect'"), "filters", rf"code of the factory of model seer: layers\.convolutions {DIGEST} → {DIGEST}"),
    "a module that is new": (swap("words.py", "\n", "\nimport unrelated\n"), "marked", rf"code of concept (marked|early): unrelated \(new\), words {DIGEST} → {DIGEST}"),
    "our code": (our_code("generator.interp.sampling", "import torch", "import ast, torch"), "written", rf"code of kind sample: generator\.interp\.sampling {DIGEST} → {DIGEST}"),
    "a library": (version_of("torch"), "filters", r"torch: [\d.]+\S* → 99\.0"),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_told_by_name(
    site: StaleSite, monkeypatch: pytest.MonkeyPatch, explain: Callable[..., str], what: str
) -> None:
    edit, figure, expected = CHANGES[what]
    edit(site, monkeypatch)
    head, *lines, last = explain(figure).splitlines()

    assert head.endswith(f"#{figure}: stale")
    assert any(re.fullmatch(f"  {expected}", line) for line in lines), lines
    assert last == "1 of 1 figures would be computed"


def test_one_change_is_told_alone(explain: Callable[..., str], site: StaleSite) -> None:
    site.swap("posts/first.md", "seed: 3", "seed: 4")

    assert explain("written").splitlines() == [
        "posts/first.md#written: stale",
        "  seed: 3 → 4",
        "1 of 1 figures would be computed",
    ]


def test_a_site_that_is_up_to_date_has_nothing_to_tell(explain: Callable[..., str]) -> None:
    assert explain() == "0 of 11 figures would be computed\n"
    assert explain("written").startswith("posts/first.md#written: fresh\n")


def test_the_whole_site_has_a_line_for_each_stale_figure(explain: Callable[..., str], site: StaleSite) -> None:
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    site.swap("parts/shared.md", "id: shared", "id: common")
    site.swap("parts/shared.md", "length: 8", "length: 9")

    assert explain().splitlines() == [
        "posts/first.md#written: stale: seed: 3 → 4",
        "posts/first.md#common: never computed",
        "2 of 11 figures would be computed",
    ]


def test_a_figure_that_is_kept_from_before_is_fresh_and_says_what_the_site_shows(
    explain: Callable[..., str], site: StaleSite
) -> None:
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    site.build()
    site.swap("posts/first.md", "seed: 4", "seed: 3")

    assert explain("written").splitlines()[:2] == ["posts/first.md#written: fresh", "  seed: 4 → 3"]


def test_an_artifact_that_is_gone_is_told(explain: Callable[..., str], site: StaleSite) -> None:
    plan = make_plan(site.content, site.store, Quiet())
    site.store.drop(job_called(plan, "written").key)

    assert "  its artifact is not kept any more\n" in explain("written")


def test_a_damaged_figure_is_stale(explain: Callable[..., str], site: StaleSite) -> None:
    path = site.store.path(job_called(make_plan(site.content, site.store, Quiet()), "written").key)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    said = "posts/first.md#written: stale\n  what is kept of it is damaged\n1 of 1 figures would be computed\n"
    assert explain("written") == said
    assert "posts/first.md#written: stale: what is kept of it is damaged\n" in explain()


def test_a_control_that_was_added_is_told(explain: Callable[..., str], site: StaleSite) -> None:
    site.swap("posts/second.md", "kind: activation-maps", "kind: activation-maps\ncontrol: random-weights")

    assert explain("mapped").splitlines()[:2] == ["posts/second.md#mapped: stale", "  its control is not computed yet"]


def test_what_is_not_known_any_more_is_not_guessed(explain: Callable[..., str], site: StaleSite) -> None:
    plan = make_plan(site.content, site.store, Quiet())
    key = job_called(plan, "written").key
    site.store.drop(key)
    site.swap("posts/first.md", "seed: 3", "seed: 4")

    assert f"  what it was made of is not known any more: the artifact {key[:7]} is not kept\n" in explain("written")


@pytest.mark.parametrize(
    "name",
    ["posts/first.md#written", "posts/first.html#written", "content/posts/first.md#written", "posts/first#written", "first#written", "written"],
)  # fmt: skip
def test_a_figure_is_called_by_any_of_its_names(site: StaleSite, name: str) -> None:
    plan = make_plan(site.content, site.store, Quiet())

    assert job_called(plan, name) is plan.jobs["posts/first.html", "written"]


def test_a_post_alone_means_all_its_figures(explain: Callable[..., str]) -> None:
    told = explain("second")

    assert re.findall(r"^posts/second\.md#(\w+): fresh$", told, re.MULTILINE) == [
        "grown", "mapped", "filters", "labelled", "classed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("frist#written", "no post with figures 'frist'; did you mean 'first'?"),
        ("first#writen", "no figure 'writen' in first; did you mean 'written'?"),
        ("writen", "no post and no figure 'writen'; did you mean 'written'?"),
    ],
)
def test_a_name_that_is_wrong_is_told_with_the_nearest_right_one(site: StaleSite, name: str, message: str) -> None:
    plan = make_plan(site.content, site.store, Quiet())

    with pytest.raises(BuildError, match=re.escape(message)):
        job_called(plan, name)


def test_an_id_alone_means_all_figures_that_have_it(explain: Callable[..., str], site: StaleSite) -> None:
    site.write("posts/third.md", FIRST)

    assert re.findall(r"^(\S+): ", explain("written"), re.MULTILINE) == [
        "posts/first.md#written",
        "posts/third.md#written",
    ]


def test_the_list_of_modules_is_kept_once_for_each_code(site: StaleSite) -> None:
    kept = [site.store.get(path.stem) for path in site.store.folder.glob("*/*.npz")]
    lists = [sorted(one.data["modules"].items()) for one in kept if one is not None and "modules" in one.data]

    assert len(lists) == len(set(map(str, lists))) > 3
