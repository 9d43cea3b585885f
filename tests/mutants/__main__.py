"""How many small faults, put into the code one at a time, the tests notice; `make mutants`.

cosmic-ray makes the faults, in a copy of the checkout. A process that has loaded the heavy packages forks for each, so
that none of them is loaded again. What survives the tests near its module meets those of the modules that use it.
"""

import argparse
import ast
import difflib
import importlib
import json
import math
import os
import random
import re
import shutil
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".whatfires" / "mutants"
sys.path.append(str(WORK / "cosmic-ray"))  # behind ours, as it brings packages that we have in other versions
from cosmic_ray.ast import ast_nodes, get_ast_from_path  # noqa: E402
from cosmic_ray.mutating import use_mutation  # noqa: E402
from cosmic_ray.plugins import get_operator, operator_names  # noqa: E402

CORE = ("artifact.py", "files.py", "content.py", "pipeline.py", "claims.py", "verdicts.py", "aims.py", "spec.py")
GROUPS = {"interp": ("interp/*.py",), "core": CORE}
PART = {"spec.py": "Expectation"}  # the class that claims are judged by is all that we ask of it
BOUND = re.compile(r"[A-Z_]+ = .*# .*(at once|at a time|bounds the memory|sorting is faster)")  # and no answer depends
LOADED = "torch numpy scipy.stats PIL.Image jinja2 pydantic yaml markdown pygments.lexers rich.progress click fsspec"
LOADED += " sklearn.svm html5lib pymdownx.superfences safetensors.torch pytest"
CONCEPTS = ["interp/test_concepts.py"]
# Tests near a module, and more of them, where names of files do not tell.
TESTS = {
    "aims": (["figures/test_caricature.py"], ["figures/test_dream.py"]),
    "artifact": (["test_artifact.py"], ["test_series.py", "test_key.py", "runners/test_full_and_read_only.py"]),
    "characters": (CONCEPTS, []),
    "claims": (["test_claims.py"], ["test_verdicts.py", "test_series.py"]),
    "code": (CONCEPTS, []),
    "content": (["test_content.py", "test_includes.py"], ["test_article.py", "test_typography.py", "test_site.py"]),
    "files": (["test_artifact.py"], ["test_standing.py", "runners/test_full_and_read_only.py"]),
    "keeping": (["interp/test_contexts.py"], []),
    "pipeline": (["test_site.py", "test_control.py"], ["test_failing.py", "test_standing.py", "test_verify.py"]),
    "prose": (CONCEPTS, []),
    "separation": (["interp/test_histograms.py"], []),
    "spec": (["test_claims.py"], ["test_verdicts.py"]),
    "tallies": (["interp/test_contexts.py"], []),
}


def faults(file: Path) -> list[tuple[str, str, int]]:
    """(file, operator, which of its places) of all faults, but in annotations, which nothing evaluates, in what only
    type checkers read, and in constants of BOUND.
    """
    text, spans, part = file.read_text(), [], (1, math.inf)
    for node in ast.walk(ast.parse(text)):
        silent = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        silent += [node] if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" else []
        spans += [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in silent if n is not None]
        if isinstance(node, ast.ClassDef) and node.name == PART.get(file.name):
            part = (node.lineno, node.end_lineno)
    spans += [((number, 0), (number + 1, 0)) for number, line in enumerate(text.splitlines(), 1) if BOUND.match(line)]
    found, nodes = [], list(ast_nodes(get_ast_from_path(file)))
    for name in operator_names():
        if not (operator := get_operator(name)).arguments():
            places = [place for node in nodes for place in operator().mutation_positions(node)]
            for number, (start, end) in enumerate(places):
                if part[0] <= start[0] <= part[1] and not any(a <= start and end <= b for a, b in spans):
                    found.append((str(file), name, number))
    return found


