"""The contracts of what can be added to Whatfires, as tests: ours pass them, and a package's own tests can run them.

A contract is a class whose tests pytest runs in a class of yours that is derived from it, once for each thing that you
name by `pytest.mark.parametrize`; a fixture `report` says which models and data there are:

    @pytest.fixture
    def report(tmp_path):
        return Report(tmp_path, '[datasets.stripes]\\nsource = "stripes"\\n')

    @pytest.mark.parametrize("kind", ["mean-stripes"])
    class TestKinds(KindContract): ...
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from generator import teaching
from generator.artifact import Artifact, ArtifactStore, packed, unpacked
from generator.callables import find_callable
from generator.computing import computed
from generator.data import Documents, Images
from generator.deferred import Deferred
from generator.figures import KINDS
from generator.library import Library
from generator.pipeline import build
from generator.plan import Plan, make_plan
from generator.progress import Quiet
from generator.settings import read_settings
from generator.spec import BuildError, BuildErrors, FigureOptions
from generator.weights import Weights

torch: Any = Deferred("torch")

HEAD = "---\ntitle: A post\ndate: 2026-01-01\n---\n\n"
NAMED_BY = {"img": ("alt",), "svg": ("aria-label", "aria-labelledby", "aria-hidden"), "iframe": ("title",)}
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
TEXTS = ("", "A", "SHOUTING, and not.\n", "naïve 日本語 \u0301 \U0001f600\n" * 3, '"a\n\tb" # c\n' * 50)


@dataclass
class Report:
    """A report of one post, in a folder of its own. toml: the rows of its site.toml. store: where figures are kept."""

    folder: Path
    toml: str
    store: Path | None = None
    theme: str = ""

    def __post_init__(self) -> None:
        (self.content / "posts").mkdir(parents=True, exist_ok=True)
        head = f'title = "A report"\n{f"theme = {json.dumps(self.theme)}" if self.theme else ""}\n'
        (self.content / "site.toml").write_text(head + self.toml, "utf-8")

    @property
    def content(self) -> Path:
        return self.folder / "content"

    def kept(self) -> ArtifactStore:
        return ArtifactStore(self.store or self.folder / "store")

    def library(self) -> Library:
        """Its models and data sets. AssertionError where a row is wrong."""
        library = Library(read_settings(self.content, "site.toml"), self.content, self.kept())
        assert not library.errors, f"site.toml: {library.errors[0]}"
        return library

    def write(self, block: str) -> None:
        """A post of one figure block."""
        (self.content / "posts" / "a.md").write_text(f"{HEAD}```figure\n{block.strip()}\n```\n", "utf-8")

    def plan(self) -> Plan:
        return make_plan(self.content, self.kept(), Quiet())

    def page(self) -> str:
        """The post as it is shown."""
        build(self.content, self.folder / "site", self.kept())
        return (self.folder / "site" / "posts" / "a.html").read_text("utf-8")

    def mistakes(self, block: str) -> list[str]:
        """What is said of a post of this block."""
        self.write(block)
        try:
            self.plan()
        except BuildErrors as errors:
            return [str(error) for error in errors.errors]
        return []


class KindContract:
    """A kind of figures: its options say what they are, its figures are the same each time, and readable by all."""

    def block(self, kind: str, **more: Any) -> str:
        example = {"id": "example", "kind": kind, **yaml.safe_load(KINDS.module(kind).EXAMPLE), **more}
        return str(yaml.safe_dump(example, sort_keys=False, allow_unicode=True))

    def artifact(self, kind: str, report: Report) -> Artifact:
        """The figure of its example, computed now."""
        report.write(self.block(kind))
        plan = report.plan()
        (job,) = plan.jobs.values()
        return computed(job, plan.library, lambda done, total: None)

    def test_it_says_what_it_shows_and_describes_its_options(self, kind: str) -> None:
        options = KINDS.module(kind).Options
        bare = [name for name, row in options.model_fields.items() if not row.description]

        assert teaching.kind(kind).summary, f"the module of {kind} has no docstring"
        assert issubclass(options, FigureOptions), "Options is derived from generator.spec.FigureOptions"
        assert not bare, f"options of {kind} without a description: {bare}"

    def test_it_names_an_unknown_option_and_the_nearest_right_one(self, kind: str, report: Report) -> None:
        told = report.mistakes(self.block(kind, capton="x"))

        assert len(told) == 1, told
        assert "posts/a.md:" in told[0], told
        assert "figure example: unknown key 'capton'; did you mean 'caption'?" in told[0], told

    def test_it_names_each_option_that_is_given_nonsense(self, kind: str, report: Report) -> None:
        for option in KINDS.module(kind).Options.model_fields:
            told = report.mistakes(self.block(kind, **{option: {"no": ["such", {"thing": None}]}}))

            assert told, f"{option}: a mapping of nonsense is taken"
            assert all("posts/a.md:" in one for one in told), f"{option}: told without file and line: {told}"
            assert any(re.search(rf"figure example: .*\b{option}\b", one) for one in told), (
                f"{option} is not named in {told}"
            )

    def test_it_computes_the_same_twice(self, kind: str, report: Report) -> None:
        one, two = (self.artifact(kind, report) for _ in range(2))

        assert told_of(one) == told_of(two), f"{kind} computes something else each time; does it seed what is random?"

    def test_what_it_computes_can_be_kept(self, kind: str, report: Report) -> None:
        found = self.artifact(kind, report)

        assert told_of(unpacked(packed(found))) == told_of(found), f"what {kind} computes is read back otherwise"

    def test_its_page_can_be_read_by_all_and_runs_nothing_inside(self, kind: str, report: Report) -> None:
        report.write(self.block(kind, caption="Less < more & **bold**"))
        page = report.page()

        assert f'data-kind="{kind}"' in page
        assert "Less &lt; more &amp; <strong>bold</strong>" in page, "the caption is escaped"
        assert not (found := flaws(page)), f"the page of {kind}: {found}"


class ModelContract:
    """A source of models: `model` is one that the report's site.toml has, of that source."""

    def test_it_says_what_decides_it(self, model: str, report: Report) -> None:
        one, two = (report.library().fingerprint(model) for _ in range(2))

        assert json.loads(json.dumps(one)) == one, "its fingerprint is not JSON"
        assert one == two, "its fingerprint differs each time"

    def test_it_is_frozen_and_ready(self, model: str, report: Report) -> None:
        network = report.library().model(model).network

        assert not any(module.training for module in network.modules()), "the network is not in eval mode"
        assert not any(one.requires_grad for one in network.parameters()), "its parameters are not frozen"

    def test_it_answers_the_same_twice(self, model: str, report: Report) -> None:
        one, two = (answer(report.library(), model) for _ in range(2))

        assert torch.equal(one, two)

    def test_its_classes_are_its_logits(self, model: str, report: Report) -> None:
        found = report.library().model(model)
        if found.classes and found.image is not None:
            assert answer(report.library(), model).shape[-1] == len(found.classes)

    def test_untrained_it_depends_on_the_seed_alone(self, model: str, report: Report) -> None:
        library = report.library()
        one, other = (library.untrained(model, seed) for seed in (1, 2))
        again = report.library().untrained(model, 1)

        assert same_weights(one, again), "the same seed gives other weights"
        assert not same_weights(one, other), "its weights are the same whatever the seed"

    def test_it_refuses_weights_of_another_shape(self, model: str, report: Report) -> None:
        library = report.library()
        row, loaded = library.row(model), library.model(model)
        if not hasattr(row.settings, "checkpoints"):
            return  # it is given none
        wrong = {name: tensor.new_zeros(3, 1, 2) for name, tensor in loaded.network.state_dict().items()}
        try:
            row.module.load(model, row.settings, Weights(wrong, {}), 0, report.content)
        except BuildError:
            return
        except (RuntimeError, KeyError, ValueError) as error:
            raise AssertionError(f"weights that do not fit raise {error!r}, and no BuildError that says so") from error
        raise AssertionError("weights that do not fit are taken")


