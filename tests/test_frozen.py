"""What modules hand to each other does not change on the way."""

import ast

from tests.conftest import ROOT

# Those that fill, or count, while something goes on.
CHANGING = {
    "citations.Cited", "citations.Source", "looks.Looks", "looks.Seen", "progress.Pace", "reading.Reading",
    "rendered.Rendered", "runners.local.Queue", "testing.Flaws", "testing.Report", "watching.InPlace", "watching.Watcher",
}  # fmt: skip


def dataclasses(frozen: bool) -> set[str]:
    found = set()
    for path in (ROOT / "generator").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "generator").with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            for one in node.decorator_list if isinstance(node, ast.ClassDef) else ():
                if ast.unparse(one).startswith("dataclass") and ("frozen=True" in ast.unparse(one)) == frozen:
                    found.add(f"{module}.{node.name}")
    return found


def test_data_classes_are_frozen_but_for_those_that_are_named() -> None:
    assert dataclasses(frozen=False) == CHANGING
