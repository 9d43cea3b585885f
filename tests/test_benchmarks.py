import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import channels, harness, many_units
from tests.benchmarks.__main__ import BENCHMARKS
from tests.benchmarks.harness import Benchmark, Outcome, Side, run

FAKE = Benchmark("fake", "counts", "nobody", 2, Side("tests.fake"), Side("tests.fake"), {"values": [4, 8]})


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

    assert json.loads((tmp_path / ".bench" / "fake.json").read_text()) == report
    assert {"name", "work", "machine", "versions", "peer", "goal", "quality"} <= set(report)
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