class DatasetContract:
    """A source of data: `dataset` is one that the report's site.toml has, of that source."""

    def test_it_is_named_by_what_it_holds(self, dataset: str, report: Report) -> None:
        one, two = (report.library() for _ in range(2))

        assert one.missing(dataset) == "", "the data is not at hand, so there is nothing to test"
        assert one.dataset_digest(dataset) == two.dataset_digest(dataset)

    def test_it_gives_the_same_twice(self, dataset: str, report: Report) -> None:
        for split in ("train", "test"):
            one, two = (report.library().load(dataset, split) for _ in range(2))

            assert len(getattr(one, "pixels", one)), f"{split} is empty"
            if isinstance(one, Images):
                assert one.pixels.dtype == np.uint8, "pixels are bytes"
                assert one.pixels.ndim == 4, "pixels are (images, height, width, channels)"
                assert one.labels.shape == one.pixels.shape[:1], "each image has a label"
                assert not one.classes or one.labels.max() < len(one.classes), "labels are indices into classes"
                assert np.array_equal(one.pixels, two.pixels)
                assert np.array_equal(one.labels, two.labels)
            else:
                assert isinstance(one, Documents | list | tuple)
                assert [document.name for document in one] == [document.name for document in two]
                assert len({document.name for document in one}) == len(one), "names are unique"
                assert one[0] == two[0]

    def test_it_refuses_an_unknown_split(self, dataset: str, report: Report) -> None:
        told = ""
        try:
            report.library().load(dataset, "tset")
        except BuildError as error:
            told = str(error)

        assert "tset" in told, f"asked for the split 'tset', it says {told or 'nothing'!r}"


