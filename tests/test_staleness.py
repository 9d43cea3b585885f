"""After each edit that an author makes, exactly the figures that it can change are computed: none less, and none more."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
from collections.abc import Callable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import key
from generator.callables import find_callable, reach
from generator.key import versions
from generator.plan import make_plan
from generator.progress import Quiet
from generator.spec import BuildErrors
from tests.conftest import forget_code
from tests.stale_site import SECOND, StaleSite, copied, picture, seer_checkpoint, write_site

READER = {"coloured", "alike", "marked", "shared"}  # the figures of each model
SEER = {"grown", "mapped", "filters", "labelled", "classed"}
PUPIL = {"written"}
ALL = READER | SEER | PUPIL | {"curve"}
OF_TEXTS = {"coloured", "alike", "marked", "written"}  # that read the data set, or whose model was taught on it

Edit = Callable[[StaleSite, pytest.MonkeyPatch], object]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StaleSite:
    """The report, built."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("built")
        patch.chdir(folder)
        site = write_site(folder)
        site.build()
    return site


@pytest.fixture
def site(built: StaleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaleSite]:
    """A copy of it: another folder, and the process is started there."""
    monkeypatch.chdir(tmp_path)
    yield copied(built, tmp_path)
    forget_code()
    versions.cache_clear()


def swap(name: str, old: str, new: str) -> Edit:
    return lambda site, patch: site.swap(name, old, new)


def swap_unseen(name: str, old: str, new: str) -> Edit:
    return lambda site, patch: site.swap_unseen(name, old, new)