def tests_of(file: str, wide: bool) -> list[str]:
    """The tests near a module and its doctests; or more: those that name it, and those of the modules that do."""
    stem, inside = Path(file).stem, "interp/" in file
    naming = re.compile(rf"\binterp\.{stem}\b|\b(generator|interp)(\.interp)? import [^\n]*\b{stem}\b|from \.{stem} ")
    known = [Path("tests", name) for name in TESTS.get(stem, ([], []))[wide]]
    if wide and inside:
        users = [path.stem for path in sorted(Path("generator").rglob("*.py")) if naming.search(path.read_text())]
        known += [path for user in users for path in sorted(Path("tests").rglob(f"test_{user}.py"))]
        known += [path for path in sorted(Path("tests/interp").glob("*.py")) if naming.search(path.read_text())]
    elif not wide and not known:
        known = [Path("tests/interp" if inside else "tests", f"test_{stem}.py"), Path(file)]
    known += [] if wide else [Path("tests/test_frozen.py")]
    return list(dict.fromkeys(str(path) for path in known if path.exists() and "browser" not in path.parts))


def passes(tests: list[str], limit: float) -> bool:
    """Whether tests pass, in a process of their own and in so many seconds."""
    if not (child := os.fork()):
        os.setsid()
        for number in (1, 2):
            os.dup2(os.open(WORK / "last.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        code = 3
        try:
            code = importlib.import_module("pytest").main(["-x", "-q", "-p", "no:cacheprovider", *tests])
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(int(code))
    until = time.monotonic() + limit
    try:
        while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # with what it started
    return os.waitstatus_to_exitcode(ended[1] if ended[0] else os.waitpid(child, 0)[1]) in (0, 5)  # 5: no tests


def wilson(noticed: int, count: int, z: float = 1.96) -> str:
    """A share with its 95 % interval. Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953."""
    share, more = noticed / count, z * z / count
    middle, half = share + more / 2, z * math.sqrt(share * (1 - share) / count + more / (4 * count))
    low, high = (middle - half) / (1 + more), (middle + half) / (1 + more)
    return f"{noticed} of {count} noticed, {share:.1%} ({low:.1%} to {high:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__)
    parser.add_argument("--group", choices=GROUPS, action="append", help="all, if none is given")
    parser.add_argument("--count", type=int, default=100, help="how many faults are drawn of each group")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, help="a file of results: what survived there meets the tests of today")
    given = parser.parse_args()
    copy, home, results, limits = WORK / "copy", WORK / "home", [], {}
    again = json.loads(given.again.read_text()) if given.again else []
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "site", "__pycache__"))
    home.mkdir(exist_ok=True)
    os.chdir(copy)
    os.environ.update(PYTHONPATH=str(copy), PYTHONDONTWRITEBYTECODE="1", HOME=str(home), TMPDIR=str(home))
    sys.path[0] = str(copy)
    del sys.modules["tests.mutants"], sys.modules["tests"]  # those of the copy are to be found
    for name in LOADED.split():
        importlib.import_module(name)
    chosen = [one["fault"] for one in again if not one["noticed"]]
    for group in [] if again else given.group or GROUPS:
        files = sorted(path for name in GROUPS[group] for path in Path("generator").glob(name))
        every = sorted(fault for file in files for fault in faults(file))
        print(f"{group}: {given.count} of {len(every):,} faults", flush=True)  # noqa: T201
        chosen += random.Random(given.seed).sample(every, given.count)  # in a random order: any part tells of all
    with suppress(KeyboardInterrupt):  # what was tried until then is told
        for file, operator, place in chosen:
            noticed, changes = False, []
            for wide in (False, True):
                tests = tests_of(file, wide)
                if noticed or not tests:
                    continue
                if (file, wide) not in limits:
                    start = time.monotonic()
                    if not passes(tests, 1800):
                        sys.exit(f"without a fault {tests} do not pass: see {WORK / 'last.log'}")
                    limits[file, wide] = 20 + 4 * (time.monotonic() - start)
                with use_mutation(Path(file), get_operator(operator)(), place) as (before, after):
                    changes = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
                    noticed = not passes(tests, limits[file, wide])
            results.append({"fault": (file, operator, place), "noticed": noticed})
            (WORK / "results.json").write_text(json.dumps(results))
            if not noticed:
                print(f"survived: {file}", *changes, sep="\n    ", flush=True)  # noqa: T201
    for group in GROUPS:
        own = [one["noticed"] for one in results if (group == "interp") == ("interp/" in one["fault"][0])]
        if own:
            print(f"{group}: {wilson(sum(own), len(own))}")  # noqa: T201


if __name__ == "__main__":
    main()