class ConceptContract:
    """A concept of text: `concept` is "module:function"."""

    def test_it_says_of_each_character_whether_it_holds(self, concept: str) -> None:
        function = find_callable("concept", concept)
        for text in TEXTS:
            mask = np.asarray(function(text))

            assert mask.dtype == bool, f"{mask.dtype} for {text[:20]!r}, not Booleans"
            assert mask.shape == (len(text),), f"{mask.shape} for {len(text)} characters"
            assert np.array_equal(mask, np.asarray(function(text))), f"other characters each time, of {text[:20]!r}"


class ThemeContract:
    """A theme: its name in site.toml; of the report only the folder is used."""

    def test_its_page_can_be_read_by_all_and_runs_nothing_inside(self, theme: str, report: Report) -> None:
        (report.content / "posts" / "a.md").write_text(f"{HEAD}Words, and [a link](https://example.org).\n", "utf-8")
        page = Report(report.folder, "", report.store, theme).page()

        assert "unsafe-inline" not in page
        for part in ("<!doctype html>", "<html lang=", "<title>", "<main", "Content-Security-Policy", "viewport"):
            assert part.lower() in page.lower(), f"the page has no {part}"
        assert not (found := flaws(page)), found


@dataclass
class Flaws(HTMLParser):
    """Collects what is wrong with a page for who cannot see it, and for its Content-Security-Policy."""

    found: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)  # ids that labels and descriptions point to
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids[str(given["id"])] += 1
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            self.asked += str(given.get(name) or "").split()
        names = NAMED_BY.get(tag, ())
        if names and not any(name in given for name in names):
            self.found.append(f"<{tag}> without {' or '.join(names)}")
        data = given.get("type") not in (None, "", "module", "text/javascript", "application/javascript")
        if tag == "script" and "body" in self.open and "src" not in given and not data:
            self.found.append("a script inside the page")
        self.found += [f"<{tag} {name}>" for name in given if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        elif tag not in VOID:
            self.found.append(f"</{tag}> closes nothing")


def flaws(page: str) -> list[str]:
    """What is wrong with a page: pictures without words, ids that are twice or nowhere, styles and scripts inside."""
    parser = Flaws()
    parser.feed(page)
    parser.close()
    twice = [f"id {id} is there {count} times" for id, count in parser.ids.items() if count > 1]
    return [*parser.found, *twice, *(f"no id {id}" for id in parser.asked if id not in parser.ids)]


def told_of(artifact: Artifact) -> Mapping[str, Any]:
    """What a figure's page is made of, to be compared."""
    arrays = {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in artifact.arrays.items()}
    data = json.loads(json.dumps(artifact.data))
    return {"data": data, "measures": artifact.measures, "intervals": dict(artifact.intervals), "arrays": arrays}


def answer(library: Library, model: str) -> Any:
    """What a network says of the same noise, or, of text, its parameters: reading differs between networks."""
    found = library.model(model)
    if found.image is None:
        return torch.cat([one.flatten() for one in found.network.parameters()])
    shape = (1, found.image.channels, found.image.height, found.image.width)
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return found.network(found.normalise(noise))


def same_weights(*models: Any) -> bool:
    """Whether the parameters of two networks are equal, each to its like."""
    one, other = (list(model.network.parameters()) for model in models)
    return len(one) == len(other) and all(map(torch.equal, one, other))
