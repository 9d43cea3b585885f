"""What our code reads as is read once, and again whenever a byte of it, of its reader or of Python is another."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator import key, known_code
from generator.artifact import ArtifactStore
from generator.key import READ, code_digest
from tests.conftest import forget_code

KIND = "generator.figures.templates"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    """A store that knows our code."""
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    known_code.recall(store)
    return store


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts that were read meanwhile as code."""
    texts: list[str] = []
    read_code = key.read_code

    def noted(text: str, name: str, is_package: bool) -> key.Read:
        texts.append(text)
        return read_code(text, name, is_package)

    monkeypatch.setattr(key, "read_code", noted)
    yield texts
    start_anew()


def start_anew() -> None:
    """As a process that has just begun."""
    READ.clear()
    known_code.all_read.cache_clear()
    forget_code()


def test_code_that_is_known_is_not_parsed_and_has_the_same_digest(store: ArtifactStore, parsed: list[str]) -> None:
    start_anew()
    read = code_digest(KIND)
    count = len(parsed)
    start_anew()
    known_code.recall(store)

    assert code_digest(KIND) == read
    assert len(parsed) == count > 0


def test_a_module_that_was_edited_since_is_parsed(
    store: ArtifactStore, parsed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known_code.recall(store)
    before, find = code_digest(KIND), key.source_of
    parsed.clear()
    source = find(KIND)
    assert source is not None
    edited = tmp_path / "templates.py"
    edited.write_text(source.read_text() + "\nMORE = 1\n")
    monkeypatch.setattr(key, "source_of", lambda name: edited if name == KIND else find(name))
    forget_code()

    assert code_digest(KIND) != before
    assert parsed == [edited.read_text()]


@pytest.mark.parametrize(
    ("where", "what"),
    [("generator.known_code.sys.version", "4.0"), ("generator.known_code.package_digest", lambda: "other")],
    ids=["Python", "our code"],
)
def test_what_another_python_or_other_code_has_read_is_not_believed(
    store: ArtifactStore, parsed: list[str], monkeypatch: pytest.MonkeyPatch, where: str, what: object
) -> None:
    start_anew()
    monkeypatch.setattr(where, what)
    known_code.recall(store)

    assert len(parsed) == len(list(key.our_modules()))


@pytest.mark.parametrize("edited", ["generator.key", "generator.interp.svm"])
def test_the_digest_of_our_code_follows_each_byte_of_it_comments_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, edited: str
) -> None:
    """Of the reader of code first of all."""
    modules = dict(key.our_modules())
    copy = tmp_path / "copy.py"
    copy.write_text(modules[edited].read_text() + "# a comment\n")
    before = key.package_digest.__wrapped__()
    monkeypatch.setattr(key, "our_modules", lambda: {**modules, edited: copy}.items())

    assert key.package_digest.__wrapped__() != before


def test_code_of_ours_that_cannot_be_parsed_is_told_only_where_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def f(:\n")
    monkeypatch.setattr(known_code, "our_modules", lambda: [("generator.broken", broken)])
    start_anew()

    known_code.recall(ArtifactStore(tmp_path / "store"))
    start_anew()  # what was read here is of no use to others

    assert code_digest(KIND)


@pytest.mark.parametrize("module", ["figures", "pages"])
def test_what_is_forked_names_what_it_computes_by_the_code_that_was_loaded(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """Though somebody edits it before the fork: then a file is no longer what runs."""
    forget_code()
    importlib.reload(importlib.import_module(f"generator.warm.{module}"))
    monkeypatch.setattr(key, "reading", lambda name, source: pytest.fail(f"{name} is read anew"))

    for name in ("generator.library", "generator.inputs", "generator.artifact"):
        source = key.source_of(name)
        assert source is not None
        assert key.read_module(name, source)
