"""What is written by hand: posts, their front matter and blocks, formulas, site.toml, references.bib."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from hypothesis import strategies as st

from generator.citations import FILE, entries
from generator.content import read_post
from generator.figure_blocks import BLOCK_KEYS, ClaimBlock
from generator.figures import KINDS
from generator.front_matter import FrontMatter
from generator.settings import read_settings
from tests.hostile.checkpoint_files import JSON

HEAD = "---\ntitle: A\ndate: 2026-01-01\n---\n\n"
APPLY = "!!python/object/apply:tests.hostile.canary.trip"
YAML = [
    f"{APPLY} []", f"{APPLY} ['a']", "!!python/name:tests.hostile.canary.trip", "!!python/object/new:os.system ['true']",
    "!!python/module:tests.hostile.canary", "!!python/object/apply:os.system ['true']", "!!binary a===", "!!set {a, b}",
    "!!omap [a: 1]", "!!timestamp 2026-13-45", "!!int x", "!!float x", "!!null x", "!<tag:yaml.org,2002:map> 1",
    "&a [*a]", "*a", "&a {b: *a}", "{<<: {a: 1}}", "{<<: [1]}", "[" * 3000, "{a: " * 2000, "- " * 2000, "? " * 500,
    ".nan", "-.inf", "1e999", "9" * 5000, "0x" + "f" * 5000, "1:59:59", "190:20:30" * 50, "2026-13-45", "0o9", "~",
    '"\\ud800"', '"\\0"', '"\\x1b[2J"', "|\n  a\n b", ">-\n", "'", '"', "%YAML 9.9", "---", "...", "\t", "@a", "`a`",
    "text: [{a: 1}, {a: 1}]", "[[[[1]]]]", "{a: {a: {a: 1}}}", "{{ 7*7 }}", "a: b: c", "# a", "\u2028", "\ufeff", "é",
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(YAML), st.text(max_size=12), JSON.map(json.dumps))
KEYS = sorted({
    *BLOCK_KEYS, *ClaimBlock.model_fields, *FrontMatter.model_fields, "a", "<<", "{}", "[1]", "1", "~", "''", "? a",
    *(name for path in KINDS.values() for name in import_module(path).Options.model_fields),
})  # fmt: skip
LINES = st.lists(st.tuples(st.sampled_from(KEYS), VALUES).map(": ".join) | VALUES, max_size=6).map("\n".join)


def block(name: str, kind: str, body: str) -> str:
    return f"```{name}\nid: a\nkind: {kind}\nmodel: m\n{body}\n```\n"


BLOCKS = st.builds(block, st.sampled_from(["figure", "claim", "example", "options"]), st.sampled_from([*KINDS]), LINES)
OPENERS = [
    "[", "![", "](", "[](", "[a](", "[^", "[^a]", "[^a]: ", "[@", "[@a;", "<", "<a ", "<!--", "<![CDATA[", "<?", "</p>",
    "<script>", "<b>", "<div>\n", "*", "**", "_", "*a ", "**a *b ", "`", "``", "` ", "$", "$$", "\\(", "\\[", "\\", "&",
    "&#", "&#0;", "&#xD800;", "&#99999999999;", "~~~\n", "```\n", "````\n", "# a\n", "a\n===\n", "---\n", "> ", ">", "- ",
    "1. ", "a\n: ", "    ", "\t", "!!! note\n    ", "/// grid\n", "///\n", "|", "|-", "a|b\n-|-\n", "{: #a }", "{: a=",
    "{value", "`{value} a.b` ", "`{value:.1%} a.b`", "[](#a)", '"', "'", "--", "...", "\0", "\x02", "\x03", "\x02klzzwxh:0001\x03",
    "\x02wzxhzdk:0\x03", "\x02amp\x03", "\u2028", "\u202e", "\ud800", "\U0001f600", "e\u0301", "--8<-- \"a.md\"\n", "<http://",
    "[a]: b\n", "[a]:", "{{", "{%", "\n", "\n\n", " ", "a", "9", "$\\frac{", "$x^", "^", "{", "}", "(", ")", "]", "]:", ">\n",
]  # fmt: skip
REPEATED = st.builds(
    lambda one, count: one * count, st.sampled_from(OPENERS), st.sampled_from([1, 1, 1, 2, 3, 40, 300, 3000])
)
MARKDOWN = st.lists(REPEATED | BLOCKS | st.text(max_size=10), max_size=8).map("".join)
TOML = st.lists(
    st.sampled_from([
        "title = 'a'", "[models]", "[models.a]", "[datasets.a]", "[[models]]", "source = 'python'", "factory = 'os:system'",
        "a = " + "[" * 3000, "a = {a = " * 3, "title = 1" + "0" * 5000, "a" + ".a" * 200 + " = 1", "title = nan", "title = 0x" + "f" * 5000,
        "title = 2026-99-99", "'' = 1", "title = '''", "base_url = 'javascript:alert(1)'", "theme = '../../..'", "\0",
    ])
    | st.text(max_size=20)
    | st.tuples(st.sampled_from(["title", "models", "language", "a"]), JSON.map(json.dumps)).map(" = ".join),
    max_size=6,
).map("\n".join)  # fmt: skip
BIB = st.lists(
    st.sampled_from([
        "@misc{a, title={x}}\n", "@article{b, author={A and B}, title={t}, journal={j}, year=1}\n", "@string{s = \"abc\"}\n",
        "@string{s = s # s # s}\n", "@misc{c, title = s # s}\n", "@zzz{d}\n", "@entry{e}\n", "@misc{f, url={javascript:1}}\n",
        "@comment{", "@preamble{", "{", "}", '"', "#", ",", "=", "\\'{", "\\undefined{x}", "$", "@misc{g, author={,,,,}}\n",
        "@misc{a, crossref={a}}\n", "title", "month = jan", "%", "\0", "@incollection{h, title={x}, editor={a}}\n",
    ])
    | st.text(max_size=12),
    max_size=10,
).map("".join) | st.builds(lambda one, n: one * n, st.sampled_from(["@string{s=s # s}\n", "{", "@", "@misc{", "a and ", "\\"]), st.sampled_from([40, 3000]))  # fmt: skip


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def read_text(text: str, folder: Path) -> None:
    write(folder / "posts" / "a.md", text)
    read_post(folder / "posts" / "a.md", folder, "posts/a.md")


def read_body(text: str, folder: Path) -> None:
    read_text(HEAD + text, folder)


def read_head(text: str, folder: Path) -> None:
    read_text(f"---\ntitle: A\ndate: 2026-01-01\n{text}\n---\n\nA text.\n", folder)


def read_toml(text: str, folder: Path) -> None:
    write(folder / "site.toml", text)
    read_settings(folder, "site.toml")


def read_references(text: str, folder: Path) -> None:
    entries(text, FILE)