def our_code(module: str, old: str, new: str) -> Edit:
    """An edit of a module of ours, as the key reads it."""

    def edit(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
        find = key.source_of
        source = find(module)
        assert source is not None
        edited = site.folder / source.name
        assert old in source.read_text()
        edited.write_text(source.read_text().replace(old, new, 1))
        patch.setattr(key, "source_of", lambda name: edited if name == module else find(name))

    return edit


def version_of(library: str) -> Edit:
    def edit(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
        found = key.metadata.version
        patch.setattr(key.metadata, "version", lambda name: "99.0" if name == library else found(name))
        versions.cache_clear()

    return edit


def another_python(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(key.platform, "python_version", lambda: "3.99.1")
    versions.cache_clear()


def touched(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    for path in site.content.rglob("*"):
        os.utime(path)


def clock_set_back(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    """Since the build, and files that were edited since are older than it."""
    patch.setattr("time.time", lambda: 1_000_000_000.0)
    for path in site.content.rglob("*"):
        os.utime(path, (900_000_000, 900_000_000))


def text_added(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    site.write("texts/text99.py", "x = 1\n" * 30)


def pixel(name: str) -> Edit:
    def edit(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
        pixels = np.array(Image.open(site.path(name)))
        pixels[0, 0] = 255 - pixels[0, 0]
        picture(site.path(name), pixels)

    return edit


def renamed_checkpoints(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    for model in ("reader", "seer"):
        for path in site.path(f"checkpoints/{model}").glob("step-3.*"):
            path.rename(path.with_stem("step-33"))


def copied_checkpoint(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    path = site.path("checkpoints/seer/step-3.safetensors")
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def one_byte(step: int) -> Edit:
    """The last one, which is one of the weights."""

    def edit(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
        path = site.path(f"checkpoints/seer/step-{step}.safetensors")
        before, content = path.stat(), bytearray(path.read_bytes())
        content[-2] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return edit


def theme(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    site.write("theme/figure.html", '<figure id="{{ figure.id }}">mine {{ content }}</figure>')
    site.write("theme/figures/sample.css", "p {}")
    site.swap("site.toml", "\n", '\ntheme = "theme"\n')


def figure_removed_and_brought_back(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    site.write("posts/second.md", "---\ntitle: Second\ndate: 2026-01-03\n---\n")
    site.build()
    site.write("posts/second.md", SECOND)


def failed_figure_mended(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    """The build fails, and what did not fail is computed by it."""
    site.swap("concepts.py", "return np.arange(len(text)) < 50", "raise ValueError('no')")
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    with pytest.raises(BuildErrors, match="figure marked"):
        site.build()
    site.swap("concepts.py", "raise ValueError('no')", "return np.arange(len(text)) < 40")


def moved(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    """To another folder, and the build is started from a third one."""
    there = site.folder / "deeper" / "there"
    there.mkdir(parents=True)
    site.content.rename(there / "report")
    site.content = there / "report"
    patch.chdir(there.parent)


def another_machine(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    """The content and the store are copied there, the site is not."""
    shutil.rmtree(site.out)
    moved(site, patch)
    site.store.folder.rename(site.folder / "kept")
    site.store.folder = site.folder / "kept"


def compiled(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    for path in site.content.rglob("*.py"):
        py_compile.compile(str(path), doraise=True)


def compiled_before_the_edit(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    compiled(site, patch)
    site.swap_unseen("words.py", "eo", "ei")


def checkpoint_added(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    seer_checkpoint(site, 4)


def card(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    path = site.path("checkpoints/reader/step-3.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "measures": {"loss": 2.5}}))


def moved_to_another_post(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    site.write("posts/third.md", SECOND.replace("Second", "Third"))
    site.path("posts/second.md").unlink()


def toml_in_another_order(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    """Of tables, and of the keys in them."""
    head, *tables = site.path("site.toml").read_text().split("\n[")
    turned = []
    for table in reversed(tables):
        name, *lines = table.strip().split("\n")
        turned.append("\n".join([name, *reversed(lines)]))
    site.write("site.toml", "\n\n[".join([head, *turned]) + "\n")


def yaml_in_another_order(site: StaleSite, patch: pytest.MonkeyPatch) -> None:
    site.swap(
        "posts/first.md",
        '{marked: "concepts:marked", early: "concepts:early"}',
        "{early: 'concepts:early', marked: concepts:marked}",
    )
    site.swap(
        "posts/first.md",
        "model: pupil\nlength: 12\ntemperatures: [1.0]\nseed: 3",
        "seed: 3\ntemperatures: [1.0]\nlength: 12\nmodel: pupil",
    )


CASES: dict[str, tuple[Edit, set[str]]] = {
    "nothing": (lambda site, patch: None, set()),
    # words
    "a caption": (swap("posts/first.md", "A text.", "Another."), set()),
    "the id of a figure": (swap("posts/first.md", "id: coloured", "id: painted"), set()),
    "the title of a post": (swap("posts/first.md", "title: First", "title: Other"), set()),
    "the title of the site": (swap("site.toml", "Stale or not", "Other"), set()),
    "an included file's words": (swap("parts/shared.md", "Words", "More words"), set()),
    "a comment in site.toml": (swap("site.toml", "\n", "\n# a comment\n"), set()),
    "the theme": (theme, set()),
    "a post that is called otherwise": (moved_to_another_post, set()),
    # what was asked for
    "an option": (swap("posts/first.md", "length: 12", "length: 13"), {"written"}),
    "a default that is written out": (swap("posts/second.md", "kind: templates", "kind: templates\nseed: 0"), set()),
    "the seed": (swap("posts/first.md", "seed: 3", "seed: 4"), {"written"}),
    "an included file's figure": (swap("parts/shared.md", "length: 8", "length: 9"), {"shared"}),
    "one of two figures that were alike": (swap("posts/first.md", "length: 40", "length: 41"), {"coloured"}),
    "the order of keys in YAML": (yaml_in_another_order, set()),
    "the order of keys and tables in TOML": (toml_in_another_order, set()),
    "a figure that was removed and brought back": (figure_removed_and_brought_back, set()),
    "a failed figure that was mended": (failed_figure_mended, {"marked"}),
    # the author's code
    "a concept's code": (swap("concepts.py", "< 50", "< 51"), {"marked"}),
    "a comment in it": (swap("concepts.py", "import words", "import words  # mine"), set()),
    "its docstring": (swap("concepts.py", "Whether a", "If a"), set()),
    "a module that it imports": (swap("words.py", "eo", "eou"), {"marked"}),
    "that, unseen by size and time": (swap_unseen("words.py", "eo", "ei"), {"marked"}),
    "a comment in that": (swap("words.py", "\n", "  # vowels\n"), set()),
    "an unrelated module beside them": (swap("unrelated.py", "1", "2"), set()),
    "compiled files beside them": (compiled, set()),
    "code that was compiled before, with the same size and time": (compiled_before_the_edit, {"marked"}),
    "a factory's code": (swap("nets.py", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d"), SEER),
    "a package that it imports": (swap("layers/convolutions.py", "padding=1", "padding=1, padding_mode='reflect'"), SEER),
    "a comment in that package": (swap("layers/__init__.py", "\n", "  # mine\n"), set()),
    # our code
    "an instrument of ours": (our_code("generator.interp.sampling", "import torch", "import ast, torch"), {"written", "shared"}),
    "a comment in an instrument of ours": (our_code("generator.interp.sampling", "import torch", "# edited\nimport torch"), set()),
    "the code of a kind": (our_code("generator.figures.templates", "import ", "import math\nimport "), {"filters"}),
    "the code of a source": (our_code("generator.models.char_rnn", "import copy", "import copy, ast"), READER | PUPIL | {"curve"}),
    "the code of a data set": (our_code("generator.datasets.text", "import hashlib", "import hashlib, ast"), OF_TEXTS),
    # data
    "a text, unseen by size and time": (swap_unseen("texts/text0.py", "what it does", "what it dose"), OF_TEXTS),
    "all files touched": (touched, set()),
    "a text that was added": (text_added, OF_TEXTS),
    "a mask": (pixel("masks/test/cat/0.png"), {"labelled"}),
    "an image of a data set": (pixel("pictures/test/cat/0.png"), {"labelled", "classed"}),
    "an image file": (pixel("cat.png"), {"mapped"}),
    "the name of a data set": (
        lambda site, patch: [site.swap("site.toml", "[datasets.masked]", "[datasets.veiled]"), site.swap("posts/second.md", "dataset: masked", "dataset: veiled")],
        set(),
    ),
    # models
    "checkpoints that were renamed": (renamed_checkpoints, set()),
    "a checkpoint that was copied, with a new time": (copied_checkpoint, set()),
    "one byte of a checkpoint": (one_byte(3), SEER),
    "a newer checkpoint": (checkpoint_added, SEER),
    "one byte of the checkpoint before, which one kind compares with": (one_byte(2), {"grown"}),
    "one byte of a checkpoint before that": (one_byte(1), set()),
    "a card alone": (card, {"curve"}),
    "a recipe": (swap("site.toml", "steps = 2", "steps = 3"), PUPIL),
    "a setting of a model": (swap("site.toml", '"c"]', '"d"]'), SEER),
    "the name of a model": (
        lambda site, patch: [site.swap("site.toml", "models.pupil", "models.child"), site.swap("posts/first.md", "model: pupil", "model: child")],
        set(),
    ),
    # the machine
    "the version of a library whose results show": (version_of("torch"), ALL),
    "the version of one whose results do not": (version_of("click"), set()),
    "the version of Python": (another_python, ALL),
    "the clock": (clock_set_back, set()),
    "the place of the content folder": (moved, set()),
    "the machine": (another_machine, set()),
}  # fmt: skip


@pytest.mark.parametrize("edited", CASES)
def test_an_edit_recomputes_exactly_what_it_can_change(
    site: StaleSite, monkeypatch: pytest.MonkeyPatch, edited: str
) -> None:
    edit, expected = CASES[edited]
    edit(site, monkeypatch)

    assert site.recomputed(monkeypatch) == expected


def test_a_failed_figure_leaves_nothing_under_its_key(site: StaleSite) -> None:
    site.swap("concepts.py", "return np.arange(len(text)) < 50", "raise ValueError('no')")
    with pytest.raises(BuildErrors):
        site.build()
    plan = make_plan(site.content, site.store, Quiet())

    assert not site.store.has(plan.jobs["posts/first.html", "marked"].key)


def test_the_order_of_concepts_changes_neither_the_key_nor_what_is_computed(site: StaleSite, tmp_path: Path) -> None:
    """So that an incremental build is what a cold one is."""
    names = ("marked", "early")
    found = []
    for order in (names, names[::-1]):
        functions = ", ".join(f"{name}: 'concepts:{name}'" for name in order)
        block = f"id: counted\nkind: unit-census\nmodel: reader\ndataset: texts\ndocuments: 2\nlength: 100\nfunctions: {{{functions}}}"
        site.write("posts/first.md", f"---\ntitle: First\ndate: 2026-01-02\n---\n\n```figure\n{block}\n```\n")
        site.store.folder = tmp_path / order[0]
        site.build()
        key = make_plan(site.content, site.store, Quiet()).jobs["posts/first.html", "counted"].key
        kept = site.store.get(key)
        assert kept is not None
        found.append((key, json.dumps([kept.data, kept.measures])))

    assert found[0] == found[1]


def called(site: StaleSite) -> int:
    """How many of ten letters the author's function marks, as a build would call it now."""
    reach(site.content)
    return int(find_callable("concept marked:", "concepts:marked")("aeiouaeiou").sum())


def test_an_edited_module_runs_as_it_reads_in_a_process_that_goes_on(site: StaleSite) -> None:
    """Also where its size and time are the same, and a compiled file of the old one lies beside it."""
    compiled(site, pytest.MonkeyPatch())
    before = called(site)
    site.swap_unseen("words.py", "eo", "ei")
    same = called(site)
    site.swap_unseen("words.py", "ei", "zz")
    none = called(site)

    assert (before, same, none) == (4, 4, 0)


def test_two_sites_of_a_process_run_each_their_own_module_of_one_name(site: StaleSite, tmp_path: Path) -> None:
    other = StaleSite(tmp_path / "other")
    other.write("concepts.py", "import words\n\n\ndef marked(text):\n    return words.own(text)\n")
    other.write("words.py", "import numpy\n\n\ndef own(text):\n    return numpy.ones(len(text), dtype=bool)\n")

    assert [called(site), called(other), called(site)] == [4, 10, 4]


def test_code_that_is_edited_between_the_plan_and_its_use_does_not_run(site: StaleSite) -> None:
    make_plan(site.content, site.store, Quiet())
    site.swap("concepts.py", "< 50", "< 51")

    with pytest.raises(Exception, match="edited while the build was at work; build again"):
        find_callable("concept early:", "concepts:early")


def test_a_module_that_is_compiled_from_another_language_counts_by_its_bytes(site: StaleSite) -> None:
    """It is never run here: which of its bytes are code is not known."""
    site.swap("words.py", "\n", "\n\ndef quick():\n    import fast\n")
    found = []
    for content in (b"one", b"two"):
        site.path(f"fast{EXTENSION_SUFFIXES[0]}").write_bytes(content)
        reach(site.content)
        found.append(key.code_digest("concepts"))

    assert found[0] != found[1]


def test_a_package_of_ones_own_that_lies_elsewhere_is_read_too(
    site: StaleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with PYTHONPATH, or where it is installed to be edited."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.py").write_text("LEAST = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    site.swap("words.py", "\n", "\nfrom mine import LEAST\n")
    first = site.recomputed(monkeypatch)
    (tmp_path / "elsewhere" / "mine.py").write_text("LEAST = 2\n")

    assert (first, site.recomputed(monkeypatch)) == ({"marked"}, {"marked"})
