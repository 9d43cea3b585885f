"""What is computed again after an edit: by Whatfires, by joblib's Memory and by doit, each as its manual shows it.

Not a race: for every edit a tool either does what is right, computes what it need not, or shows what is not true any
more. `make bench NAME=staleness` installs the peers into `.bench/envs/staleness` and writes `.bench/staleness.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from generator import __version__
from tests.benchmarks.harness import ROOT, environment, versions_in
from tests.stale_site import StaleSite, write_site

PEERS = ("joblib", "doit")
WORK = "what is computed again after an edit, beside joblib's Memory and doit"

HELPER = "def scale(text):\n    return len(text) * 2\n"
DATA = "some numbers: 1 2 3\n"

JOBLIB = """import sys
from joblib import Memory
import helper

memory = Memory("cache", verbose=0)


@memory.cache
def figure(path):
    with open("computed.log", "a") as log:
        log.write("computed\\n")
    with open(path) as file:
        return helper.scale(file.read())


figure(sys.argv[1])
"""

DOIT = """import os
import helper

DATA = os.environ["DATA"]


def compute():
    with open("computed.log", "a") as log:
        log.write("computed\\n")
    with open(DATA) as file, open("figure.txt", "w") as out:
        out.write(str(helper.scale(file.read())))


def task_figure():
    return {"actions": [compute], "file_dep": [DATA%s], "targets": ["figure.txt"]}
"""

# The edits, and whether what was computed is not true any more after them.
EDITS: dict[str, bool] = {
    "a helper module that the code imports is edited": True,
    "a comment in it is edited": False,
    "a data file is replaced, with the same size and time": True,
    "all files are touched": False,
    "a file is renamed (a data file; with Whatfires a checkpoint)": False,
}


def edit_peer(folder: Path, edit: str) -> str:
    """Make the edit; the name of the data file after it."""
    helper, data = folder / "helper.py", folder / "data.txt"
    if edit.startswith("a helper"):
        helper.write_text(HELPER.replace("* 2", "* 20"))
    elif edit.startswith("a comment"):
        helper.write_text("# it scales\n" + HELPER)
    elif "replaced" in edit:
        before = data.stat()
        data.write_text(DATA.replace("1 2 3", "7 8 9"))
        os.utime(data, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif "touched" in edit:
        for path in (helper, data):
            os.utime(path, (1_000_000_000, 1_000_000_000))
    else:
        data.rename(folder / "renamed.txt")
        return "renamed.txt"
    return "data.txt"


def peer(
    interpreter: Path, name: str, files: Mapping[str, str], command: Callable[[str], list[str]]
) -> dict[str, bool]:
    """Whether the peer computes again, by edit."""
    found = {}
    for edit in EDITS:
        with tempfile.TemporaryDirectory(prefix=name) as place:
            folder = Path(place)
            for file, text in {**files, "helper.py": HELPER, "data.txt": DATA}.items():
                (folder / file).write_text(text)

            def run(data: str, folder: Path = folder) -> int:
                """How often it has computed, from the beginning."""
                environment = os.environ | {"DATA": data, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
                subprocess.run(
                    [interpreter, *command(data)], cwd=folder, env=environment, check=True, capture_output=True
                )
                return len((folder / "computed.log").read_text().splitlines())

            assert [run("data.txt"), run("data.txt")] == [1, 1], f"{name} computes twice what did not change"
            found[edit] = run(edit_peer(folder, edit)) > 1
    return found


def edit_ours(site: StaleSite, edit: str) -> str:
    """Make the edit in a report; the figure that it is about."""
    if edit.startswith("a helper"):
        site.swap("words.py", "eo", "eou")
        return "marked"
    if edit.startswith("a comment"):
        site.swap("words.py", "\n", "  # vowels\n")
        return "marked"
    if "replaced" in edit:
        site.swap_unseen("texts/text0.py", "what it does", "what it dose")
        return "coloured"
    if "touched" in edit:
        for path in site.content.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        return "coloured"
    path = site.path("checkpoints/seer/step-3.safetensors")
    path.rename(path.with_stem("step-33"))
    return "mapped"


def ours() -> dict[str, bool]:
    """Whether Whatfires computes the figure again, by edit."""
    found = {}
    for edit in EDITS:
        with tempfile.TemporaryDirectory(prefix="whatfires") as place, pytest.MonkeyPatch.context() as patch:
            patch.chdir(place)
            site = write_site(Path(place))
            site.build()
            assert site.recomputed(patch) == set()
            figure = edit_ours(site, edit)
            found[edit] = figure in site.recomputed(patch)
    return found


def record(root: Path = ROOT, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Run all, write `.bench/staleness.json` below `root`, and return what was written."""
    interpreter = environment("staleness", PEERS, root, say)
    found = {
        "whatfires": ours(),
        "joblib": peer(interpreter, "joblib", {"main.py": JOBLIB}, lambda data: ["main.py", data]),
        "doit": peer(interpreter, "doit", {"dodo.py": DOIT % ""}, lambda data: ["-m", "doit"]),
        "doit, helper declared": peer(
            interpreter, "doit", {"dodo.py": DOIT % ', "helper.py"'}, lambda data: ["-m", "doit"]
        ),
    }
    report = {
        "name": "staleness",
        "work": WORK,
        "versions": {"whatfires": __version__, **versions_in(interpreter, PEERS)},
        "edits": {
            edit: {"stale": stale, **{tool: told(stale, found[tool][edit]) for tool in found}}
            for edit, stale in EDITS.items()
        },
    }
    (root / ".bench" / "staleness.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def told(stale: bool, computed: bool) -> str:
    if stale == computed:
        return "computed again" if computed else "kept"
    return "computed needlessly" if computed else "stale, and kept"


def lines(report: Mapping[str, Any]) -> list[str]:
    """The record as a table of Markdown."""
    tools = [tool for tool in next(iter(report["edits"].values())) if tool != "stale"]
    versions = report["versions"]
    heads = [f"{tool} ({versions[tool]})" if tool in versions else tool for tool in tools]
    rows = [f"| {edit} | {' | '.join(row[tool] for tool in tools)} |" for edit, row in report["edits"].items()]
    return [f"| edit | {' | '.join(heads)} |", f"| --- |{' --- |' * len(tools)}", *rows]
