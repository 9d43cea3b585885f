"""Imports go down, siblings do not know each other, and the writing half never imports torch."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = [  # from the top down; modules of one line never import each other
    "cli",
    "serving warm.* warm testing building",
    "watching flags",
    "rounds notebook",
    "remaking verify single_file starter estimate checkpointing",
    "finding",
    "pipeline site_swap unwanted report_diff",
    "site_folder standing unit_pages verdicts alone builds explain",
    "plan",
    "jobs kept_posts",
    "publish",
    "render",
    "unit_writer",
    "content",
    "option_tables",
    "teaching",
    "converter figure_blocks post_writer figures.*",
    "runners.here runners.local runners.dask",
    "runners",
    "computing rendered quotes",
    "kept_pages bounds harmless mathematics citations post_lists unit_lists unit_places",
    "blocks themes typography front_matter side_notes grids own_images social_card",
    "claims obtained timelines metadata reading",
    "excerpts followed",
    "passages choosing",
    "concept_options",
    "evidence labelled readable short_texts",
    "natural census",
    "channels labelling",
    "readers inputs aims unchanged",
    "readouts layouts",
    "seeing",
    "library looks",
    "models.* datasets.*",
    "figures models datasets",
    "plugins",
    "model groups filling",
    "interp.visualise interp.atlas interp.transformers interp.training interp.gates",
    "interp.ascent interp.objectives interp.pace interp.evidence interp.attribution interp.receptive interp.recording interp.dissection interp.recurrent interp.ablation interp.contexts",
    "interp.concepts",
    "interp.code interp.prose interp.ngrams interp.resampling",
    "interp.hooked interp.dictionaries interp.sampling",
    "interp.tokenising",
    "interp.* interp",
    "mask_files",
    "weights image_files progress",
    "archives decoding drawings callables pickled known_code code_lists code_blocks downloads chromium stores at_hand",
    "artifact images histogram records settings data key machine quantised forking includes calling glance lock",
    "store_layout",
    "spilling",
    "trust deprecation files",
    "stopping",
    "spec holes slugs deferred columns sealing unit_search axes foreign_json folders",
    "elements",
    "",  # the package itself: its version
]

LOADS_TORCH = "warm.figures"  # which is what it is for


def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted((ROOT / "generator").rglob("*.py")):
        parts = path.relative_to(ROOT / "generator").with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = ast.parse(path.read_text())
    return found


def level(module: str) -> int:
    for number, line in enumerate(LAYERS):
        for name in line.split() or [""]:
            if module == name or (name.endswith(".*") and module.startswith(name[:-1])):
                return number
    raise AssertionError(f"generator.{module} stands in no layer; give it one in LAYERS")


@cache
def imports(module: str) -> set[str]:
    """Modules of ours that the code of one imports, by their names below `generator`."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            found.add(f"interp.{node.module}")  # instruments name each other so: they could be published alone
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "generator":
            base = node.module.removeprefix("generator").lstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                found.add(inner if inner in TREES else base)
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("generator.") for alias in node.names if alias.name.startswith("generator")
            }
    return found


TREES = modules()


@pytest.mark.parametrize("module", sorted(TREES))
def test_a_module_imports_only_what_stands_below_it(module: str) -> None:
    wrong = [other for other in imports(module) if level(other) <= level(module)]

    assert not wrong, f"generator.{module} imports {wrong}, which does not stand below it"


@pytest.mark.parametrize("module", sorted(TREES))
def test_a_module_says_what_it_owns(module: str) -> None:
    assert ast.get_docstring(TREES[module])


@pytest.mark.parametrize("module", sorted(TREES))
def test_no_function_imports(module: str) -> None:
    inside = [
        node.lineno
        for function in ast.walk(TREES[module])
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert not inside


def test_nothing_but_instruments_costs_torch_to_import() -> None:
    names = [
        f"generator.{name}".rstrip(".") for name in TREES if not name.startswith("interp.") and name != LOADS_TORCH
    ]
    code = (
        f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        "print(sorted({'torch', 'torchvision', 'sklearn', 'skimage'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout.strip() == "[]"


def test_instruments_import_nothing_of_ours() -> None:
    foreign = {
        name: found
        for name in TREES
        if name.startswith("interp.") and (found := {one for one in imports(name) if not one.startswith("interp.")})
    }

    assert not foreign
