"""Verdicts as text, JUnit XML and Markdown."""

from pathlib import Path
from xml.etree import ElementTree

from generator.artifact import Measures
from generator.claims import Verdict, expectation, judged
from generator.spec import Claim, Place
from generator.verdicts import code, exit_code, junit, markdown, summary, table
from tests.conftest import SmallSite
from tests.test_cli import run

HOSTILE = "It | is <b>so</b> & \x07 `x` *y*"


def verdict(expect: str, value: float | None, page: str = "posts/a.html", text: str = "It is so.") -> Verdict:
    claim = Claim(f"c{abs(hash(expect)) % 100}", "f", expectation(expect), text, Place("a.md", 7))
    measures = Measures(failure="its figure failed") if value is None else Measures({"auc": value}, {"auc": (0.1, 0.9)})
    return judged(claim, page, [(1, Measures({"auc": 0.0})), (2, measures)])


GOOD, BAD, UNKNOWN = (
    verdict("auc >= 0.5", 0.7),
    verdict("auc < 0.5", 0.7, page=str(Path("posts", "a.html")), text=HOSTILE),
    verdict("auc > 0", None, "b.html"),
)


def test_the_exit_code_is_of_the_worst_state() -> None:
    assert [exit_code(found) for found in ([], [GOOD], [GOOD, UNKNOWN], [UNKNOWN, BAD])] == [0, 0, 2, 1]


def test_the_table_tells_state_value_interval_reason_and_history() -> None:
    told = table([GOOD, BAD, UNKNOWN])

    assert "✓ holds" in told
    assert "0.7 (0.1 to 0.9)" in told
    assert "its figure failed" in told
    assert "It began to hold at step 2." in told
    assert told.splitlines()[-1] == "3 claims: 1 holds, 1 broken, 1 unknown"


def test_the_summary_counts_in_the_right_number() -> None:
    assert summary([GOOD]) == "1 claim: 1 holds"
    assert summary([GOOD, GOOD, BAD]) == "3 claims: 2 hold, 1 broken"


def test_junit_has_a_case_for_each_claim_in_a_suite_for_each_page() -> None:
    written = junit([GOOD, BAD, UNKNOWN])
    root = ElementTree.fromstring(written)
    suites = root.findall("testsuite")

    assert written.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites")
    assert root.get("tests") == "3"
    assert [(one.get("name"), one.get("tests"), one.get("failures"), one.get("errors")) for one in suites] == [
        ("posts/a.html", "2", "1", "0"),
        ("b.html", "1", "0", "1"),
    ]
    assert [[part.tag for part in case] for case in root.iter("testcase")] == [
        ["system-out"],
        ["failure", "system-out"],
        ["error", "system-out"],
    ]
    failure = root.find(".//failure")
    assert failure is not None
    assert "expected f.auc < 0.5; measured 0.7 (0.1 to 0.9)" in str(failure.get("message"))
    assert [one.get("file") for one in root.iter("testcase")] == ["a.md"] * 3


def test_markdown_puts_what_does_not_hold_first_and_escapes_what_authors_write() -> None:
    told = markdown([GOOD, BAD, UNKNOWN])
    rows = [line for line in told.splitlines() if line.startswith(("| ✓", "| ✗", "| ?"))]

    assert [row[2] for row in rows] == ["✗", "?", "✓"]
    assert "It \\| is &lt;b&gt;so&lt;/b&gt; &amp; " in rows[0]
    assert "<b>" not in told


def test_code_in_a_table_ends_neither_itself_nor_its_cell() -> None:
    assert code("a`b|c") == "`a'b\\|c`"


def test_check_prints_writes_and_exits(small_site: SmallSite, tmp_path: Path) -> None:
    claim = "\n```claim\nid: {0}\nfigure: written\nexpect: characters {1}\ntext: It writes.\n```\n"
    small_site.figure(
        "id: written\nkind: sample\nmodel: tiny-text\nlength: 30\n",
        claim.format("enough", ">= 30") + claim.format("more", "> 30"),
    )

    code, output = run("check", "--junit", str(tmp_path / "c.xml"), "--markdown", str(tmp_path / "c.md"))

    assert code == 1
    assert "2 claims: 1 holds, 1 broken" in output
    assert len(list(ElementTree.parse(tmp_path / "c.xml").getroot().iter("testcase"))) == 2
    assert "✗ broken" in (tmp_path / "c.md").read_text()
