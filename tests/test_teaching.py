"""What is taught of kinds, blocks and sources comes from their options, and is what editors check by."""

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from generator import teaching
from generator.cli import main
from generator.figures import KINDS
from generator.spec import BuildErrors
from tests.conftest import ROOT
from tests.test_content import post


def blocks(name: str) -> Iterator[Any]:
    for path in sorted((ROOT / "content").rglob("*.md")):
        for text in re.findall(rf"^```{name}\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE):
            yield yaml.safe_load(text)


@cache
def validator(what: str) -> jsonschema.Draft202012Validator:
    found = teaching.schema(what)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("what", ["figure", "claim"])
def test_the_schema_accepts_every_block_of_the_report(what: str) -> None:
    found = list(blocks(what))

    assert len(found) > 10
    for one in found:
        validator(what).validate(one)


def test_the_schema_accepts_the_settings_of_the_report() -> None:
    validator("site").validate(tomllib.loads((ROOT / "content" / "site.toml").read_text("utf-8")))


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_knows_each_kind(kind: str) -> None:
    good = yaml.safe_load(teaching.kind(kind).example)
    validator("figure").validate(good)

    for wrong in ({**good, "colour": "red"}, {**good, "seed": "many"}, {key: good[key] for key in ("id", "kind")}):
        if wrong != good and (wrong.keys() - {"id", "kind"} or "model" in good):
            assert list(validator("figure").iter_errors(wrong)), wrong


def test_a_kind_that_is_none_is_refused() -> None:
    assert list(validator("figure").iter_errors({"id": "x", "kind": "dreem", "model": "m"}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_taught_with_every_option_of_it(kind: str) -> None:
    said = CliRunner().invoke(main, ["kinds", kind]).stdout
    taught = teaching.kind(kind)

    for option in (*taught.own, *taught.shared):
        assert f"  {option.name}: " in said
        assert option.about, option.name
    assert f"kind: {kind}\n" in said


@pytest.mark.parametrize("what", teaching.SCHEMAS)
def test_schemas_are_printed(what: str) -> None:
    assert json.loads(CliRunner().invoke(main, ["schema", what]).stdout)["title"] == f"Whatfires: {what}"


def test_a_table_of_options_in_a_page(tmp_path: Any) -> None:
    body = post(tmp_path, "\n```options\nkind: sample\n```\n\n```options\nblock: claim\n```\n").body

    assert "<caption>Options of sample</caption>" in body
    assert '<th scope="row"><code>length</code></th><td>whole number, from 1' in body
    assert "<td><em>required</em></td>" in body


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("kind: sampel", "options: no kind 'sampel'; did you mean 'sample'?"),
        ("kind: sample\nblock: claim", "options: name one of kind, source, dataset, block"),
    ],
)
def test_a_table_of_nothing_is_told(tmp_path: Any, block: str, message: str) -> None:
    with pytest.raises(BuildErrors, match=re.escape(message)):
        post(tmp_path, f"\n```options\n{block}\n```\n")
