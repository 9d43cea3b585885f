"""The command line: what it prints, and what it exits with."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from generator.cli import main
from generator.figures import KINDS
from tests.conftest import POST, ROOT, SITE_TOML, SmallSite

VISION = """title = "Small"

[models.mine]
source = "python"
factory = "{}"
height = 8
width = 8
classes = ["a", "b"]
"""

CLAIM = "\n```claim\nid: long\nfigure: written\nexpect: characters {}\ntext: It writes.\n```\n"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_build_says_what_it_did_and_where_the_site_is(small_site: SmallSite) -> None:
    code, output = run("build")
    again = run("build")[1]

    assert code == 0
    assert "[1/1] written: computed in" in output
    assert "1 figure computed, 0 kept" in output
    assert "site/index.html" in output
    assert "0 figures computed, 1 kept; 0 files written, 0 removed" in again


def test_build_can_compute_a_figure_again(small_site: SmallSite) -> None:
    run("build")

    assert "1 figure computed" in run("build", "--again", "written")[1]
    assert "no figure 'writen'; did you mean 'written'?" in run("build", "--again", "writen")[1]


def test_errors_are_lines_with_places_and_exit_with_one(small_site: SmallSite) -> None:
    small_site.post(POST.replace("tiny-text", "tiny-txet").replace("length", "lenght"))
    code, output = run("build")

    assert code == 1
    assert "error: content/posts/a.md:13: figure written: unknown key 'lenght'; did you mean 'length'?" in output
    assert "Traceback" not in output


def test_text_that_yaml_takes_for_numbers_is_told_once_each(small_site: SmallSite) -> None:
    small_site.figure("id: t\nkind: templates\nmodel: tiny-linear\nclasses: [3, on]")
    lines = run("build")[1].splitlines()

    assert lines == [
        'error: content/posts/a.md:10: figure t: classes.0: this is text: write it in quotes, "3"',
        'error: content/posts/a.md:10: figure t: classes.1: this is text: write it in quotes, "True"',
        "2 errors; what was computed is kept.",
    ]


def test_a_row_of_site_toml_that_is_wrong_is_told_once(small_site: SmallSite) -> None:
    small_site.toml(SITE_TOML.replace("train = { steps = 200 }", "trian = {}"))
    small_site.figure("id: t\nkind: templates\nmodel: tiny-linear")

    assert run("build")[1].splitlines()[1:] == ["1 error; what was computed is kept."]


@pytest.mark.parametrize("where", ["generator.figures.sample.compute", "generator.code_lists.keep"])
def test_ctrl_c_is_told_whatever_closing_what_was_open_raises(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def interrupted(*given: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise ValueError("there is an open writing handle")

    monkeypatch.setattr(where, interrupted)
    code, said = run("build")

    assert code == 130
    assert (
        said.splitlines()[-1] == "stopped; the figures computed so far are kept, and the next build goes on from here."
    )


def test_a_checkpoint_that_stops_several_figures_is_told_once(small_site: SmallSite) -> None:
    (small_site.content / "mine.pt").write_bytes(b"no checkpoint")
    small_site.toml(VISION.format("tests.nets:vision") + 'checkpoints = "mine.pt"\n')
    blocks = [
        f"```figure\nid: {id}\nkind: class-image\nmodel: mine\nclasses: [a]\nseed: {seed}\n```\n"
        for seed, id in enumerate("abcde")
    ]
    small_site.post("---\ntitle: T\ndate: 2026-01-02\n---\n\n" + "\n".join(blocks))
    told, count = run("build")[1].splitlines()

    assert told.startswith("error: content/posts/a.md:9: figure a: checkpoint content/mine.pt holds more than tensors")
    assert told.endswith("; so it is at content/posts/a.md:17, content/posts/a.md:25, content/posts/a.md:33 and 1 more")
    assert count == "1 error; what was computed is kept."


def test_the_same_mistake_in_two_places_is_told_of_both(small_site: SmallSite) -> None:
    block = "```figure\nid: {}\nkind: class-image\nmodel: mine\nclasses: [x]\n```\n"
    small_site.toml(VISION.format("tests.nets:vision"))
    small_site.post("---\ntitle: T\ndate: 2026-01-02\n---\n\n" + block.format("a") + "\n" + block.format("b"))

    assert run("build")[1].count("unknown class 'x'") == 2


def test_a_network_of_grey_images_is_told_how_to_say_so(small_site: SmallSite) -> None:
    code = "from torch import nn\n\n\ndef make():\n    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2))\n"
    (small_site.content / "grey.py").write_text(code)
    small_site.toml(VISION.format("grey:make"))
    small_site.figure("id: t\nkind: class-image\nmodel: mine\nclasses: [a]\nsteps: 1")

    assert run("build")[1].count("write channels = 1 in site.toml") == 1


@pytest.mark.parametrize(("expectation", "code"), [(">= 30", 0), ("> 30", 1)])
def test_check_exits_with_one_where_a_claim_is_broken(small_site: SmallSite, expectation: str, code: int) -> None:
    small_site.post(POST + CLAIM.format(expectation))

    assert run("check")[0] == code


def test_drafts_are_built_only_when_asked_for(small_site: SmallSite) -> None:
    small_site.post(POST.replace("tags:", "draft: true\ntags:"), "draft")
    run("build")
    without = (small_site.out / "posts" / "draft.html").exists()
    run("build", "--drafts")

    assert not without
    assert (small_site.out / "posts" / "draft.html").exists()


def test_train_writes_checkpoints_with_cards_that_the_next_build_loads(small_site: SmallSite) -> None:
    small_site.toml(
        SITE_TOML.replace("steps = 3", "steps = 3, keep = [2]").replace(
            'corpus = "tiny-corpus"', 'corpus = "tiny-corpus"\ncheckpoints = "checkpoints/tiny-text/*.safetensors"', 1
        )
    )
    code, _ = run("train", "tiny-text")
    folder = small_site.content / "checkpoints" / "tiny-text"
    card = json.loads((folder / "step-000003.json").read_text())
    run("build")
    report = json.loads((small_site.out / "report.json").read_text())

    assert code == 0
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [
        "step-000002.safetensors",
        "step-000003.safetensors",
    ]
    assert {"recipe", "data", "measures", "seconds", "machine", "versions", "step"} <= set(card)
    assert report["models"]["tiny-text"]["checkpoint"] == "step-000003.safetensors"
    assert report["models"]["tiny-text"]["measures"] == card["measures"]


def test_kinds_lists_and_teaches_every_kind() -> None:
    listed = run("kinds")[1]

    for kind in KINDS:
        assert kind in listed
        assert f"kind: {kind}" in run("kinds", kind)[1]
    assert "did you mean 'dream'" in run("kinds", "draem")[1]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """As in `whatfires kinds | head -1`."""
    command = [sys.executable, "-c", "from generator.cli import main; main(['kinds'])"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["biuld"], "no command 'biuld'; did you mean 'build'?"),
        (["report", "dif"], "no command 'dif'; did you mean 'diff'?"),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(arguments: list[str], message: str) -> None:
    code, output = run(*arguments)

    assert code == 2
    assert message in output


def test_serve_says_what_to_do_where_there_is_no_site(small_site: SmallSite) -> None:
    code, output = run("serve", "--built")

    assert code == 1
    assert "run whatfires build" in output


def test_a_folder_that_is_no_report_is_told(small_site: SmallSite) -> None:
    assert "no nowhere/site.toml" in run("build", "--content", "nowhere")[1]


def test_all_mistakes_in_site_toml_are_told_together(small_site: SmallSite) -> None:
    small_site.toml('titel = "t"\nlanguage = 3\n')
    output = run("build")[1]

    assert "site.toml:1: titel: there is no such key; did you mean 'title'?" in output
    assert 'site.toml:2: language: this is text: write it in quotes, "3"' in output
    assert "title: Field required" in output


def test_a_site_toml_in_another_encoding_is_told(small_site: SmallSite) -> None:
    (small_site.content / "site.toml").write_bytes('title = "é"'.encode("latin-1"))

    assert "is not UTF-8 text" in run("build")[1]


@pytest.mark.parametrize("classes", ["['0', '1']", "['0', 'x']"])
def test_a_model_is_trained_before_its_classes_are_asked_for(small_site: SmallSite, classes: str) -> None:
    small_site.figure(f"id: t\nkind: templates\nmodel: tiny-linear\nclasses: {classes}\n")
    code, output = run("build")

    assert code == ("x" in classes)
    assert ("unknown class 'x' of model tiny-linear" in output) == ("x" in classes)


def test_a_model_that_only_prose_speaks_of_is_trained(small_site: SmallSite) -> None:
    small_site.post("---\ntitle: T\ndate: 2026-01-02\n---\n\nRight in `{value:.0%} tiny-linear.accuracy`.\n")

    assert run("build")[0] == 0
    assert "Right in <data" in small_site.read()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("title = ", "site.toml:1: Invalid value"),
        ('name = "x"', "site.toml:1: title: Field required"),
        (SITE_TOML.replace('source = "digits"', 'source = "digit"'), "datasets.digits.source: no source 'digit' of data sets; did you mean 'digits'?"),
        (SITE_TOML.replace("train = { steps = 200 }", "trian = {}"), "models.tiny-linear.trian: there is no such key; did you mean 'train'?"),
        (SITE_TOML.replace("train = { steps = 200 }", "train = { smothness = 1 }"), "site.toml:18: models.tiny-linear.train.smothness: there is no such key; did you mean 'smoothness'?"),
        (SITE_TOML.replace("base_url", "bas_url"), "bas_url: there is no such key; did you mean 'base_url'?"),
        ('theme = "nowhere"\n' + SITE_TOML, "site.toml:1: theme: there is no folder 'nowhere'"),
        (SITE_TOML.replace('corpus = "tiny-corpus"', 'corpus = "tiny-korpus"'), "no data set 'tiny-korpus'; did you mean 'tiny-corpus'?"),
    ],
)  # fmt: skip
def test_mistakes_in_site_toml_are_told(small_site: SmallSite, toml: str, message: str) -> None:
    small_site.toml(toml)
    code, output = run("build")

    assert code == 1
    assert message in output


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("a = " + "[" * 5000, "content/site.toml:1: nested too deeply"),
        ("title = 1" + "0" * 5000, "content/site.toml:1: Exceeds the limit"),
        ("title = 0x" + "f" * 5000, 'content/site.toml:1: title: this is text: write it in quotes, "a number of'),
    ],
    ids=["deep", "digits", "hexadecimal"],
)
def test_what_python_cannot_hold_of_site_toml_is_told(small_site: SmallSite, toml: str, reason: str) -> None:
    small_site.toml(toml)

    assert reason in run("build")[1]


def test_a_site_toml_that_cannot_be_read_is_told_as_that(small_site: SmallSite) -> None:
    (small_site.content / "site.toml").unlink()
    (small_site.content / "site.toml").mkdir()

    assert "error: content/site.toml:1: cannot be read: Is a directory" in run("check")[1]


def test_an_error_does_not_steer_the_terminal(small_site: SmallSite) -> None:
    small_site.toml(SITE_TOML + '\n[models."\\u001b[31m\\u202ered"]\nsource = "nowhere"\n')
    said = run("build")[1]

    assert "\\x1b[31m\\u202ered" in said
    assert "\x1b" not in said
    assert "\u202e" not in said


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["--version"]])
def test_help_loads_nothing_but_the_declarations(arguments: list[str]) -> None:
    code = (
        "import sys; from generator.cli import main\n"
        f"try: main({arguments})\nfinally: print({{'pydantic', 'numpy', 'yaml', 'markdown', 'rich'}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout.splitlines()[-1] == "set()"
