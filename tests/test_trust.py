"""With --untrusted nothing runs that the author names, nothing is read outside their folder, no HTML of theirs shows."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator import trust
from generator.artifact import ArtifactStore
from generator.cli import main
from generator.datasets import DATASETS
from generator.harmless import harm
from generator.models import SOURCES
from generator.plan import make_plan
from generator.progress import Quiet
from generator.spec import BuildError, BuildErrors
from generator.stores import store_of
from tests.conftest import SmallSite

TOML = """title = "Theirs"

[models.tiny-text]
source = "char-rnn"
corpus = "tiny-corpus"
train = { width = 8, embedding = 4, steps = 3, batch = 4, window = 16 }

[datasets.tiny-corpus]
source = "text"
path = "texts/*.py"
"""
HEAD = "---\ntitle: A post\ndate: 2026-01-02\n---\n\n"
FIGURE = """```figure
id: cells
kind: top-contexts
model: tiny-text
unit: {group: cell, index: 1}
dataset: tiny-corpus
%s
```
"""


@pytest.fixture
def theirs(quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    """A site of an author who is not trusted."""
    quick_site.toml(TOML)
    monkeypatch.setenv(trust.VARIABLE, "1")
    return quick_site


def told(site: SmallSite) -> list[str]:
    """What is wrong with a site, each with its file and line."""
    try:
        make_plan(site.content, site.store, Quiet(), loading=False)
    except BuildErrors as error:
        return [str(one) for one in error.errors]
    except BuildError as error:
        return [str(error)]
    return []


def test_what_does_nothing_of_the_authors_is_built_and_has_the_key_that_it_always_had(
    theirs: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrusted = make_plan(theirs.content, theirs.store, Quiet())
    theirs.build()
    monkeypatch.delenv(trust.VARIABLE)
    trusted = make_plan(theirs.content, theirs.store, Quiet())

    assert [job.key for job in untrusted.jobs.values()] == [job.key for job in trusted.jobs.values()]
    assert (theirs.out / "posts" / "a.html").is_file()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('[models.own]\nsource = "python"\nfactory = "own:make"', "13: models.own.source: 'python' runs code"),
        (
            '[models.own]\nsource = "linear-svm"\ncheckpoints = "../x/*.safetensors"',
            "14: models.own.checkpoints: '../x",
        ),
        ('[models.own]\nsource = "char-rnn"\ncheckpoints = "/root/*.pt"', "14: models.own.checkpoints: '/root/*.pt'"),
        ('[models.own]\nsource = "transformers"\npretrained = "gpt2"', "14: models.own.pretrained: there is no folder"),
        (
            '[models.own]\nsource = "transformers"\npretrained = "tests:tiny-gpt2"',
            "14: models.own.pretrained: there is",
        ),
        (
            '[models.own]\nsource = "transformers"\npretrained = "texts"\ndownload = true',
            "15: models.own.download: a do",
        ),
        (
            '[models.own]\nsource = "transformers"\npretrained = "texts"\ndictionaries = { "mlp 1" = "../d" }',
            "15: models.own.dictionaries: '../d' is not in the content folder",
        ),
        ('[datasets.own]\nsource = "text"\npath = "texts/../../*.py"', "14: datasets.own.path: 'texts/../../*.py'"),
        ('[datasets.own]\nsource = "text"\npath = "C:/Users/*"', "14: datasets.own.path: 'C:/Users/*'"),
        ('[datasets.own]\nsource = "image-folder"\npath = ["in", "/out"]', "14: datasets.own.path: '/out'"),
        ('[datasets.own]\nsource = "image-folder"\npath = "in"\nmasks = "../m"', "15: datasets.own.masks: '../m'"),
        ('[datasets.own]\nsource = "cifar10"\nfolder = "/data"', "14: datasets.own.folder: '/data'"),
        ('[datasets.own]\nsource = "cifar10"\nfolder = "in"\ndownload = true', "15: datasets.own.download: a download"),
    ],
)
def test_a_row_that_runs_code_or_leads_out_is_refused_where_it_is_written(
    theirs: SmallSite, row: str, said: str
) -> None:
    theirs.toml(f"{TOML}\n{row}\n")

    found = told(theirs)

    assert len(found) == 1
    assert found[0].startswith(f"content/site.toml:{said}"), found
    assert "refuse" in found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Words with <b>HTML</b>.", "6: <b>: HTML of the author's own, which --untrusted refuses"),
        ("Words.\n\n<script>\nalert(1)\n</script>", "8: <script>: HTML"),
        ('Words.\n\n<div\nclass="x">\ntext\n</div>', '8: <div class="x">: HTML'),
        ("<!-- a note -->", "6: <!-- a note -->: HTML"),
        ("| a |\n|---|\n| <u>x</u> |", "8: <u>: HTML"),
        ("Words[^1].\n\n[^1]: A note with <img src=x onerror=alert(1)>.", "8: <img src=x onerror=alert(1)>: HTML"),
        ('!!! note "A <i>title</i>"\n    text', "6: <i>: HTML"),
        ("[words](javascript:alert(1))", "6: a link to javascript:…, which --untrusted refuses"),
        ("[words](java&#115;cript:alert(1))", "1: a link to javascript:…"),
        ("[words]\n\n[words]: JavaScript:alert(1)", "1: a link to javascript:…"),
        ("[words](data:text/html,hello)", "6: a link to data:…"),
        ("![picture](data:image/png;base64,AAAA)", "6: a link to data:…"),
        ("[words](file:///etc/passwd)", "6: a link to file:…"),
        ("Words.\n{: onclick=alert(1) }", "7: an attribute onclick, which --untrusted refuses"),
        ("*Words*{style=color:red}", "6: an attribute style"),
        ("$\\href{javascript:alert(1)}{x}$", "6: a link to javascript:…"),
        ("$\\style{color:red}{x}$", "6: an attribute style"),
        ('--8<-- "../../secret.md"', "6: include '../../secret.md': it lies outside"),
        (FIGURE % 'caption: "A <b>word</b>"', "12: <b>: HTML"),
        (FIGURE % 'functions: {mine: "own:f"}', "12: figure cells: functions: functions of the author's own"),
        (FIGURE % 'concepts: {mine: "(a+)+$"}', "12: figure cells: concepts: patterns of the author's own"),
    ],
)
def test_a_post_that_brings_html_or_code_is_refused_where_it_is_written(
    theirs: SmallSite, text: str, said: str
) -> None:
    theirs.post(f"{HEAD}{text}\n")

    found = told(theirs)

    assert any(one.startswith(f"content/posts/a.md:{said}") for one in found), found


@pytest.mark.parametrize(
    "text",
    [
        "Words, *words*, `<b>code</b>`, [a link](https://example.org/?a=1&b=2), <https://example.org>, 1 < 2.",
        "| a | b |\n|:--|--:|\n| x | $x^2 < \\frac{a}{b}$ |",
        "~~~html\n<script>alert(1)</script>\n~~~",
        "Words[^1].\n\n[^1]: A note.\n\n## A heading {#there .wide}\n\n[up](#there) and [away](b.md)",
        "Term\n:   What it is\n\n!!! note\n    text\n\n<script src=//never.closed",
        "$$\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix} \\text{ and } \\sum_{i=0}^n \\sqrt{x_i}$$",
    ],
)
def test_ordinary_markdown_is_read_as_it_always_is(
    theirs: SmallSite, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    theirs.post(f"{HEAD}{text}\n")
    theirs.post(f"{HEAD}Another.\n", "b")

    untrusted = [post.body for post in make_plan(theirs.content, theirs.store, Quiet()).posts]
    monkeypatch.delenv(trust.VARIABLE)
    trusted = [post.body for post in make_plan(theirs.content, theirs.store, Quiet()).posts]

    assert untrusted == trusted
    assert not [one for body in untrusted for one in harm(body)]


def test_an_image_file_of_a_figure_outside_the_content_is_refused(theirs: SmallSite) -> None:
    theirs.figure("id: seen\nkind: attribution\nmodel: tiny-text\nimage: {file: ../me.jpg}\ntarget: a")

    assert any("image.file: '../me.jpg' is not in the content folder" in one for one in told(theirs)), told(theirs)


def test_what_was_refused_is_refused_though_the_post_was_read_before(
    theirs: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.post(f"{HEAD}Words with <b>HTML</b>.\n")
    monkeypatch.delenv(trust.VARIABLE)
    theirs.build()

    trusted = told(theirs)
    monkeypatch.setenv(trust.VARIABLE, "1")

    assert (trusted, len(told(theirs))) == ([], 1)


def test_a_theme_of_the_authors_is_refused_and_ours_is_not(theirs: SmallSite) -> None:
    (theirs.content / "own").mkdir()
    (theirs.content / "own" / "base.html").write_text("{{ ''.__class__ }}")

    theirs.toml(f'theme = "own"\n{TOML}')
    own = told(theirs)
    theirs.toml(f'theme = "plain"\n{TOML}')

    told_of_own = (
        "content/site.toml:1: theme: 'own' is none of ours, which --untrusted refuses: page templates run code; "
        "ours: plain"
    )

    assert own == [told_of_own]
    assert told(theirs) == []


def test_a_store_of_the_authors_is_refused(theirs: SmallSite) -> None:
    theirs.toml(f'{TOML}\n[store]\ncache = "s3://theirs/figures"\n')
    line = TOML.count("\n") + 3

    with pytest.raises(
        BuildError, match=f"content/site.toml:{line}: store.cache: a store of the author's own, which --un"
    ):
        store_of(theirs.content, "store")

    assert type(store_of(theirs.content, "store", "")) is ArtifactStore, "who builds may say that there is none"


def test_links_out_of_the_folder_and_special_files_are_refused_before_anything_is_read(theirs: SmallSite) -> None:
    (theirs.content / "posts" / "endless.md").symlink_to("/dev/zero")
    (theirs.content / "texts" / "secret.py").symlink_to("/etc/passwd")
    (theirs.content / "above").symlink_to("..")
    (theirs.content / "texts" / "inside.py").symlink_to("text0.py")
    (theirs.content / "texts" / "itself.py").symlink_to("itself.py")
    os.mkfifo(theirs.content / "posts" / "pipe.md")

    out = "is a link out of the content folder, which --untrusted refuses"
    assert sorted(told(theirs)) == [
        f"content/above:1: {out}",
        f"content/posts/endless.md:1: {out}",
        "content/posts/pipe.md:1: is neither a file nor a folder, which --untrusted refuses",
        f"content/texts/secret.py:1: {out}",
    ]


def test_no_file_of_the_content_folder_can_be_imported(theirs: SmallSite) -> None:
    """What a library imports if it is there, such as an optional package, would be theirs."""
    (theirs.content / "optional_package.py").write_text("raise SystemExit('it ran')")
    code = (
        "from pathlib import Path; from generator.artifact import ArtifactStore; from generator.plan import make_plan\n"
        "from generator.progress import Quiet; from importlib.util import find_spec\n"
        "make_plan(Path('content'), ArtifactStore(Path('store')), Quiet())\n"
        "print(find_spec('optional_package'))"
    )

    def found(**environment: str) -> str:
        given = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(Path(trust.__file__).parents[1]), **environment}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=theirs.folder, env=given
        )
        return done.stdout.strip() or done.stderr

    assert found(**{trust.VARIABLE: "1"}) == "None"
    assert "optional_package.py" in found(**{trust.VARIABLE: "0"})


def test_every_command_that_reads_a_content_folder_takes_untrusted() -> None:
    commands = {**main.commands, **main.commands["report"].commands}  # type: ignore[attr-defined]
    reading = {name for name, one in commands.items() if "content" in {option.name for option in one.params}}
    taking = {name for name, one in commands.items() if "untrusted" in {option.name for option in one.params}}

    assert reading == taking >= {"build", "check", "serve", "plan", "figure", "explain", "train"}


def test_the_flag_is_the_same_as_the_variable(theirs: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trust.VARIABLE, "0")  # and is put back after the test
    theirs.post(f"{HEAD}Words with <b>HTML</b>.\n")

    done = CliRunner().invoke(main, ["build", "--untrusted"])

    assert done.exit_code == 1
    assert "a.md:6: <b>: HTML of the author's own" in done.output


def test_every_setting_that_names_files_is_among_those_that_are_looked_at() -> None:
    words = ("relative to", "a glob", "a folder", "folders of", "the folder")
    named = {
        (source, name)
        for source, module in {**SOURCES, **DATASETS}.items()
        if source in trust.SOURCES
        for name, field in import_module(module).Settings.model_fields.items()
        if any(word in (field.description or "") for word in words) or "Path" in str(field.annotation)
    }

    assert {name for _, name in named} == trust.FILES
    assert set(SOURCES) | set(DATASETS) == trust.SOURCES | {"python"}
