import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.records import Record, read_record
from tests.benchmarks import __main__ as command
from tests.benchmarks import channels, harness, many_units, measured
from tests.benchmarks.__main__ import BENCHMARKS
from tests.benchmarks.harness import Benchmark, Outcome, Side, run
from tests.conftest import ROOT, SmallSite

MACHINE = {"processor": "AMD <EPYC>", "cores": 2, "threads": 2, "system": "Linux_6", "load": 1.25}
FAKE = Benchmark("fake", "counts", "nobody", 2, Side("tests.fake"), Side("tests.fake"), {"values": [4, 8]})


def record(name: str, **more: object) -> Record:
    """Of a benchmark whose ratio is 3."""
    told = {
        "name": name, "work": "counting *stars*.", "date": "2026-11-30", "machine": MACHINE, "unit": "s",
        "subject": "Whatfires", "peer": "no_body", "ours": [1, 2], "theirs": [5, 4], "goal": 3,
    }  # fmt: skip
    return Record.model_validate_json(json.dumps(told | more))


def write(site: SmallSite, *records: Record) -> Path:
    """The post of these records, in a site."""
    (folder := site.content / "benchmarks").mkdir()
    for one in records:
        (folder / f"{one.name}.json").write_text(one.model_dump_json(exclude_defaults=True))
    (site.content / "posts" / "a.md").unlink()
    return measured.write_post(site.folder)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ours takes 1 and theirs 2 of the unit, and no process is started."""
    order: list[str] = []

    def child(side: Side, python: Path, folder: Path, number: int, setting: dict[str, int]) -> Outcome:
        order.append(folder.name)
        folder.mkdir(parents=True)
        return Outcome(1 if folder.name.startswith("ours") else 2, 2**20, {}, folder)

    monkeypatch.setattr(harness, "child", child)
    return order


def test_each_benchmark_is_listed_with_its_peer_and_goal(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0

    *lines, staleness, sites, runners, fuzz, soak, whole_model = capsys.readouterr().out.splitlines()
    assert staleness.startswith("staleness: ")
    assert sites.startswith("sites: ")
    assert runners.startswith("runners: ")
    assert fuzz.startswith("fuzz: ")
    assert soak.startswith("soak: ")
    assert whole_model.startswith("whole-model: ")
    for (name, one), line in zip(BENCHMARKS.items(), lines, strict=True):
        assert line.startswith(f"{name} ")
        assert f"against {one.peer}, goal {one.goal:g}: {one.work}" in line


def test_a_benchmark_has_the_name_that_runs_it() -> None:
    assert [one.name for one in BENCHMARKS.values()] == list(BENCHMARKS)


def test_an_unknown_name_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["unit-icon"]) == 2
    assert "no benchmark 'unit-icon'; did you mean 'unit-icons'?" in capsys.readouterr().err


def test_both_sides_run_in_turn(counted: list[str], tmp_path: Path) -> None:
    run(FAKE, tmp_path)

    assert counted == ["ours-0", "theirs-0", "ours-1", "theirs-1", "ours-2", "theirs-2"]


@pytest.mark.usefixtures("counted")
def test_the_report_is_what_other_tools_read(tmp_path: Path) -> None:
    report = run(FAKE, tmp_path)

    written = tmp_path / "content" / "benchmarks" / "fake.json"
    assert json.loads(written.read_text()) == report
    assert {"name", "work", "date", "machine", "versions", "subject", "peer", "goal", "quality"} <= set(report)
    assert read_record(written).name == "fake"
    assert (report["ours"], report["theirs"], report["ratio"], report["met"]) == ([1, 1, 1], [2, 2, 2], 2, True)
    assert set(report["versions"]) == {"ours", "theirs"}
    assert report["peak"] == {"ours": 2**20, "theirs": 2**20}


@pytest.mark.usefixtures("counted")
def test_a_fast_but_worse_result_does_not_meet_the_goal(tmp_path: Path) -> None:
    worse = replace(FAKE, quality=lambda ours, theirs: {"share": 0.8}, least={"share": 0.9})

    assert not run(worse, tmp_path)["met"]
    assert run(replace(worse, least={"share": 0.8}), tmp_path / "again")["met"]


@pytest.mark.usefixtures("counted")
def test_the_report_for_people_tells_spread_memory_and_goal(tmp_path: Path) -> None:
    lines = harness.lines(run(FAKE, tmp_path))

    assert "1.000 s, 1.000 s, 1.000 s (min, median, max of 3); peak 1 MiB" in lines[1]
    assert lines[-1] == "nobody / whatfires: 2.00; goal 2, met"


def test_a_side_answers_from_a_process_of_its_own(tmp_path: Path) -> None:
    code = "from tests.benchmarks.child import answer, task; given = task(); answer(given.setting['values'][given.run])"
    module = tmp_path / "side.py"
    module.write_text(code)

    python = harness.python(FAKE.ours, tmp_path, print)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        outcome = harness.child(Side("side"), python, tmp_path / "ours-1", 1, FAKE.setting)

    assert outcome.value == 8
    assert outcome.peak > 2**20
    assert outcome.folder.is_dir()


def test_a_side_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No module named nowhere"):
        harness.child(Side("nowhere"), harness.python(FAKE.ours, tmp_path, print), tmp_path / "ours-0", 0, {})


def test_both_sides_have_the_same_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert harness.threads()["OMP_NUM_THREADS"] == "3"

    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(harness.os, "cpu_count", lambda: 5)
    assert harness.threads()["OMP_NUM_THREADS"] == "5"


def test_an_environment_is_made_once_and_again_when_its_packages_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def started(arguments: list[str], check: bool) -> SimpleNamespace:
        commands.append(arguments)
        (tmp_path / ".bench" / "envs" / "peer").mkdir(parents=True, exist_ok=True)
        return SimpleNamespace()

    monkeypatch.setattr(harness.subprocess, "run", started)
    side = Side("module", "peer", ("peer==1",))
    for wanted in (side, side, replace(side, packages=("peer==2",))):
        harness.python(wanted, tmp_path, lambda line: None)

    assert [arguments[-1] for arguments in commands[1::2]] == ["peer==1", "peer==2"]
    assert any(one.startswith("torch==") and "+" not in one for one in commands[1])


def test_what_the_peer_was_not_recorded_to_reach_is_judged_by_what_it_reaches_in_the_run() -> None:
    found = channels.judged({"a 1": 9.0, "a 2": 5.0, "a 3": 1.0}, {"a 1": 10.0}, {"a 1": 11.0, "a 2": 5.0})

    assert found == {"share.least": 0.9, "share.median": 0.95, "judged": 2, "peer.again": 1.1}


def test_units_per_minute_are_flat_where_more_units_take_no_longer_each() -> None:
    def outcome(*rates: float) -> Outcome:
        return Outcome(1, 1, {"units_per_minute": dict(zip(("16", "1024"), rates, strict=True))}, Path())

    found = many_units.quality([outcome(100, 90), outcome(120, 96), outcome(110, 60)], [])

    assert found == {"per-minute.16": 110, "per-minute.1024": 90, "flat": 90 / 110}


def test_the_post_has_a_section_for_each_record_and_is_the_same_of_the_same_records() -> None:
    records = [
        record("one-sort", date="2026-11-29"),
        record("two", goal=None, ours=[1], theirs=[3]),
        record("three", unit="bytes"),
    ]
    text = measured.markdown(records)

    assert text == measured.markdown(records)
    assert "date: 2026-11-30\n" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## One sort beside no\\_body", "## Two beside no\\_body", "## Three beside no\\_body",
    ]  # fmt: skip
    assert "What was done: counting \\*stars\\*.\n" in text
    assert "- [One sort](#one-sort) (load 1.2): 2026-11-29, AMD &lt;EPYC&gt;, 2 cores, 2 threads, Linux\\_6\n" in text
    assert "- [Two](#two) (load 1.2), [Three](#three) (load 1.2): 2026-11-30, AMD" in text
    assert "takes `{value:.3g} one-sort.ratio` times as long as Whatfires" in text
    assert "takes `{value:.3g} three.ratio` times the bytes of Whatfires" in text
    assert text.count("expect: ratio >= 3\n") == text.count(" pairs of runs from `") == 2
    assert not any(number in text for number in ("1.5", "4.5")), "its numbers are measures, not written out"


def test_a_goal_that_was_missed_stays_in_the_post_and_its_claim_is_broken(quick_site: SmallSite) -> None:
    write(
        quick_site, record("reached"), record("missed", goal=3.1), record("worse", quality={"a b": 0}, least={"a b": 1})
    )
    done = quick_site.build()
    report = json.loads((quick_site.out / "report.json").read_text())
    claims = {claim["id"]: claim["status"] for claim in report["claims"]}
    page = quick_site.read("posts/measured.html")

    assert claims == {"reached-goal": "holds", "missed-goal": "broken", "worse-goal": "holds", "worse-a-b": "broken"}
    assert [one.partition(":")[0] for one in done.broken] == ["missed-goal", "worse-a-b"]
    assert "the goal, at least 3.1, is missed" in page
    assert page.count('data-kind="measurements"') == 3


def test_the_post_of_all_benchmarks_can_be_built(quick_site: SmallSite) -> None:
    every = [
        record(one.name, work=one.work, peer=one.peer, unit=one.unit, goal=one.goal, quality=one.least, least=one.least)
        for one in BENCHMARKS.values()
    ]
    write(quick_site, *every)
    quick_site.build()
    report = json.loads((quick_site.out / "report.json").read_text())
    expected = sum(1 + len(one.least) for one in BENCHMARKS.values())

    assert len(report["figures"]) == len(BENCHMARKS)
    assert len({claim["id"] for claim in report["claims"]}) == expected
    assert {claim["status"] for claim in report["claims"] if not claim["id"].endswith("-goal")} == {"holds"}


@pytest.mark.usefixtures("counted")
def test_what_was_run_is_in_the_post_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["fake"], {"fake": FAKE}, tmp_path) == 0

    assert "file: benchmarks/fake.json\n" in (tmp_path / "content" / "posts" / "measured.md").read_text()
    assert "written: " in capsys.readouterr().err


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ('{"name": "x", "unit": "s", "ours": [1], "theirs": [1]}', "it should have a date"),
        ('{"unit": "s", "ours": [1], "theirs": [1]}', "it should have a date, and its file's name, 'x'"),
    ],
)
def test_a_record_that_is_damaged_is_told_and_the_others_are_kept(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "content" / "benchmarks").mkdir(parents=True)
    (tmp_path / "content" / "benchmarks" / "x.json").write_text(content)

    assert command.main(["fake"], {"fake": FAKE}, tmp_path) == 1
    assert message in capsys.readouterr().err
    assert read_record(tmp_path / "content" / "benchmarks" / "fake.json").name == "fake"


def test_the_post_of_this_report_is_that_of_its_records() -> None:
    records = [read_record(path) for path in sorted((ROOT / "content" / "benchmarks").glob("*.json"))]

    assert (ROOT / measured.POST).read_text("utf-8") == measured.markdown(records)
